"""An invoice as a person writes it in the app, and what the sandbox got of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from gateway.sandbox.books.voucher import Voucher
    from tests.support.running import Running

PATH = "/invoices/new"
CREATE = "POST /v1/invoices"
FAULT = {"method": "POST", "path": "/v1/invoices"}


def offered(page: Page) -> Locator:
    """Return what a combobox offers; a select has options too."""
    return page.locator("[role=listbox] [role=option]:visible")


def choose_contact(page: Page, text: str = "Alsterblick", name: str = "Hotel Alsterblick GmbH") -> None:
    page.locator("#contact").fill(text)
    offered(page).filter(has_text=name).click()
    expect(page.locator("#contact")).to_have_value(name)


def item(page: Page, place: int = 0) -> Locator:
    return page.get_by_test_id("item").nth(place)


def box(page: Page, name: str, place: int = 0) -> Locator:
    """Return the control `name` of one line: name, description, quantity, unit, price, rate or discount."""
    return item(page, place).locator(f"[id$='-{name}']")


def fill_item(page: Page, place: int = 0, **values: str) -> None:
    for name, value in values.items():
        control = box(page, name, place)
        if name == "rate":
            control.select_option(value)
        else:
            control.fill(value)


def write_invoice(page: Page, *, name: str = "Beratung", price: str = "100") -> None:
    """Write an invoice without problems; of 119 euros, if nothing else is said."""
    choose_contact(page)
    fill_item(page, name=name, price=price)


def kept(page: Page) -> list[dict[str, Any]]:
    """Return the drafts that the browser keeps."""
    drafts: list[dict[str, Any]] = page.evaluate(
        """Object.entries(localStorage).filter(([key]) => key.startsWith('lexgate.invoice-draft.'))
             .map(([key, text]) => ({ key, ...JSON.parse(text) }))"""
    )
    return drafts


def made(running: Running, name: str, organization: str = "nordlicht") -> list[Voucher]:
    """Return the invoices in the books that have a line of this name."""
    (books,) = (books for books in running.sandbox.books.values() if books.organization.key == organization)
    return [
        voucher
        for voucher in books.vouchers.values()
        if voucher.kind == "invoice" and any(line.name == name for line in voucher.lines)
    ]


def creates(running: Running) -> int:
    """Return how often the sandbox was asked to make an invoice."""
    return running.sandbox.counters.api_calls[CREATE]


def sign_in_again(page: Page, *, user: str | None = None) -> None:
    """Sign in on the authorization server's page, which knows who was here; `user` is somebody else."""
    if user:
        page.get_by_test_id("choose").click()
        page.get_by_test_id(f"user-{user}").click()
    page.get_by_test_id("allow").click()
