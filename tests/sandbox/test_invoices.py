"""Invoices: what is asked for, what becomes of it, and the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gateway.sandbox import Sandbox
    from tests.sandbox.stage import Person, Stage

LINE = {
    "type": "custom",
    "name": "Beratung",
    "quantity": 3,
    "unitName": "Stunde",
    "unitPrice": {"currency": "EUR", "netAmount": 33.33, "taxRatePercentage": 19},
}
INVOICE = {
    "voucherDate": "2026-09-21T00:00:00.000+02:00",
    "address": {
        "name": "Probe GmbH",
        "street": "Weg 1",
        "zip": "10115",
        "city": "Berlin",
        "countryCode": "DE",
    },
    "lineItems": [LINE, {"type": "text", "name": "Hinweis", "description": "ohne Preis"}],
    "totalPrice": {"currency": "EUR"},
    "taxConditions": {"taxType": "net"},
    "paymentConditions": {"paymentTermLabel": "Zahlbar in 30 Tagen", "paymentTermDuration": 30},
    "shippingConditions": {"shippingType": "service", "shippingDate": "2026-09-21T00:00:00.000+02:00"},
}
PERIOD = {
    "shippingType": "serviceperiod",
    "shippingDate": "2026-09-01T00:00:00.000+02:00",
    "shippingEndDate": "2026-09-14T00:00:00.000+02:00",
}


@pytest.fixture
def token(person: Person) -> str:
    return person.sign_in().access_token


def listed(
    person: Person, token: str, query: str = "voucherType=any&voucherStatus=any"
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = person.api("GET", f"/voucherlist?size=250&{query}", token).json()["content"]
    return rows


def test_a_draft_has_neither_number_nor_document(person: Person, token: str) -> None:
    made = person.api("POST", "/invoices", token, json=INVOICE)
    path = f"/invoices/{made.json()['id']}"
    assert (made.status_code, made.headers["location"]) == (201, made.json()["resourceUri"])
    draft = person.api("GET", path, token).json()
    assert (draft["voucherStatus"], draft["voucherNumber"], "files" in draft) == ("draft", None, False)
    assert person.api("GET", f"{path}/file", token).status_code == 409


def test_a_finalized_invoice_is_in_the_list_with_the_next_number(
    person: Person, token: str, sandbox: Sandbox, stage: Stage
) -> None:
    made = person.api("POST", "/invoices?finalize=true", token, json=INVOICE).json()
    assert made["resourceUri"] == f"{stage.base_url}/v1/invoices/{made['id']}"
    (row,) = [row for row in listed(person, token) if row["id"] == made["id"]]
    assert (row["totalAmount"], row["openAmount"], row["voucherStatus"]) == (118.99, 118.99, "open")
    assert (row["contactName"], row["contactId"]) == ("Probe GmbH", None)
    numbers = [voucher.number for books in sandbox.books.values() for voucher in books.vouchers.values()]
    assert numbers.count(row["voucherNumber"]) == 1
    invoice = person.api("GET", f"/invoices/{made['id']}", token).json()
    assert invoice["totalPrice"]["totalNetAmount"] == 99.99
    assert invoice["dueDate"] == "2026-10-21T00:00:00.000+02:00"
    assert [line["type"] for line in invoice["lineItems"]] == ["custom", "text"]


def test_an_invoice_takes_the_address_of_its_contact(person: Person, token: str) -> None:
    contact = person.api("GET", "/contacts?size=1", token).json()["content"][0]
    order = {**INVOICE, "address": {"contactId": contact["id"]}}
    made = person.api("POST", "/invoices", token, json=order).json()
    address = person.api("GET", f"/invoices/{made['id']}", token).json()["address"]
    assert address["contactId"] == contact["id"]
    assert address["city"] == contact["addresses"]["billing"][0]["city"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (PERIOD, PERIOD),
        ({"shippingType": "none"}, {"shippingType": "none", "shippingDate": None}),
    ],
)
def test_what_was_delivered_when_is_kept(
    person: Person, token: str, asked: dict[str, str], told: dict[str, str | None]
) -> None:
    made = person.api("POST", "/invoices", token, json={**INVOICE, "shippingConditions": asked}).json()
    invoice = person.api("GET", f"/invoices/{made['id']}", token).json()
    assert invoice["shippingConditions"] == told


@pytest.mark.parametrize(
    ("tax_type", "price", "expected"),
    [
        ("net", {"netAmount": 100}, (100.0, 19.0, 119.0)),
        ("net", {"grossAmount": 119}, (100.0, 19.0, 119.0)),
        ("gross", {"grossAmount": 119}, (100.0, 19.0, 119.0)),
        ("gross", {"netAmount": 100}, (100.0, 19.0, 119.0)),
        ("vatfree", {"netAmount": 100}, (100.0, 0.0, 100.0)),
    ],
)
def test_every_tax_type_adds_up(
    person: Person, token: str, tax_type: str, price: dict[str, float], expected: tuple[float, float, float]
) -> None:
    line = {**LINE, "quantity": 1, "unitPrice": {"currency": "EUR", "taxRatePercentage": 19, **price}}
    order = {**INVOICE, "lineItems": [line], "taxConditions": {"taxType": tax_type}}
    made = person.api("POST", "/invoices", token, json=order).json()
    total = person.api("GET", f"/invoices/{made['id']}", token).json()["totalPrice"]
    assert (total["totalNetAmount"], total["totalTaxAmount"], total["totalGrossAmount"]) == expected


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"voucherDate": None}, "voucherDate"),
        ({"voucherDate": "2026-09-21"}, "voucherDate"),
        ({"voucherDate": "2026-09-21T00:00:00+02:00"}, "voucherDate"),
        ({"voucherDate": "2026-09-21T00:00:00.000000+02:00"}, "voucherDate"),
        ({"voucherDate": "2026-13-21T00:00:00.000+02:00"}, "voucherDate"),
        ({"address": {"name": "x"}}, "address.countryCode"),
        ({"address": {"contactId": "nobody"}}, "address.contactId"),
        ({"address": {"contactId": []}}, "address.contactId"),
        ({"lineItems": []}, "lineItems"),
        ({"lineItems": {}}, "lineItems"),
        ({"lineItems": [5]}, "lineItems[0].type"),
        ({"lineItems": [{**LINE, "type": []}]}, "lineItems[0].type"),
        ({"lineItems": [{**LINE, "name": ""}]}, "lineItems[0].name"),
        ({"lineItems": [{**LINE, "quantity": 0}]}, "lineItems[0].quantity"),
        ({"lineItems": [LINE, {**LINE, "unitPrice": {}}]}, "lineItems[1].unitPrice.netAmount"),
        (
            {"lineItems": [{**LINE, "unitPrice": {"netAmount": 1, "taxRatePercentage": 5}}]},
            "lineItems[0].unitPrice.taxRatePercentage",
        ),
        ({"lineItems": [{**LINE, "discountPercentage": 101}]}, "lineItems[0].discountPercentage"),
        ({"totalPrice": {"currency": "USD"}}, "totalPrice.currency"),
        ({"taxConditions": {"taxType": []}}, "taxConditions.taxType"),
        ({"paymentConditions": {"paymentTermDuration": "soon"}}, "paymentConditions.paymentTermDuration"),
        ({"shippingConditions": {"shippingDate": "today"}}, "shippingConditions.shippingDate"),
        ({"shippingConditions": {"shippingType": "pigeon"}}, "shippingConditions.shippingType"),
        ({"shippingConditions": {"shippingType": []}}, "shippingConditions.shippingType"),
        ({"shippingConditions": {"shippingType": "delivery"}}, "shippingConditions.shippingDate"),
        ({"shippingConditions": {**PERIOD, "shippingEndDate": None}}, "shippingConditions.shippingEndDate"),
        (
            {"shippingConditions": {**PERIOD, "shippingEndDate": "2026-08-31T00:00:00.000+02:00"}},
            "shippingConditions.shippingEndDate",
        ),
    ],
)
def test_an_invalid_invoice_is_406(person: Person, token: str, change: dict[str, Any], field: str) -> None:
    answer = person.api("POST", "/invoices", token, json={**INVOICE, **change})
    assert answer.status_code == 406
    assert field in [detail["field"] for detail in answer.json()["details"]]


def test_the_file_is_a_pdf_download(person: Person, token: str) -> None:
    (row, *_) = listed(person, token, "voucherType=invoice&voucherStatus=paid")
    answer = person.api("GET", f"/invoices/{row['id']}/file", token, headers={"Accept": "application/pdf"})
    assert answer.headers["content-type"] == "application/pdf"
    assert row["voucherNumber"] in answer.headers["content-disposition"]
    assert answer.content.startswith(b"%PDF-1.")
    xml = person.api("GET", f"/invoices/{row['id']}/file", token, headers={"Accept": "application/xml"})
    assert xml.status_code == 406
    (note, *_) = listed(person, token, "voucherType=creditnote&voucherStatus=any")
    assert person.api("GET", f"/credit-notes/{note['id']}/file", token).content.startswith(b"%PDF-1.")
