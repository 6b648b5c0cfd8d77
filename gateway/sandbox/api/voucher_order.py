"""A bookkeeping voucher that a client books or changes: from JSON to a voucher, or to a list of issues."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from gateway.sandbox.api.articles import is_number
from gateway.sandbox.api.refusals import IssueRefusal, Violation
from gateway.sandbox.books.dates import local, parse_wire
from gateway.sandbox.books.generator import address_of, contact_name
from gateway.sandbox.books.samples import category_names
from gateway.sandbox.books.voucher import Line, TaxAmount, TaxType, Voucher

if TYPE_CHECKING:
    from gateway.sandbox.books.ledger import Books, Json

KINDS = frozenset({"salesinvoice", "salescreditnote", "purchaseinvoice", "purchasecreditnote"})
_TAX_TYPES = ("net", "gross", "vatfree")
_RATES = (0, 7, 19)
_MOST = 10**9


def voucher_of_order(body: Json, books: Books, known: Voucher | None, *, now: float) -> Voucher:
    """Return the new voucher, or `known` as it is changed.

    Raises:
        IssueRefusal: 406 with everything that is wrong, 409 for a version that is not the last.

    """
    issues = [*_issues(body, books), *_item_issues(body)]
    if issues:
        raise _refused(issues)
    if body.get("version", 0) != (known.version if known else 0):
        raise IssueRefusal(409, "conflict", (Violation("version", "invalid_value", ""),))
    moment, items, tax_type = local(now), body["voucherItems"], cast("TaxType", body["taxType"])
    contact = books.contacts.get(str(body.get("contactId")))
    return Voucher(
        id=known.id if known else str(uuid4()),
        kind=body["type"],
        status=known.status if known else "open",
        number=body["voucherNumber"],
        date=parse_wire(body["voucherDate"]) or moment,
        due=parse_wire(body.get("dueDate")),
        created=known.created if known else moment,
        updated=moment,
        contact_id=contact["id"] if contact else None,
        contact_name=contact_name(contact) if contact else "Sammelkontakt",
        address=address_of(contact) if contact else {},
        lines=tuple(_line(item) for item in items),
        tax_type=tax_type,
        payments=known.payments if known else (),
        version=known.version + 1 if known else 1,
        remark=str(body["remark"]) if body.get("remark") else None,
        file_id=known.file_id if known else None,
        receipts=known.receipts if known else (),
        tax_amounts=tuple(_tax_amount(item, tax_type) for item in items),
    )


def _issues(body: Json, books: Books) -> list[Violation]:
    wrong: list[str] = []
    if body.get("type") not in KINDS:
        wrong.append("type")
    if not isinstance(body.get("voucherNumber"), str) or not body["voucherNumber"]:
        wrong.append("voucherNumber")
    if parse_wire(body.get("voucherDate")) is None:
        wrong.append("voucherDate")
    if "dueDate" in body and body["dueDate"] is not None and parse_wire(body["dueDate"]) is None:
        wrong.append("dueDate")
    if body.get("taxType") not in _TAX_TYPES:
        wrong.append("taxType")
    if body.get("useCollectiveContact") is not True and str(body.get("contactId")) not in books.contacts:
        wrong.append("contactId")
    return [Violation(name, "invalid_value", "") for name in wrong]


def _item_issues(body: Json) -> list[Violation]:
    """Find what is wrong with the items; their sums have to be the totals."""
    items: object = body.get("voucherItems")
    if not isinstance(items, list) or not items:
        return [Violation("voucherItems", "missing_entity", "")]
    checked = cast("list[object]", items)
    wrong = [
        Violation(f"voucherItems[{number}]", "invalid_value", "")
        for number, item in enumerate(checked)
        if not _is_item(item)
    ]
    if wrong:
        return wrong
    amounts = [_tax_amount(cast("Json", item), str(body.get("taxType"))) for item in checked]
    totals = {
        "totalGrossAmount": sum(amount.net + amount.tax for amount in amounts),
        "totalTaxAmount": sum(amount.tax for amount in amounts),
    }
    return [
        Violation(name, "invalid_value", "")
        for name, cents in totals.items()
        if not is_number(body.get(name)) or _cents(body[name]) != cents
    ]


def _is_item(value: object) -> bool:
    item = cast("Json", value) if isinstance(value, dict) else {}
    return (
        all(is_number(item.get(key)) and abs(item[key]) <= _MOST for key in ("amount", "taxAmount"))
        and item.get("taxRatePercent") in _RATES
        and item.get("categoryId") in category_names()
    )


def _line(item: Json) -> Line:
    return Line(
        id=str(uuid4()),
        kind="custom",
        name=category_names()[item["categoryId"]],
        unit_price=_cents(item["amount"]),
        tax_rate=Decimal(str(item["taxRatePercent"])),
    )


def _tax_amount(item: Json, tax_type: str) -> TaxAmount:
    """Return net and tax of an item, whose amount holds the tax where the type is `gross`."""
    amount, tax = _cents(item["amount"]), _cents(item["taxAmount"])
    return TaxAmount(
        Decimal(str(item["taxRatePercent"])), amount - tax if tax_type == "gross" else amount, tax
    )


def _cents(euros: float) -> int:
    return round(Decimal(str(euros)) * 100)


def _refused(issues: list[Violation]) -> IssueRefusal:
    return IssueRefusal(406, "validation failed", issues)
