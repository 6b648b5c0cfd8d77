"""The list of all vouchers, with its mandatory filters."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from gateway.sandbox.api.call import Call, Operation
from gateway.sandbox.api.paging import page_of
from gateway.sandbox.api.refusals import ApiRefusal, Violation
from gateway.sandbox.books.dates import local, wire

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from gateway.sandbox.books.ledger import Json
    from gateway.sandbox.books.voucher import Voucher

TYPES = frozenset(
    {
        "salesinvoice",
        "salescreditnote",
        "purchaseinvoice",
        "purchasecreditnote",
        "invoice",
        "downpaymentinvoice",
        "creditnote",
        "orderconfirmation",
        "quotation",
        "deliverynote",
    }
)
STATUSES = frozenset(
    {
        "draft",
        "open",
        "paid",
        "paidoff",
        "voided",
        "transferred",
        "sepadebit",
        "overdue",
        "accepted",
        "rejected",
        "unchecked",
    }
)
_SORTABLE = {name: name for name in ("voucherDate", "voucherNumber", "createdDate", "updatedDate", "dueDate")}


async def _list(call: Call) -> Response:
    query, today = call.request.query_params, local(call.now)
    types, statuses = _chosen(query, "voucherType", TYPES), _chosen(query, "voucherStatus", STATUSES)
    if "open" in statuses:
        statuses |= {"overdue"}  # measured: the open ones include the overdue
    rows = [
        _row(voucher, today)
        for voucher in call.books.vouchers.values()
        if voucher.kind in types and voucher.listed_status(today) in statuses and _matches(voucher, query)
    ]
    return JSONResponse(page_of(rows, query, _SORTABLE, "voucherDate,DESC"))


def _chosen(query: QueryParams, name: str, known: frozenset[str]) -> set[str]:
    values = {value for part in query.getlist(name) for value in part.split(",") if value}
    if not values:
        raise ApiRefusal(
            400, f"Missing request parameter '{name}'", (Violation(name, "NOTNULL", "is required"),)
        )
    if values == {"any"}:
        return set(known)
    if unknown := values - known:
        message = f"unknown value {', '.join(sorted(unknown))}"
        raise ApiRefusal(406, "Validation failed", (Violation(name, "INVALID", message),))
    return values


def _matches(voucher: Voucher, query: QueryParams) -> bool:
    number, contact, archived = (query.get(name) for name in ("voucherNumber", "contactId", "archived"))
    return (
        (number is None or (voucher.number or "").casefold() == number.casefold())
        and (contact is None or voucher.contact_id == contact)
        and (archived is None or voucher.archived == (archived == "true"))
        and _between(query, "voucherDate", voucher.date)
        and _between(query, "createdDate", voucher.created)
        and _between(query, "updatedDate", voucher.updated)
    )


def _between(query: QueryParams, name: str, moment: datetime) -> bool:
    """Whether a day is within `{name}From` and `{name}To`, both included."""
    start, end = _day(query, f"{name}From"), _day(query, f"{name}To")
    return (start is None or moment.date() >= start) and (end is None or moment.date() <= end)


def _day(query: QueryParams, name: str) -> date | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        message = "must be yyyy-MM-dd"
        raise ApiRefusal(406, "Validation failed", (Violation(name, "INVALID", message),)) from None


def _row(voucher: Voucher, today: datetime) -> Json:
    return {
        "id": voucher.id,
        "voucherType": voucher.kind,
        "voucherStatus": voucher.listed_status(today),
        "voucherNumber": voucher.number,
        "voucherDate": wire(voucher.date),
        "createdDate": wire(voucher.created),
        "updatedDate": wire(voucher.updated),
        "dueDate": wire(voucher.due) if voucher.due else None,
        "contactId": voucher.contact_id,
        "contactName": voucher.contact_name,
        "totalAmount": voucher.gross / 100,
        "openAmount": voucher.open / 100,
        "currency": "EUR",
        "archived": voucher.archived,
    }


OPERATIONS = (Operation("GET", "/v1/voucherlist", "voucherlist.read", _list),)
