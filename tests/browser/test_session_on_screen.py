"""What is on the screen is true to the session: it stays for who comes back, and goes for anybody else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import imported, sign_in
from tests.browser.test_house import THEMES, look_everywhere
from tests.browser.test_live import ON, show
from tests.browser.test_sessions_page import STORE_AWAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Complaints
    from tests.support.running import Running

POST = """() => void import('/auth/client.js').then(({ fetch }) =>
  fetch('/api/v1/invoices', { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } })
    .then((answer) => { window.answer = answer.status; }, (error) => { window.answer = error.code; }))"""

OVERLAPS = """() => {
  const line = document.querySelector('.reach-line').getBoundingClientRect();
  const { top, bottom } = document.querySelector('h1').getBoundingClientRect();
  return top < line.bottom && bottom > line.top;
}"""


def run_out(page: Page, running: Running) -> None:
    """Let the session of a page end for lack of use, once the dialog is there for it."""
    expect(page.get_by_test_id("live")).to_have_text(ON)
    expect(page.get_by_test_id("news")).to_be_visible()
    running.clock.advance(1801)
    expect(page.get_by_test_id("session-ended")).to_be_visible()


def sign_in_again(page: Page, user: str = "anna") -> None:
    """Sign in in the window that the dialog opens."""
    with page.expect_popup() as opened:
        page.get_by_test_id("sign-in-again").click()
    window = opened.value
    expect(page.get_by_test_id("said")).not_to_be_empty()
    person, allow = window.get_by_test_id(f"user-{user}"), window.get_by_test_id("allow")
    expect(person.or_(allow)).to_be_visible()
    if allow.is_visible():
        window.get_by_test_id("choose").click()
    person.click()
    with window.expect_event("close"):
        allow.click()


@pytest.mark.parametrize(("scheme", "locale"), THEMES)
def test_the_page_goes_on_where_it_was_after_a_sign_in_in_a_window_of_its_own(
    new_page: Callable[..., Page], running: Running, complaints: Complaints, scheme: str, locale: str
) -> None:
    complaints.expected.append("status of 4")
    page = new_page(color_scheme=scheme, locale=locale)
    sign_in(page, path="/vouchers?type=invoice")
    search = page.get_by_role("searchbox").first
    search.fill("RE1")
    page.evaluate("window.mine = true")
    run_out(page, running)
    dialog = page.get_by_test_id("session-ended")
    page.evaluate(POST)
    for _ in range(2):
        page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('dialog, body').tagName") in {"DIALOG", "BODY"}
    sign_in_again(page)
    expect(dialog).not_to_be_attached()
    expect(page.get_by_test_id("notice")).to_contain_text(
        {"de-DE": "wieder angemeldet", "en-GB": "signed in again"}[locale]
    )
    expect(search).to_be_focused()
    assert search.input_value() == "RE1"
    assert page.evaluate("window.mine") is True
    page.wait_for_function("() => window.answer !== undefined")
    assert page.evaluate("window.answer") != "session_required", "it was sent again"


@pytest.mark.parametrize(("scheme", "locale"), THEMES)
def test_the_dialog_says_that_it_waits_for_the_window(
    new_page: Callable[..., Page], running: Running, complaints: Complaints, scheme: str, locale: str
) -> None:
    complaints.expected.append("status of 401")
    page = new_page(color_scheme=scheme, locale=locale)
    sign_in(page, path="/contacts")
    run_out(page, running)
    with page.expect_popup() as opened:
        page.get_by_test_id("sign-in-again").click()
    expect(page.get_by_test_id("said")).to_contain_text({"de-DE": "Fenster", "en-GB": "window"}[locale])
    look_everywhere(page, f"dialog-{scheme}")
    opened.value.close()
    sign_in_again(page)
    expect(page.get_by_test_id("session-ended")).not_to_be_attached()


def test_of_somebody_elses_page_nothing_stays_and_nothing_is_sent(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected.append("status of 4")
    page = new_page()
    sign_in(page, path="/contacts")
    run_out(page, running)
    with page.expect_response("**/api/v1/invoices"):
        page.evaluate(POST)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if "/api/" in request.url else None)
    sign_in_again(page, "jonas")
    expect(page.get_by_test_id("company")).to_have_text("Rebenhof Sommer e. K.")
    expect(page).to_have_url(re.compile(r"//[^/]+/$"))
    notice = page.get_by_test_id("notice")
    expect(notice).to_contain_text("nothing of it was sent")
    look_everywhere(page, "other-person")
    notice.get_by_role("button").click()
    expect(notice).to_be_empty()
    assert "POST" not in sent


def test_where_the_browser_opens_no_window_the_page_itself_signs_in(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page()
    page.add_init_script("window.open = () => null")
    sign_in(page, path="/contacts")
    run_out(page, running)
    page.get_by_test_id("sign-in-again").click()
    page.get_by_test_id("allow").click()
    expect(page.get_by_test_id("contacts")).to_be_visible()


def test_where_leaving_the_page_would_lose_something_the_person_decides(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected.append("status of 4")
    page = new_page()
    page.add_init_script("window.open = () => null")
    sign_in(page, path="/contacts")
    run_out(page, running)
    with page.expect_response("**/api/v1/invoices"):
        page.evaluate(POST)
    page.get_by_test_id("sign-in-again").click()
    expect(page.get_by_test_id("said")).to_contain_text("The browser opened no window")
    look_everywhere(page, "popup-blocked")
    page.get_by_test_id("sign-in-here").click()
    page.get_by_test_id("allow").click()
    expect(page.get_by_test_id("contacts")).to_be_visible()


def test_a_tab_without_a_session_begins_when_somebody_signs_in_in_another(
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    page.goto("/contacts")
    expect(page.get_by_role("button", name="lexoffice")).to_be_visible()
    other = page.context.new_page()
    sign_in(other)
    expect(page.get_by_test_id("contacts")).to_be_visible()


def test_a_sign_out_in_one_tab_takes_the_data_off_all_others(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path="/contacts")
    other = page.context.new_page()
    other.goto("/vouchers")
    expect(other.get_by_test_id("vouchers")).to_be_visible()
    other.get_by_test_id("user").click()
    other.get_by_role("button", name="Sign out").click()
    expect(page.get_by_test_id("signed-out-reason")).to_have_text("You are signed out.")
    expect(page.get_by_test_id("contacts")).not_to_be_attached()
    expect(page).to_have_title(re.compile("^Sign in"))


def test_offline_is_said_in_a_line_and_what_failed_comes_by_itself_afterwards(
    new_page: Callable[..., Page], complaints: Complaints
) -> None:
    complaints.expected.append("ERR_INTERNET_DISCONNECTED")
    page = new_page()
    sign_in(page, path="/vouchers")
    expect(page.get_by_test_id("vouchers")).to_be_visible()
    top = page.get_by_role("heading", level=1).bounding_box()
    page.context.set_offline(True)
    line = page.get_by_test_id("reach")
    expect(line).to_contain_text("No connection. You stay signed in.")
    assert page.get_by_role("heading", level=1).bounding_box() == top, "nothing moves for it"
    look_everywhere(page, "offline")
    page.get_by_role("link", name="Contacts").click()
    expect(page.get_by_test_id("view-error")).to_contain_text("connection")
    page.context.set_offline(False)
    expect(line).to_be_empty()
    expect(page.get_by_test_id("contacts")).to_be_visible()


@pytest.mark.parametrize(("scheme", "locale"), THEMES)
def test_an_outage_is_said_in_a_line_until_it_is_over(
    new_page: Callable[..., Page], complaints: Complaints, scheme: str, locale: str
) -> None:
    complaints.expected.append("503")
    page = new_page(color_scheme=scheme, locale=locale)
    sign_in(page, path="/vouchers")
    page.route("**/auth/session*", lambda route: route.fulfill(**STORE_AWAY))
    page.get_by_test_id("user").click()
    page.get_by_test_id("menu").get_by_role("link").click()
    expect(page.get_by_test_id("error")).to_be_visible()
    line = page.get_by_test_id("reach")
    expect(line).to_contain_text({"de-DE": "Sie bleiben angemeldet", "en-GB": "You stay signed in"}[locale])
    expect(line).to_contain_text(
        re.compile({"de-DE": r"Nächster Versuch in \d+ Sek", "en-GB": r"Next try in \d+ s"}[locale])
    )
    look_everywhere(page, f"outage-{scheme}")
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 700})
        assert not page.evaluate(OVERLAPS), f"the line lies over the heading at {width}"
    page.unroute("**/auth/session*")
    line.get_by_role("button").click()
    expect(line).to_be_empty()
    expect(page.get_by_test_id("session-current")).to_be_visible()


def test_a_tab_that_nobody_sees_tells_the_end_in_its_title(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path="/contacts")
    show(page, "hidden")
    ending = f"(next) => {imported('notices')}.then((notices) => notices.showEnding(next ?? undefined))"
    page.evaluate(ending, {"inSeconds": 50, "reason": "idle"})
    expect(page).to_have_title(re.compile(r"^Sign-out at \d"))
    expect(page.locator("#announcer")).to_contain_text(
        "You will be signed out in 50 seconds. Stay signed in?"
    )
    page.evaluate(ending, None)
    expect(page).to_have_title(re.compile("^Contacts"))
