"""The list of vouchers, bookkeeping vouchers and payments."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.stage import Person


@pytest.fixture
def token(person: Person) -> str:
    return person.sign_in().access_token


def listed(
    person: Person, token: str, query: str = "voucherType=any&voucherStatus=any"
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = person.api("GET", f"/voucherlist?size=250&{query}", token).json()["content"]
    return rows


def test_110_vouchers_are_spread_over_two_years(person: Person, token: str) -> None:
    rows = listed(person, token)
    months = Counter(row["voucherDate"][:7] for row in rows)
    assert len(rows) == 110
    assert len(months) in {24, 25}
    assert sum(count >= 3 for count in months.values()) >= 23
    assert {row["voucherType"] for row in rows} == {
        "invoice",
        "salesinvoice",
        "creditnote",
        "purchaseinvoice",
        "purchasecreditnote",
    }
    statuses = Counter(row["voucherStatus"] for row in rows)
    assert all(statuses[name] >= 2 for name in ("draft", "open", "overdue", "paid", "paidoff", "voided"))


def test_open_amounts_follow_from_the_status(person: Person, token: str) -> None:
    for row in listed(person, token):
        if row["voucherStatus"] in {"open", "overdue"}:
            assert 0 < row["openAmount"] <= row["totalAmount"]
        else:
            assert row["openAmount"] == 0
    assert any(0 < row["openAmount"] < row["totalAmount"] for row in listed(person, token))


@pytest.mark.parametrize(
    "query", ["", "voucherType=any", "voucherStatus=any", "voucherType=&voucherStatus=any"]
)
def test_type_and_status_are_mandatory(person: Person, token: str, query: str) -> None:
    assert person.api("GET", f"/voucherlist?{query}", token).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "voucherType=letter&voucherStatus=any",
        "voucherType=any&voucherStatus=any,open",
        "voucherDateFrom=2026-1-1x",
    ],
)
def test_an_unknown_value_is_406(person: Person, token: str, query: str) -> None:
    path = (
        f"/voucherlist?voucherType=any&voucherStatus=any&{query}"
        if "From" in query
        else f"/voucherlist?{query}"
    )
    assert person.api("GET", path, token).status_code == 406


def test_asking_for_open_returns_the_overdue_too(person: Person, token: str) -> None:
    rows = listed(person, token, "voucherType=any&voucherStatus=open")
    assert {row["voucherStatus"] for row in rows} == {"open", "overdue"}
    overdue = listed(person, token, "voucherType=any&voucherStatus=overdue")
    assert {row["voucherStatus"] for row in overdue} == {"overdue"}


def test_the_list_is_filtered(person: Person, token: str) -> None:
    rows = listed(person, token)
    one = next(row for row in rows if row["voucherNumber"])
    base = "voucherType=any&voucherStatus=any"
    by_number = listed(person, token, f"{base}&voucherNumber={one['voucherNumber'].lower()}")
    assert one["id"] in [row["id"] for row in by_number]
    by_contact = listed(person, token, f"{base}&contactId={one['contactId']}")
    assert by_contact
    assert {row["contactName"] for row in by_contact} == {one["contactName"]}
    day = one["voucherDate"][:10]
    for name in ("voucherDate", "createdDate"):
        assert one["id"] in [
            row["id"] for row in listed(person, token, f"{base}&{name}From={day}&{name}To={day}")
        ]
    assert listed(person, token, f"{base}&updatedDateFrom=2099-01-01") == []
    assert listed(person, token, f"{base}&archived=true") == []
    assert len(listed(person, token, f"{base}&archived=false")) == 110
    assert {
        row["voucherType"]
        for row in listed(person, token, "voucherType=invoice,creditnote&voucherStatus=any")
    } == {
        "invoice",
        "creditnote",
    }


def test_the_list_is_sorted(person: Person, token: str) -> None:
    base = "voucherType=any&voucherStatus=any"
    newest = [row["voucherDate"] for row in listed(person, token)]
    assert newest == sorted(newest, reverse=True)
    down = [row["id"] for row in listed(person, token, f"{base}&sort=voucherNumber,DESC")]
    up = [row["id"] for row in listed(person, token, f"{base}&sort=voucherNumber,ASC")]
    assert down == up[::-1], "drafts have no number, and are turned round as well"
    numbers = [row["voucherNumber"] or "" for row in listed(person, token, f"{base}&sort=voucherNumber,ASC")]
    assert numbers == sorted(numbers, key=str.casefold)


def test_a_credit_note_names_the_invoice_before_it_to_the_same_customer(person: Person, token: str) -> None:
    notes = listed(person, token, "voucherType=creditnote&voucherStatus=any")
    assert notes
    for row in notes:
        note = person.api("GET", f"/credit-notes/{row['id']}", token).json()
        (related,) = note["relatedVouchers"]
        assert related["voucherType"] == "invoice"
        invoice = person.api("GET", f"/invoices/{related['id']}", token).json()
        assert invoice["voucherNumber"] == related["voucherNumber"]
        assert invoice["address"]["contactId"] == note["address"]["contactId"]
        assert invoice["voucherDate"] <= note["voucherDate"]
        assert row["id"] in [other["id"] for other in invoice["relatedVouchers"]]


def test_amounts_are_coherent_everywhere(person: Person, token: str) -> None:
    for row in listed(person, token, "voucherType=invoice,creditnote&voucherStatus=any"):
        path = "invoices" if row["voucherType"] == "invoice" else "credit-notes"
        invoice = person.api("GET", f"/{path}/{row['id']}", token).json()
        total = invoice["totalPrice"]
        assert total["totalGrossAmount"] == row["totalAmount"]
        assert round(total["totalNetAmount"] + total["totalTaxAmount"], 2) == total["totalGrossAmount"]
        assert (
            round(sum(line["lineItemAmount"] for line in invoice["lineItems"]), 2) == total["totalNetAmount"]
        )
        assert round(sum(tax["taxAmount"] for tax in invoice["taxAmounts"]), 2) == total["totalTaxAmount"]
        paid = person.api("GET", f"/payments/{row['id']}", token).json()
        assert paid["openAmount"] == row["openAmount"]
        assert (paid["voucherStatus"], paid["voucherType"]) == (row["voucherStatus"], row["voucherType"])


def test_payments_say_when_and_how_much(person: Person, token: str) -> None:
    (row, *_) = listed(person, token, "voucherType=invoice&voucherStatus=paid")
    paid = person.api("GET", f"/payments/{row['id']}", token).json()
    assert paid["paymentStatus"] == "balanced"
    assert paid["paidDate"] == paid["paymentItems"][-1]["postingDate"]
    assert sum(item["amount"] for item in paid["paymentItems"]) == row["totalAmount"]
    for kind, status in (("invoice", "openRevenue"), ("purchaseinvoice", "openExpense")):
        (due, *_) = listed(person, token, f"voucherType={kind}&voucherStatus=open")
        assert person.api("GET", f"/payments/{due['id']}", token).json()["paymentStatus"] == status


def test_bookkeeping_vouchers_can_be_read_and_their_file_fetched(person: Person, token: str) -> None:
    (row, *_) = listed(person, token, "voucherType=purchaseinvoice&voucherStatus=any")
    voucher = person.api("GET", f"/vouchers/{row['id']}", token).json()
    assert (voucher["totalGrossAmount"], voucher["type"]) == (row["totalAmount"], "purchaseinvoice")
    items = sum(item["amount"] + item["taxAmount"] for item in voucher["voucherItems"])
    assert round(items, 2) == voucher["totalGrossAmount"]
    assert person.api("GET", f"/files/{voucher['files'][0]}", token).content.startswith(b"%PDF-")
    found = person.api("GET", f"/vouchers?voucherNumber={row['voucherNumber']}", token).json()
    assert row["id"] in [one["id"] for one in found["content"]]
    assert person.api("GET", "/vouchers", token).status_code == 406
    assert person.api("GET", f"/invoices/{row['id']}", token).status_code == 404


def bookkeeping_voucher(person: Person, token: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    categories = person.api("GET", "/posting-categories", token).json()
    (contact, *_) = person.api("GET", "/contacts?vendor=true", token).json()["content"]
    items = [(100.0, 19.0, 19, "Strom und Gas"), (50.0, 3.5, 7, "Fachzeitschriften")]
    ids = {category["name"]: category["id"] for category in categories}
    return {
        "type": "purchaseinvoice",
        "voucherNumber": "BEL-1",
        "voucherDate": "2026-09-20T00:00:00.000+02:00",
        "dueDate": "2026-10-20T00:00:00.000+02:00",
        "totalGrossAmount": 172.5,
        "totalTaxAmount": 22.5,
        "taxType": "net",
        "useCollectiveContact": False,
        "contactId": contact["id"],
        "voucherItems": [
            {"amount": amount, "taxAmount": tax, "taxRatePercent": rate, "categoryId": ids[name]}
            for amount, tax, rate, name in items
        ],
        "version": 0,
        **changes,
    }


def test_a_bookkeeping_voucher_is_booked_and_changed(person: Person, token: str) -> None:
    wanted = bookkeeping_voucher(person, token)
    made = person.api("POST", "/vouchers", token, json=wanted)
    path = f"/vouchers/{made.json()['id']}"
    assert (made.status_code, made.headers["location"]) == (201, made.json()["resourceUri"])
    voucher = person.api("GET", path, token).json()
    assert {key: voucher[key] for key in wanted} == {**wanted, "version": 1}
    assert voucher["voucherStatus"] == "open"
    assert person.api("PUT", path, token, json=wanted).status_code == 409
    changed = {**voucher, "remark": "doppelt geprüft", "dueDate": None}
    assert person.api("PUT", path, token, json=changed).json()["version"] == 2
    after = person.api("GET", path, token).json()
    assert (after["remark"], after["dueDate"], after["createdDate"]) == (
        "doppelt geprüft",
        None,
        voucher["createdDate"],
    )
    (row,) = [row for row in listed(person, token) if row["voucherNumber"] == "BEL-1"]
    assert (row["totalAmount"], row["openAmount"]) == (172.5, 172.5)
    assert person.api("PUT", "/vouchers/unknown", token, json=wanted).status_code == 404


def test_a_voucher_that_was_there_before_can_be_changed(person: Person, token: str) -> None:
    for kind in ("salesinvoice", "purchaseinvoice", "purchasecreditnote"):
        (row, *_) = listed(person, token, f"voucherType={kind}&voucherStatus=paid,paidoff")
        path = f"/vouchers/{row['id']}"
        changed = {**person.api("GET", path, token).json(), "remark": "neu"}
        assert person.api("PUT", path, token, json=changed).status_code == 200, kind
        after = person.api("GET", path, token).json()
        assert (after["totalGrossAmount"], after["voucherStatus"]) == (
            row["totalAmount"],
            row["voucherStatus"],
        )
        assert after["files"] == changed["files"] != []


def test_a_file_is_added_to_a_voucher_and_stays_when_that_is_changed(person: Person, token: str) -> None:
    (row, *_) = listed(person, token, "voucherType=purchaseinvoice&voucherStatus=paid,paidoff")
    path = f"/vouchers/{row['id']}"
    before = person.api("GET", path, token).json()
    upload = {"file": ("bon.png", b"\x89PNG", "image/png")}
    made = person.api("POST", f"{path}/files", token, files=upload, data={"type": "voucher"})
    assert made.status_code == 202
    after = person.api("GET", path, token).json()
    assert after["files"] == [*before["files"], made.json()["id"]]
    assert after["version"] == before["version"] + 1
    assert person.api("GET", f"/files/{made.json()['id']}", token).content == b"\x89PNG"
    assert person.api("PUT", path, token, json={**after, "remark": "neu"}).status_code == 200
    assert person.api("GET", path, token).json()["files"] == after["files"]


def test_a_file_for_no_voucher_or_of_no_use_changes_nothing(person: Person, token: str) -> None:
    (row, *_) = listed(person, token, "voucherType=purchaseinvoice&voucherStatus=paid,paidoff")
    (invoice, *_) = listed(person, token, "voucherType=invoice&voucherStatus=paid")
    before = person.api("GET", f"/vouchers/{row['id']}", token).json()
    for voucher_id, name, status in (
        (row["id"], "bon.exe", 406),
        (invoice["id"], "bon.png", 404),
        ("none", "bon.png", 404),
    ):
        upload = {"file": (name, b"\x89PNG", "image/png")}
        answer = person.api(
            "POST", f"/vouchers/{voucher_id}/files", token, files=upload, data={"type": "voucher"}
        )
        assert answer.status_code == status
    assert person.api("GET", f"/vouchers/{row['id']}", token).json() == before


def test_a_voucher_of_gross_amounts_for_the_collective_contact(person: Person, token: str) -> None:
    (item, *_) = bookkeeping_voucher(person, token)["voucherItems"]
    wanted = bookkeeping_voucher(
        person,
        token,
        taxType="gross",
        voucherItems=[{**item, "amount": 119.0}],
        totalGrossAmount=119.0,
        totalTaxAmount=19.0,
        useCollectiveContact=True,
    )
    del wanted["contactId"]
    made = person.api("POST", "/vouchers", token, json=wanted).json()
    voucher = person.api("GET", f"/vouchers/{made['id']}", token).json()
    assert {key: voucher[key] for key in wanted} == {**wanted, "version": 1}


@pytest.mark.parametrize(
    ("change", "source"),
    [
        ({"type": "invoice"}, "type"),
        ({"voucherNumber": ""}, "voucherNumber"),
        ({"voucherDate": "2026-09-20"}, "voucherDate"),
        ({"dueDate": "soon"}, "dueDate"),
        ({"taxType": "none"}, "taxType"),
        ({"contactId": "unknown"}, "contactId"),
        ({"totalGrossAmount": 172.51}, "totalGrossAmount"),
        ({"totalTaxAmount": "22.5"}, "totalTaxAmount"),
        ({"voucherItems": []}, "voucherItems"),
        ({"voucherItems": ["x"]}, "voucherItems[0]"),
    ],
)
def test_an_invalid_bookkeeping_voucher_is_406(
    person: Person, token: str, change: dict[str, Any], source: str
) -> None:
    answer = person.api("POST", "/vouchers", token, json=bookkeeping_voucher(person, token, **change))
    assert answer.status_code == 406
    assert [issue["source"] for issue in answer.json()["IssueList"]] == [source]
