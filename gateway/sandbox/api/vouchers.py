"""Bookkeeping vouchers and what was paid of any voucher."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from gateway.sandbox.api.call import Call, Operation, created, missing
from gateway.sandbox.api.files import parse_upload
from gateway.sandbox.api.paging import page_of
from gateway.sandbox.api.refusals import IssueRefusal, Violation
from gateway.sandbox.api.voucher_order import KINDS, voucher_of_order
from gateway.sandbox.books.dates import local, wire
from gateway.sandbox.books.samples import category_of

if TYPE_CHECKING:
    from gateway.sandbox.books.ledger import Json
    from gateway.sandbox.books.voucher import Voucher


async def _list(call: Call) -> Response:
    number = call.request.query_params.get("voucherNumber")
    if not number:
        raise IssueRefusal(406, "validation failed", (Violation("voucherNumber", "missing_entity", ""),))
    rows = [_document(voucher, call) for voucher in _bookkeeping(call) if voucher.number == number]
    return JSONResponse(
        page_of(rows, call.request.query_params, {"voucherDate": "voucherDate"}, "voucherDate,DESC")
    )


async def _one(call: Call) -> Response:
    return JSONResponse(_document(_found(call), call))


async def _create(call: Call) -> Response:
    voucher = voucher_of_order(await call.json(), call.books, None, now=call.now)
    call.books.keep_voucher(voucher)
    answer = created(call, "vouchers", _document(voucher, call))
    return JSONResponse(answer, status_code=201, headers={"Location": answer["resourceUri"]})


async def _change(call: Call) -> Response:
    body = await call.json()
    voucher = voucher_of_order(body, call.books, _found(call), now=call.now)
    call.books.keep_voucher(voucher)
    return JSONResponse(created(call, "vouchers", _document(voucher, call)))


async def _attach(call: Call) -> Response:
    voucher = _found(call)
    file_id = call.books.add_file(await parse_upload(call.request))
    receipts = (*voucher.receipts, file_id)
    call.books.keep_voucher(
        replace(voucher, receipts=receipts, version=voucher.version + 1, updated=local(call.now))
    )
    return JSONResponse({"id": file_id}, status_code=202)


def _found(call: Call) -> Voucher:
    voucher = next((voucher for voucher in _bookkeeping(call) if voucher.id == call.id), None)
    if voucher is None:
        raise missing(issues=True)
    return voucher


def _bookkeeping(call: Call) -> list[Voucher]:
    return [voucher for voucher in call.books.vouchers.values() if voucher.kind in KINDS]


async def _payments(call: Call) -> Response:
    voucher = call.books.vouchers.get(call.parameters["voucherId"])
    if voucher is None:
        raise missing()
    is_settled, is_purchase = voucher.open == 0, voucher.kind.startswith("purchase")
    return JSONResponse(
        {
            "openAmount": voucher.open / 100,
            "currency": "EUR",
            "paymentStatus": "balanced" if is_settled else "openExpense" if is_purchase else "openRevenue",
            "voucherType": voucher.kind,
            "voucherStatus": voucher.listed_status(local(call.now)),
            "paidDate": wire(voucher.payments[-1].date) if voucher.payments and is_settled else None,
            "paymentItems": [
                {
                    "paymentItemType": "manualPayment",
                    "postingDate": wire(payment.date),
                    "amount": payment.amount / 100,
                    "currency": "EUR",
                }
                for payment in voucher.payments
            ],
        }
    )


def _document(voucher: Voucher, call: Call) -> Json:
    return {
        "id": voucher.id,
        "organizationId": call.books.organization.id,
        "type": voucher.kind,
        "voucherStatus": voucher.status,
        "voucherNumber": voucher.number,
        "voucherDate": wire(voucher.date),
        "shippingDate": wire(voucher.date),
        "dueDate": wire(voucher.due) if voucher.due else None,
        "totalGrossAmount": voucher.gross / 100,
        "totalTaxAmount": voucher.tax / 100,
        "taxType": voucher.tax_type,
        "useCollectiveContact": voucher.contact_id is None,
        "contactId": voucher.contact_id,
        "remark": voucher.remark,
        "voucherItems": [
            {
                "amount": (amount.net + amount.tax if voucher.tax_type == "gross" else amount.net) / 100,
                "taxAmount": amount.tax / 100,
                "taxRatePercent": float(amount.rate),
                "categoryId": category_of(line.name),
            }
            for amount, line in zip(voucher.tax_amounts, voucher.lines, strict=False)
        ],
        "files": [*([voucher.file_id] if voucher.file_id else []), *voucher.receipts],
        "createdDate": wire(voucher.created),
        "updatedDate": wire(voucher.updated),
        "version": voucher.version,
    }


OPERATIONS = (
    Operation("GET", "/v1/vouchers", "vouchers.read", _list),
    Operation("GET", "/v1/vouchers/{id}", "vouchers.read", _one),
    Operation("POST", "/v1/vouchers", "vouchers.write", _create),
    Operation("PUT", "/v1/vouchers/{id}", "vouchers.write", _change),
    Operation("POST", "/v1/vouchers/{id}/files", "files.write", _attach),
    Operation("GET", "/v1/payments/{voucherId}", "payments.read", _payments),
)
