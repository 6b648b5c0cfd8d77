"""Take pictures of every view: `python -m tests.browser.screenshots FOLDER [VIEW ...|readme]`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import PATIENCE_MS, MovingClock
from tests.browser.quality.stage import THEMES, Stage, settle
from tests.browser.quality.views import VIEWS, View
from tests.support.chromium import ARGUMENTS
from tests.support.running import running_gateway

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTHS = {360: 740, 768: 1024, 1280: 900}
WIDE = 1280
README: dict[str, tuple[int, int, Literal["light", "dark"]]] = {
    "overview": (1280, 1290, "light"),
    "invoice": (360, 823, "dark"),
}


def main(folder: Path, wanted: list[str]) -> None:
    """Take pictures of the views whose names begin with one of `wanted`, of all, or those of the README."""
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
            if wanted == ["readme"]:
                _take_for_readme(stage, view, folder)
            elif not wanted or view.name.startswith(tuple(wanted)):
                _take(stage, view, folder)
        stage.close()


def _take(stage: Stage, view: View, folder: Path) -> None:
    for language in ("de", "en"):
        page = stage.show(view, language)
        for width, height in WIDTHS.items():
            for theme in THEMES:
                if language == "de" or (width, theme) == (WIDE, THEMES[0]):
                    page.set_viewport_size({"width": width, "height": height})
                    page.emulate_media(color_scheme=theme)
                    _take_whole(page, folder / f"{view.name}-{width}-{theme}-{language}.png")
        stage.leave(page)


def _take_whole(page: Page, path: Path) -> None:
    """Take the whole page; on narrow screens with the bar at the foot of the picture."""
    settle(page, busy=True)
    width = (page.viewport_size or {"width": WIDE})["width"]
    if width < WIDE:
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": height})
    page.screenshot(path=path, full_page=width == WIDE)


def _take_for_readme(stage: Stage, view: View, folder: Path) -> None:
    if view.name not in README:
        return
    width, height, theme = README[view.name]
    page = stage.show(view, "de")
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=theme)
    settle(page)
    page.screenshot(path=folder / f"{view.name}.png")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
