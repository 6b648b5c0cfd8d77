"""Take pictures of every view at three widths: `python -m tests.browser.screenshots FOLDER [VIEW ...]`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, PATIENCE_MS, MovingClock
from tests.browser.quality.stage import THEMES, Stage, settle
from tests.browser.quality.views import VIEWS, View
from tests.support.running import running_gateway

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTHS = {360: 740, 768: 1024, 1280: 900}
IN_ENGLISH = 1280


def main(folder: Path, wanted: list[str]) -> None:
    """Take the pictures of the views whose names begin with one of `wanted`, or of all."""
    folder.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE_MS)
    settings = {"LEXGATE_BUDGET_RATE": "20", "LEXGATE_BUDGET_BURST": "20"}
    limits = {"rate": 20.0, "burst": 20}
    path = shutil.which("chromium")
    with (
        running_gateway(
            "lexware", clock=MovingClock(0), settings=settings, sandbox_options=limits, webhooks=True
        ) as running,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS)) as browser,
    ):
        stage = Stage(browser, running)
        for view in VIEWS:
            if not wanted or view.name.startswith(tuple(wanted)):
                _take(stage, view, folder)
        stage.close()


def _take(stage: Stage, view: View, folder: Path) -> None:
    for language in ("de", "en"):
        page = stage.show(view, language)
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            for theme in THEMES:
                if language == "de" or (width, theme) == (IN_ENGLISH, THEMES[0]):
                    page.emulate_media(color_scheme=theme)
                    _picture(page, folder / f"{view.name}-{width}-{theme}-{language}.png")
        stage.leave(page)


def _picture(page: Page, path: Path) -> None:
    settle(page, busy=True)
    width = (page.viewport_size or {"width": 0})["width"]
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size(
        {"width": width, "height": max(height, WIDTHS[width])}
    )  # what is fixed is at the end
    page.screenshot(path=path, full_page=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
