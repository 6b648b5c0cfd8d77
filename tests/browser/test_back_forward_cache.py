"""A page that the browser kept when it was left: nothing of it is seen before it is known whose it is."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import sign_in
from tests.browser.test_sessions_page import STORE_AWAY
from tests.support.chromium import ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.browser.conftest import Complaints

ELSEWHERE = "/favicon.svg"
"""A document without scripts, of the same origin."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Run Chromium with the back/forward cache that Playwright takes away."""
    path = shutil.which("chromium")
    assert path, "Chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=path,
            args=[*ARGUMENTS, "--enable-features=BackForwardCache"],
            ignore_default_args=["--disable-back-forward-cache"],
        )


@pytest.fixture
def contacts(new_page: Callable[..., Page], complaints: Complaints) -> Page:
    """Open the contacts, scrolled, with the focus in the search."""
    complaints.expected += ["404", "401"]  # the icon of what is left to; calls of a session that ended
    page = new_page()
    sign_in(page, path="/contacts")
    expect(page.locator("main a[href^='/contacts/']").first).to_be_visible()
    page.get_by_role("searchbox").focus()
    page.evaluate("scrollTo(0, 150)")
    page.evaluate("window.mine = true")
    return page


HELD = """() => {
  const real = globalThis.fetch;
  window.held = [];
  globalThis.fetch = (request, options) => new Promise((resolve) => {
    const go = () => resolve(real(request, options));
    if (request.url.endsWith("/auth/session")) window.held.push(go);
    else go();
  });
  window.letGo = () => {
    globalThis.fetch = real;
    window.held.forEach((go) => go());
  };
}"""


AWAY = """(problem) => {
  const real = globalThis.fetch;
  const headers = { "Content-Type": "application/problem+json" };
  globalThis.fetch = async (request, options) => request.url.endsWith("/auth/session")
    ? new Response(problem, { status: 503, headers })
    : real(request, options);
  window.comeBack = () => { globalThis.fetch = real; };
}"""


ANSWERED_BEFORE = """async () => {
  const { session } = await import("/auth/client.js");
  await session(); // whatever is on its way already
  const real = globalThis.fetch;
  globalThis.fetch = async (request, init) => {
    const answer = await real(request, init);
    if (!request.url.endsWith("/auth/session")) return answer;
    globalThis.fetch = real;
    window.answered = true;
    await new Promise((resolve) => addEventListener("pageshow", () => setTimeout(resolve), { once: true }));
    return answer;
  };
  const note = () => window.seen ||= !document.body.className.includes("veiled")
    && document.querySelector("[data-testid=contacts]") !== null;
  const options = { attributeFilter: ["class"] };
  addEventListener("pageshow", () => new MutationObserver(note).observe(document.body, options));
  window.seen = false;
  session();
}"""
"""What is on its way when the page is left reaches it only when it is shown again."""


def hold(page: Page) -> None:
    """Let no request for the session out: what Playwright routes is not routed in a page that comes back."""
    page.evaluate(HELD)


def leave(page: Page) -> None:
    page.goto(ELSEWHERE)


def come_back(page: Page) -> None:
    """Go back in the browser's history; that nothing was loaded anew is part of what is tested."""
    page.evaluate("void setTimeout(() => history.back(), 0)")
    page.wait_for_url("**/contacts", wait_until="commit")
    assert page.evaluate("window.mine") is True, "the page came from the back/forward cache"


def seen(page: Page) -> bool:
    return bool(page.evaluate("getComputedStyle(document.querySelector('main')).visibility === 'visible'"))


def test_nothing_is_seen_until_the_session_has_answered_and_then_all_is_where_it_was(contacts: Page) -> None:
    page, top = contacts, contacts.evaluate("scrollY")
    assert top > 0
    hold(page)
    leave(page)
    come_back(page)
    page.wait_for_function("window.held.length > 0")
    assert not seen(page)
    assert page.evaluate("document.activeElement.localName") == "body"
    expect(page.get_by_test_id("veil").get_by_role("status")).to_be_visible()
    page.evaluate("letGo()")
    expect(page.get_by_test_id("contacts")).to_be_visible()
    expect(page.get_by_test_id("veil")).not_to_be_attached()
    expect(page.get_by_role("searchbox")).to_be_focused()
    assert page.evaluate("scrollY") == top


def test_of_a_session_that_was_ended_elsewhere_nothing_is_seen_again(contacts: Page) -> None:
    page = contacts
    hold(page)
    leave(page)
    page.context.clear_cookies()  # signed out, and no channel has told of it
    come_back(page)
    page.wait_for_function("window.held.length > 0")
    assert not seen(page)
    page.evaluate("letGo()")
    expect(page.get_by_role("button", name="lexoffice")).to_be_visible()
    expect(page.get_by_test_id("contacts")).not_to_be_attached()
    assert page.evaluate("document.activeElement.localName") == "h1"


def test_an_answer_from_before_the_page_was_left_lets_nothing_be_seen(contacts: Page) -> None:
    page = contacts
    page.evaluate(ANSWERED_BEFORE)
    page.wait_for_function("window.answered")
    leave(page)
    page.context.clear_cookies()
    come_back(page)
    expect(page.get_by_role("button", name="lexoffice")).to_be_visible()
    assert page.evaluate("window.seen") is False


def test_while_the_gateway_cannot_say_whose_it_is_nothing_is_seen_and_it_is_asked_again(
    contacts: Page, complaints: Complaints
) -> None:
    complaints.expected.append("503")
    page = contacts
    page.evaluate(AWAY, STORE_AWAY["body"])
    leave(page)
    come_back(page)
    again = page.get_by_test_id("veil").get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    assert not seen(page)
    page.evaluate("comeBack()")
    again.click()
    expect(page.get_by_test_id("contacts")).to_be_visible()
    assert page.evaluate("window.mine") is True


def test_a_sign_in_is_not_undone_by_what_the_page_before_it_knew(new_page: Callable[..., Page]) -> None:
    # That page is kept, and with it the worker that knows of no session.
    for _ in range(5):
        sign_in(new_page(), path="/contacts")


def test_a_page_that_is_loaded_anew_is_never_veiled(contacts: Page) -> None:
    page = contacts
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () => { window.veils = []; const note = () => "
        "window.veils.push(document.body.className); "
        "new MutationObserver(note).observe(document.body, { attributeFilter: ['class'] }); })"
    )
    page.reload()
    expect(page.get_by_test_id("contacts")).to_be_visible()
    assert page.evaluate("window.veils.filter((name) => name.includes('veiled'))") == []
