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

SIZES = ((1280, 900), (768, 1024), (320, 640), (320, 256))  # the last is 1280 by 1024 at 400 %
LOW = ((1280, 600), (320, 480))
ALL = [pytest.param((view, language), id=f"{view.name}-{language}") for language in LOCALES for view in VIEWS]
GERMAN = [shown for shown in ALL if str(shown.id).endswith("-de")]  # the longer words
in_both_languages = pytest.mark.parametrize("page", ALL, indirect=True, scope="module")
in_german = pytest.mark.parametrize("page", GERMAN, indirect=True, scope="module")


@pytest.fixture(scope="module")
def stage(chromium: Browser, running: Running) -> Iterator[Stage]:
    stage = Stage(chromium, running)
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def page(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Page]:
    """One view, for all the rules."""
    view, language = request.param
    page = stage.show(view, language)
    yield page
    stage.leave(page)
    assert stage.complaints.unexpected() == []


@pytest.fixture(autouse=True)
def put_back(page: Page) -> Iterator[None]:
    yield
    resize(page, SIZES[0])
    page.emulate_media(color_scheme="light", reduced_motion="no-preference", forced_colors="none")


def resize(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    # What watches its own width draws itself anew after the frame in which that has changed.
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def judge(found: dict[str, list[str]]) -> None:
    lines = [f"! {where}: {line}" for where, lines in found.items() for line in lines]
    assert not lines, "\n".join(lines)


@in_both_languages
def test_axe_finds_nothing_in_either_theme(page: Page) -> None:
    found = {}
    for theme, size in zip((*THEMES, THEMES[0]), (SIZES[0], SIZES[0], SIZES[2]), strict=True):
        resize(page, size)
        page.emulate_media(color_scheme=theme)
        settle(page, busy=True)
        found[f"{size[0]} {theme}"] = axe(page)
    judge(found)


@in_both_languages
def test_it_has_a_title_one_heading_landmarks_and_a_language(page: Page, stage: Stage) -> None:
    language = page.evaluate("document.documentElement.lang")
    assert language == page.evaluate("navigator.language.slice(0, 2)")
    assert page.locator("h1").text_content()
    assert page.title() not in {"", "lexgate"}
    judge({"frame": measure(page, "frame"), "console": stage.complaints.unexpected()})


@in_both_languages
def test_nobody_scrolls_sideways_and_nothing_is_cut_off(page: Page) -> None:
    found = {}
    for size in SIZES:
        resize(page, size)
        for rule in ("wide", "crowded", "small", "spaced"):
            found[f"{rule} {size}"] = measure(page, rule)
    judge(found)


@in_german
def test_the_tabulator_reaches_all_and_the_focus_is_always_seen(page: Page) -> None:
    found = {}
    for size in LOW:
        resize(page, size)
        reached = stops(page)
        assert reached
        found[str(size[0])] = [
            f"{stop['name']}: {problem}" for stop in reached for problem in stop["problems"]
        ]
    judge(found)


@in_german
def test_it_is_for_those_who_want_no_motion_or_colours_of_their_own(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    found = {"motion": measure(page, "moving")}
    page.emulate_media(reduced_motion="no-preference", forced_colors="active")
    judge({**found, "colours": measure(page, "unedged")})
