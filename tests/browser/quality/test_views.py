"""Every view in both languages and both themes: what WCAG 2.2 AA asks of it, and a little more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.quality.rules import axe, measure, stops
from tests.browser.quality.stage import LOCALES, THEMES, Stage, settle
from tests.browser.quality.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.support.running import Running

WIDE, NARROW = (1280, 900), (320, 640)
ZOOMED = (320, 256)  # 1280 by 1024 at 400 %
SHOWN = [
    pytest.param((view, language), id=f"{view.name}-{language}") for language in LOCALES for view in VIEWS
]


@pytest.fixture(scope="module")
def stage(chromium: Browser, running: Running) -> Iterator[Stage]:
    stage = Stage(chromium, running)
    yield stage
    stage.close()


@pytest.fixture(scope="module", params=SHOWN)
def page(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Page]:
    """One view, for all the rules."""
    view, language = request.param
    page = stage.show(view, language)
    yield page
    stage.leave(page)
    assert stage.complaints.unexpected() == []


@pytest.fixture
def size(page: Page) -> Iterator[Page]:
    yield page
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.emulate_media(color_scheme="light", reduced_motion="no-preference", forced_colors="none")


def judge(found: list[str], where: str = "") -> None:
    assert not found, "\n".join(f"! {where} {line}" for line in found)


def resize(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("width", [WIDE, NARROW], ids=["1280", "320"])
def test_axe_finds_nothing_in_either_theme(page: Page, width: tuple[int, int]) -> None:
    resize(page, width)
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        settle(page, busy=True)
        judge(axe(page), theme)


def test_it_has_a_title_one_heading_landmarks_and_a_language(page: Page, stage: Stage) -> None:
    language = page.evaluate("document.documentElement.lang")
    assert language == page.evaluate("navigator.language.slice(0, 2)")
    heading = page.locator("h1").text_content()
    assert heading
    assert page.title() not in {"", "lexgate"}
    judge(measure(page, "frame"))
    assert stage.complaints.unexpected() == []


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("size_", [WIDE, (768, 1024), NARROW, ZOOMED], ids=["1280", "768", "320", "zoomed"])
def test_nobody_scrolls_sideways_and_nothing_is_cut_off(page: Page, size_: tuple[int, int]) -> None:
    resize(page, size_)
    for rule in ("wide", "crowded", "small", "spaced"):
        judge(measure(page, rule), f"{rule} {size_[0]}")


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("size_", [(1280, 600), (320, 480)], ids=["1280", "320"])
def test_the_tabulator_reaches_all_and_the_focus_is_always_seen(page: Page, size_: tuple[int, int]) -> None:
    resize(page, size_)
    reached = stops(page)
    assert reached
    judge([f"{stop['name']}: {problem}" for stop in reached for problem in stop["problems"]], str(size_[0]))


@pytest.mark.usefixtures("size")
def test_nothing_moves_for_whoever_wants_that(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    judge(measure(page, "moving"))


@pytest.mark.usefixtures("size")
def test_it_can_be_used_in_colours_of_ones_own(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    judge(measure(page, "unedged"))
