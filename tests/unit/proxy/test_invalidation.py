"""What a write or an event touches."""

from __future__ import annotations

import pytest

from gateway.proxy.invalidation import resource_of, touch_everything, touched_by_event, touched_by_write

REFERENCE = ("profile", "countries", "payment-conditions", "posting-categories", "print-layouts")


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        (b"/api/v1/contacts", "contacts"),
        (b"/api/v1/contacts/7", "contacts"),
        (b"/api/v1/down-payment-invoices/7/file", "down-payment-invoices"),
        (b"/api/v1/Contacts", None),
        (b"/api/v1/%63ontacts", None),
        (b"/api/v1/contacts;x", None),
        (b"/api/v1/contacts/%37", None),
        (b"/api/v2/contacts", None),
        (b"/api/contacts", None),
        (b"/api/v1/", None),
        (b"/api/v1", None),
        (b"/api/v1/contacts\n", None),
    ],
)
def test_a_resource_is_known_by_its_plain_path_alone(path: bytes, resource: str | None) -> None:
    assert resource_of(path) == resource


@pytest.mark.parametrize(
    "path", [b"/api/v1/nobody-knows", b"/api/v1/%69nvoices", b"/api/v1", b"/api/v1/profile"]
)
def test_a_write_that_is_not_known_touches_everything(path: bytes) -> None:
    assert touched_by_write(path) is None


def test_a_write_touches_what_depends_on_it() -> None:
    invoices = touched_by_write(b"/api/v1/invoices/7")
    assert invoices is not None
    assert {"invoices", "voucherlist", "payments", "vouchers"} <= invoices
    assert "contacts" not in invoices
    contacts = touched_by_write(b"/api/v1/contacts/7")
    assert contacts is not None
    assert contacts == invoices | {"contacts"}
    assert touched_by_write(b"/api/v1/articles") == frozenset({"articles"})


@pytest.mark.parametrize(
    "path", [b"/api/v1/invoices", b"/api/v1/contacts", b"/api/v1/files", b"/api/v1/vouchers/7/files"]
)
def test_no_write_to_the_books_touches_reference_data(path: bytes) -> None:
    touched = touched_by_write(path)
    assert touched is not None
    assert touched.isdisjoint(REFERENCE)


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ("contact.changed", b"/api/v1/contacts"),
        ("article.deleted", b"/api/v1/articles"),
        ("invoice.status.changed", b"/api/v1/invoices"),
        ("down-payment-invoice.created", b"/api/v1/down-payment-invoices"),
        ("credit-note.created", b"/api/v1/credit-notes"),
        ("recurring-template.changed", b"/api/v1/recurring-templates"),
        ("dunning.created", b"/api/v1/dunnings"),
        ("delivery-note.changed", b"/api/v1/delivery-notes"),
        ("order-confirmation.changed", b"/api/v1/order-confirmations"),
        ("quotation.changed", b"/api/v1/quotations"),
        ("voucher.status.changed", b"/api/v1/vouchers"),
        ("payment.changed", b"/api/v1/payments"),
    ],
)
def test_an_event_touches_what_a_write_would(event: str, path: bytes) -> None:
    touched = touched_by_event(event)
    assert touched is not None
    assert touched == touched_by_write(path)


@pytest.mark.parametrize(
    "event", ["", "contact", "contact.renamed", "planet.changed", "Contact.changed", "contact.changed\n"]
)
def test_an_event_that_is_not_known_touches_everything(event: str) -> None:
    assert touched_by_event(event) is None


def test_the_end_of_a_connection_touches_no_resource() -> None:
    assert touched_by_event("token.revoked") == frozenset()


def test_elsewhere_than_at_lexoffice_every_write_touches_everything() -> None:
    assert touch_everything(b"/api/v1/articles") is None
