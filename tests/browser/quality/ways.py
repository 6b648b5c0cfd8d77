"""The ways to the views: what a person does to see each, and what has gone wrong there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import FilePayload, Page, Route, expect

from tests.browser.books import Books
from tests.browser.conftest import sign_in
from tests.browser.invoices import choose_contact, fill_item, write_invoice

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.running import Running

    Show = Callable[[Page, Running], None]


def at(path: str, ready: str) -> Show:
    """Show what is at a path; it is there when the test id is."""

    def show(page: Page, _: Running) -> None:
        page.goto(path)
        expect(page.get_by_test_id(ready).first).to_be_visible()

    return show


def a_voucher(kind: str, status: str, ready: str = "voucher-total") -> Show:
    """Show the newest voucher of a kind and status of the person's organization."""

    def show(page: Page, running: Running) -> None:
        (books,) = (
            books for books in running.sandbox.books.values() if books.organization.key == "nordlicht"
        )
        found = [v for v in books.vouchers.values() if (v.kind, v.status) == (kind, status)]
        voucher = max(found, key=lambda v: (v.date, v.number or ""))
        at(f"/vouchers/{voucher.kind}/{voucher.id}", ready)(page, running)

    return show


def a_contact(page: Page, running: Running) -> None:
    (books,) = (books for books in running.sandbox.books.values() if books.organization.key == "nordlicht")
    contact = next(c for c in books.contacts.values() if {"customer", "vendor"} == set(c["roles"]))
    page.goto(f"/contacts/{contact['id']}")
    expect(page.get_by_role("heading", level=1, name=contact["company"]["name"])).to_be_visible()


def forced(page: Page, pattern: str, status: int, answer: dict[str, str]) -> None:
    """Let calls be answered so, whatever is true."""
    page.route(re.compile(pattern), lambda route: route.fulfill(status=status, json=answer))


def signed_out(page: Page, _: Running) -> None:
    page.goto("/")
    expect(page.get_by_role("button", name="lexoffice")).to_be_visible()


def lexoffice_down(page: Page, _: Running) -> None:
    forced(page, "/api/v1/contacts", 500, {"message": "Internal Server Error"})
    page.goto("/contacts")
    expect(page.get_by_test_id("error")).to_be_visible()


def waiting(page: Page, _: Running) -> None:
    page.route(re.compile("voucherStatus=paid"), lambda _: None)
    page.goto("/")
    expect(page.get_by_test_id("total-open")).to_contain_text("€")
    expect(page.get_by_test_id("notice")).not_to_be_empty()


def gateway_down(page: Page, _: Running) -> None:
    page.add_init_script("delete window.SharedWorker; delete window.Worker")  # whose calls are out of reach
    forced(page, "/auth/session$", 503, {"code": "store_unavailable", "title": "Sessions cannot be read"})
    page.goto("/")
    expect(page.get_by_test_id("unreachable")).to_be_visible()


def near_the_end(page: Page, running: Running) -> None:
    at("/vouchers?status=open", "vouchers")(page, running)
    page.evaluate(
        "import('/app/notices.js').then(({ showEnding }) => showEnding({ inSeconds: 55, reason: 'idle' }))"
    )
    expect(page.get_by_test_id("ending")).to_be_visible()


def session_ended(page: Page, running: Running) -> None:
    at("/vouchers?status=open", "vouchers")(page, running)
    running.clock.advance(1801)
    page.locator("nav a[href='/contacts']").first.evaluate("(link) => link.click()")
    expect(page.get_by_test_id("session-ended")).to_be_visible()


def denied(page: Page, _: Running) -> None:
    page.goto("/contacts")
    page.get_by_role("button", name="lexoffice").click()
    page.get_by_test_id("user-anna").click()
    page.get_by_test_id("deny").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def menu_open(page: Page, running: Running) -> None:
    at("/vouchers", "vouchers")(page, running)
    page.get_by_test_id("user").click()
    expect(page.get_by_test_id("menu")).to_be_visible()


def several_sessions(page: Page, running: Running) -> None:
    browser = page.context.browser
    assert browser
    elsewhere = browser.new_context(base_url=running.public_url)
    sign_in(elsewhere.new_page(), path="/nowhere")
    elsewhere.close()
    at("/sessions", "sessions")(page, running)
    expect(page.get_by_test_id("end-others")).to_be_visible()


def everything_is_to_end(page: Page, running: Running) -> None:
    several_sessions(page, running)
    page.get_by_test_id("everywhere").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def receipts_of_a_booking(page: Page, running: Running) -> None:
    a_voucher("purchaseinvoice", "open")(page, running)
    page.get_by_test_id("add-receipt").click()
    expect(page.get_by_test_id("booking")).to_have_text(re.compile(r"\S \S+$"))
    page.route("**/files", lambda route: route.fulfill(status=202, json={"id": "one"}))
    page.get_by_test_id("receipt-files").set_input_files(
        [FilePayload(name="Tankquittung.pdf", mimeType="", buffer=b"%PDF-1.4\n%%EOF\n")]
    )
    expect(page.locator("[data-testid=receipt][data-state=done]")).to_have_count(1)
    expect(page.locator(".toast")).to_have_count(0)


