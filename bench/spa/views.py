"""The views that are measured, and where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


@dataclass(frozen=True, slots=True)
class View:
    """One view: its name, its path, and whether it is that of the first thing in the list there."""

    name: str
    path: str
    is_first_of_list: bool = False

    def find(self, page: Page) -> str:
        """Return its path; for a voucher or a contact the page looks into the list."""
        if not self.is_first_of_list:
            return self.path
        page.goto(self.path)
        link = page.locator(f"main a[href^='{self.path}/']").first
        link.wait_for()
        return link.get_attribute("href") or self.path


VIEWS = (
    View("overview", "/"),
    View("vouchers", "/vouchers"),
    View("voucher", "/vouchers", is_first_of_list=True),
    View("contacts", "/contacts"),
    View("contact", "/contacts", is_first_of_list=True),
    View("new invoice", "/invoices/new"),
    View("receipts", "/receipts"),
    View("sessions", "/sessions"),
)
