"""A sign-in in a window of its own leaves the page as it is, and where there is none, one can go on."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import PATIENCE_MS
from tests.browser.keeper.stage import MODES, consent, streams, told, until, wait_told
from tests.support.chromium import ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from tests.browser.keeper.stage import Tabs
    from tests.support.running import Running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start a browser as people have it: it blocks windows that nobody clicked for."""
    path = shutil.which("chromium")
    assert path, "Chromium is missing: `make test` installs it, or `apt-get install chromium`"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(ARGUMENTS), ignore_default_args=["--disable-popup-blocking"]
        )
        yield browser
        browser.close()


def open_window(page: Page) -> Page:
    with page.expect_popup() as popup:
        page.click("#popup")
    return popup.value


def test_who_signs_in_in_a_window_of_its_own_is_signed_in_on_the_page_as_it_was(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    tabs = new_tabs(mode)
    page, other = tabs.open(), tabs.open()
    page.evaluate("window.same = true")
    window = open_window(page)
    with window.expect_event("close"):
        consent(window)
    session = wait_told(page, "login")
    assert (session["active"], session["claims"]["name"]) == (True, "Anna Petersen")
    assert page.evaluate("window.same") is True
    for tab in (page, other):
        wait_told(tab, "session", where=lambda session: session["active"])
        wait_told(tab, "live", where=lambda is_live: is_live is True)
    assert streams(running) == 1


def test_a_window_that_the_person_closes_can_be_had_again(new_tabs: Callable[..., Tabs]) -> None:
    page = new_tabs().open()
    open_window(page).close()
    assert told(page, "login") == []
    window = open_window(page)
    with window.expect_event("close"):
        consent(window)
    wait_told(page, "login")
    assert told(page, "login-failed") == []


def test_a_sign_in_that_fails_goes_on_in_its_window(new_tabs: Callable[..., Tabs]) -> None:
    page = new_tabs().open()
    window = open_window(page)
    window.get_by_test_id("user-anna").click()
    window.get_by_test_id("deny").click()
    expect(window.get_by_role("heading")).to_have_text("Sign-in cancelled")
    expect(window.get_by_text("close this window")).to_be_visible()
    assert told(page, "login") == []
    window.get_by_role("link", name="Sign in again").click()
    with window.expect_event("close"):
        consent(window)
    assert wait_told(page, "login")["active"] is True


def test_where_the_browser_blocks_the_window_the_page_itself_is_left(new_tabs: Callable[..., Tabs]) -> None:
    page = new_tabs().context.new_page()
    page.goto("/?by-itself")  # nobody has clicked
    expect(page.get_by_test_id("user-anna")).to_be_visible()
    assert len(page.context.pages) == 1
    consent(page)
    page.wait_for_url(re.compile(r"/\?by-itself$"))


def test_a_page_that_no_script_may_close_says_what_to_do(new_tabs: Callable[..., Tabs]) -> None:
    tabs = new_tabs()
    waiting = tabs.open()
    page = tabs.context.new_page()
    page.goto("/auth/login?return_to=/auth/signed-in")
    consent(page)
    expect(page.get_by_role("heading")).to_have_text("You are signed in")
    expect(page.get_by_text("you can close it")).to_be_visible()
    wait_told(waiting, "session", where=lambda session: session["active"])
    page.get_by_role("link", name="To the app").click()
    assert wait_told(page, "ready")["active"] is True


@pytest.mark.parametrize("mode", MODES)
def test_without_the_channel_between_tabs_a_tab_that_is_looked_at_again_asks(
    new_tabs: Callable[..., Tabs], mode: str
) -> None:
    """As an app on a sibling origin, which the page of the gateway's cannot tell."""
    page = new_tabs(mode).open()
    window = open_window(page)
    window.add_init_script("delete globalThis.BroadcastChannel;")
    window.route("**/auth/signed-in.js", lambda route: route.abort())
    consent(window)
    expect(window.get_by_role("heading")).to_have_text("You are signed in")
    window.close()
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('focus'))")  # without a screen no window has it
    assert wait_told(page, "login")["active"] is True
    until(page, lambda: told(page, "session")[-1]["active"], what="the session")