def receipts_with_files(page: Page, running: Running) -> None:
    at("/receipts", "drop")(page, running)
    page.route("**/api/v1/files", answer_by_name)
    files: list[tuple[str, bytes]] = [
        ("Tankquittung 12. November.pdf", b"%PDF-1.4\n%%EOF\n"),
        (
            "Bewirtung-im-Restaurant-Zur-Alten-Werft-mit-einem-sehr-langen-Namen-2026-11-23.pdf",
            b"%PDF-1.4\n%down\n%%EOF\n",
        ),
        ("Kassenbuch.xlsx", b"PK"),
        ("Handbuch.pdf", b"%PDF-1.4\n" + bytes(5 * 1024 * 1024)),
    ]
    page.get_by_test_id("receipt-files").set_input_files(
        [FilePayload(name=name, mimeType="", buffer=content) for name, content in files]
    )
    expect(page.get_by_test_id("receipt")).to_have_count(4)
    expect(page.locator("[data-state=done]")).to_have_count(1)
    expect(page.locator("[data-state=failed]")).to_have_count(1)


def answer_by_name(route: Route) -> None:
    """Take a receipt, or not: that which tells so."""
    if b"%down" in (route.request.post_data_buffer or b""):
        route.fulfill(status=500, json={"message": "Internal Server Error"})
    else:
        route.fulfill(status=202, json={"id": "00000000-0000-0000-0000-000000000000"})


def invoice_written(page: Page, running: Running) -> None:
    at("/invoices/new", "item")(page, running)
    choose_contact(page)
    half = {"de": "2,5", "en": "2.5"}[page.evaluate("document.documentElement.lang")]
    fill_item(page, name="Beratung vor Ort", quantity=half, unit="Stunde", price="95", discount="10")
    page.get_by_test_id("add-item").click()
    fill_item(
        page,
        1,
        name="Stehleuchte \u201eMole\u201c mit Dimmer, Messing gebürstet",
        quantity="3",
        price="1419",
        rate="7",
    )
    expect(page.get_by_test_id("sums")).to_contain_text("7")
    expect(page.get_by_test_id("saved")).not_to_be_empty()


def invoice_with_problems(page: Page, running: Running) -> None:
    at("/invoices/new", "item")(page, running)
    fill_item(page, quantity="viele", price="1,2,3")
    page.get_by_test_id("send-final").click()
    expect(page.get_by_test_id("problems")).to_be_visible()


def invoice_to_be_finished(page: Page, running: Running) -> None:
    invoice_written(page, running)
    page.get_by_test_id("send-final").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def invoice_in_doubt(page: Page, running: Running) -> None:
    page.route("**/api/v1/invoices*", lambda route: route.abort())
    at("/invoices/new", "item")(page, running)
    write_invoice(page)
    page.get_by_test_id("send-draft").click()
    expect(page.get_by_test_id("doubt")).to_be_visible()


def invoice_begun(page: Page, running: Running) -> None:
    invoice_written(page, running)
    page.goto("/nowhere")
    page.evaluate("sessionStorage.clear()")  # as in another tab
    at("/invoices/new", "offers")(page, running)


def pdf_shown(page: Page, running: Running) -> None:
    a_voucher("invoice", "open")(page, running)
    page.get_by_test_id("pdf-preview").click()
    expect(page.get_by_test_id("preview").locator("iframe")).to_be_visible()


def table_of_the_year(page: Page, running: Running) -> None:
    at("/", "chart")(page, running)
    page.locator("details summary").first.click()


def filter_to_be_saved(page: Page, running: Running) -> None:
    at("/vouchers?type=invoice&status=overdue", "vouchers")(page, running)
    page.get_by_test_id("filter-save").click()


def something_new(page: Page, running: Running) -> None:
    at("/contacts", "contacts")(page, running)
    expect(page.get_by_test_id("live")).to_have_text(re.compile("appear here|erscheinen hier"))
    expect(page.get_by_test_id("news")).to_be_visible()  # who tells is loaded late
    Books(running).change("add_random_invoice")
    expect(page.get_by_test_id("toast").first).to_be_visible()


def list_of_news(page: Page, running: Running) -> None:
    something_new(page, running)
    page.get_by_test_id("news").click()
    expect(page.get_by_test_id("news-list")).to_be_visible()


def offline(page: Page, running: Running) -> None:
    at("/contacts", "contacts")(page, running)
    page.context.set_offline(True)
    expect(page.get_by_test_id("reach")).not_to_be_empty()
