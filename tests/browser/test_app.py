"""The SPA in a real Chromium, signed in through the sandbox's own pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints, axe_violations, look, settle, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.running import Running

SESSION = "__Host-Http-lexgate"
VIEWS = ("/", "/vouchers", "/contacts")


def test_a_person_signs_in_reads_a_voucher_with_its_pdf_and_signs_out(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page()
    sign_in(page, path="/vouchers?type=invoice")
    expect(page).to_have_url(re.compile(r"/vouchers\?type=invoice$"))
    expect(page.get_by_test_id("company")).to_have_text("Nordlicht Leuchten GmbH")
    rows = page.get_by_test_id("vouchers").get_by_role("row")
    expect(rows.nth(1)).to_be_visible()

    page.get_by_test_id("vouchers").get_by_role("link", name=re.compile("^RE")).first.click()
    expect(page.get_by_test_id("voucher-total")).to_contain_text("€")
    with page.context.expect_event("response", lambda answer: answer.url.endswith("/file")) as opened:
        page.get_by_test_id("pdf-open").click()
    assert opened.value.status == 200, "the navigation of the new tab carries the Strict cookie"
    assert opened.value.headers["content-type"] == "application/pdf"
    assert page.request.get(opened.value.url).body().startswith(b"%PDF-")
    with page.expect_download() as download:
        page.get_by_test_id("pdf-download").click()
    assert download.value.suggested_filename.endswith(".pdf")

    page.get_by_test_id("user").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in with lexoffice")).to_be_visible()
    assert [cookie["name"] for cookie in page.context.cookies(running.public_url)] == []


def test_the_browser_holds_one_cookie_that_no_script_can_read(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page()
    sign_in(page)
    (cookie,) = page.context.cookies(running.public_url)
    assert cookie["name"] == SESSION
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Strict")
    assert page.evaluate("document.cookie") == ""
    page.evaluate(f"document.cookie = '{SESSION}=planted; Secure; Path=/'")
    assert page.evaluate("fetch('/auth/session').then(r => r.json()).then(s => s.active)") is True
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert cookie["value"] not in kept
    for token in running.sandbox.grants.issued:
        assert token not in kept


def test_a_session_that_ends_in_the_middle_is_told_and_signing_in_leads_back(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected.append("401")
    page = new_page()
    sign_in(page, path="/contacts")
    expect(page.get_by_test_id("contacts")).to_be_visible()
    running.clock.advance(1801)
    dialog = page.get_by_test_id("session-ended")
    expect(dialog).to_be_visible()
    look(page, "session-ended")
    assert axe_violations(page) == []
    dialog.get_by_test_id("sign-in-here").click()
    page.get_by_test_id("allow").click()
    expect(page).to_have_url(re.compile(r"/contacts$"))
    expect(page.get_by_test_id("contacts")).to_be_visible()


def test_two_tabs_can_sign_in_at_once(new_page: Callable[..., Page]) -> None:
    first = new_page()
    second = first.context.new_page()
    for page, path in ((first, "/contacts"), (second, "/vouchers")):
        page.goto(path)
        page.get_by_role("button", name="lexoffice").click()
        expect(page.get_by_test_id("user-anna")).to_be_visible()
    for page in (first, second):
        page.get_by_test_id("user-anna").click()
        page.get_by_test_id("allow").click()
        expect(page.get_by_test_id("user")).to_be_visible()
    assert first.url.endswith("/contacts")


@pytest.mark.parametrize("_", range(4))
def test_who_signs_in_beside_a_signed_out_tab_sees_the_app(new_page: Callable[..., Page], _: int) -> None:
    page = new_page()
    page.goto("/")
    expect(page.get_by_role("button", name="lexoffice")).to_be_visible()
    settle(page)
    beside = page.context.new_page()
    sign_in(beside)
    expect(page.get_by_test_id("user")).to_be_visible()


def test_who_denies_gets_a_page_that_leads_on(new_page: Callable[..., Page], complaints: Complaints) -> None:
    complaints.expected.append("403")
    page = new_page(locale="de-DE")
    page.goto("/contacts")
    page.get_by_role("button", name="lexoffice").click()
    page.get_by_test_id("user-anna").click()
    page.get_by_test_id("deny").click()
    expect(page.get_by_role("heading")).to_have_text("Anmeldung abgebrochen")
    look(page, "denied")
    assert axe_violations(page) == []
    page.get_by_role("link", name="Neu anmelden").click()
    page.get_by_test_id("allow").click()
    expect(page).to_have_url(re.compile(r"/contacts$"))


def test_an_outage_is_not_taken_for_a_sign_out(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected.extend(["500", "502", "503"])
    page = new_page()
    sign_in(page, path="/nowhere")  # a view without calls: its error would be taken for the other's
    running.sandbox.faults.inject("api_500")
    page.get_by_role("link", name="Contacts").first.click()
    expect(page.get_by_role("heading", name="Contacts", exact=True)).to_be_visible()
    expect(page.get_by_test_id("error")).to_be_visible()
    look(page, "error")
    assert axe_violations(page) == []
    running.sandbox.faults.clear()
    page.get_by_test_id("error").get_by_role("button").click()
    expect(page.get_by_test_id("contacts")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["de-DE", "en-GB"])
def test_every_view_is_accessible_and_fits(new_page: Callable[..., Page], scheme: str, locale: str) -> None:
    page = new_page(color_scheme=scheme, locale=locale)
    page.goto("/")
    expect(page.get_by_role("button", name="lexoffice")).to_be_visible()
    look(page, f"signed-out-{scheme}-{locale}")
    assert axe_violations(page) == []
    sign_in(page)
    for path in VIEWS:
        page.goto(path)
        expect(
            page.get_by_test_id({"/": "total-open", "/vouchers": "vouchers", "/contacts": "contacts"}[path])
        ).to_be_visible()
        settle(page)
        _judge_view(page, f"{path.strip('/') or 'overview'}-{scheme}-{locale}")
    page.goto("/vouchers?type=invoice")
    page.get_by_test_id("vouchers").get_by_role("link").first.click()
    expect(page.get_by_test_id("voucher-total")).to_be_visible()
    _judge_view(page, f"voucher-{scheme}-{locale}")


def _judge_view(page: Page, name: str) -> None:
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (
            f"{name} scrolls sideways at {width}"
        )
        look(page, f"{name}-{width}")
        assert axe_violations(page) == [], f"{name} at {width}"
    page.set_viewport_size({"width": 1280, "height": 900})


def test_the_keyboard_is_enough(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto("/")
    expect(page.get_by_role("button", name="lexoffice")).to_be_visible()
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.textContent").startswith("Sign in with lexoffice"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("user-anna")).to_be_visible()
    page.get_by_test_id("user-anna").focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("allow").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("user")).to_be_visible()
