"""Invoices and credit notes: create, one, and the PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from gateway.sandbox.api.call import Call, Operation, created, missing
from gateway.sandbox.api.invoice_order import voucher_of_order
from gateway.sandbox.api.refusals import ApiRefusal
from gateway.sandbox.books.dates import wire
from gateway.sandbox.books.document import render_document
from gateway.sandbox.books.related import related_to
from gateway.sandbox.books.voucher import Line, Voucher, other_price

if TYPE_CHECKING:
    from gateway.sandbox.books.ledger import Json


async def _create(call: Call) -> Response:
    body = await call.json()
    finalize = call.request.query_params.get("finalize") == "true"
    voucher = voucher_of_order(body, call.books, now=call.now, finalize=finalize)
    call.books.keep_voucher(voucher)
    answer = created(call, "invoices", document_of(voucher, call.books.organization.id))
    return JSONResponse(answer, status_code=201, headers={"Location": answer["resourceUri"]})


async def _one_invoice(call: Call) -> Response:
    return _document(call, _found(call, "invoice"))


async def _one_credit_note(call: Call) -> Response:
    return _document(call, _found(call, "creditnote"))


async def _invoice_file(call: Call) -> Response:
    return _file(call, _found(call, "invoice"))


async def _credit_note_file(call: Call) -> Response:
    return _file(call, _found(call, "creditnote"))


def _document(call: Call, voucher: Voucher) -> Response:
    related = [
        {"id": other.id, "voucherNumber": other.number, "voucherType": other.kind}
        for other in related_to(voucher, call.books.vouchers.values())
    ]
    document = document_of(voucher, call.books.organization.id)
    return JSONResponse({**document, "relatedVouchers": related})


def _found(call: Call, kind: str) -> Voucher:
    voucher = call.books.vouchers.get(call.id)
    if voucher is None or voucher.kind != kind:
        raise missing()
    return voucher


def _file(call: Call, voucher: Voucher) -> Response:
    if voucher.status == "draft":
        raise ApiRefusal(409, "A draft has no document")
    accepted = call.request.headers.get("accept", "*/*")
    if not any(kind in accepted for kind in ("application/pdf", "application/*", "*/*")):
        raise ApiRefusal(406, "The document is a PDF")
    return pdf_response(call, voucher)


def pdf_response(call: Call, voucher: Voucher) -> Response:
    """Return the voucher's document as a download."""
    headers = {"Content-Disposition": f'attachment; filename="{voucher.kind}_{voucher.number}.pdf"'}
    return Response(
        render_document(voucher, call.books.organization), media_type="application/pdf", headers=headers
    )


def document_of(voucher: Voucher, organization_id: str) -> Json:
    """Return the invoice's JSON; here a voucher is open when the list calls it overdue."""
    return {
        "id": voucher.id,
        "organizationId": organization_id,
        "createdDate": wire(voucher.created),
        "updatedDate": wire(voucher.updated),
        "version": voucher.version,
        "language": "de",
        "archived": voucher.archived,
        "voucherStatus": voucher.status,
        "voucherNumber": voucher.number,
        "voucherDate": wire(voucher.date),
        "dueDate": wire(voucher.due) if voucher.due else None,
        "address": {"contactId": voucher.contact_id, **voucher.address},
        "lineItems": [_line(line, voucher) for line in voucher.lines],
        **_totals(voucher),
        "taxConditions": {"taxType": voucher.tax_type},
        "paymentConditions": {
            "paymentTermLabel": voucher.term,
            "paymentTermLabelTemplate": voucher.term,
            "paymentTermDuration": voucher.term_days,
        },
        "shippingConditions": _shipping(voucher),
        "relatedVouchers": [],
        "printLayoutId": None,
        "title": voucher.title,
        "introduction": voucher.introduction,
        "remark": voucher.remark,
        **({"files": {"documentFileId": voucher.file_id}} if voucher.file_id else {}),
    }


def _shipping(voucher: Voucher) -> Json:
    start, end = voucher.shipping_date or voucher.date, voucher.shipping_end
    is_told = voucher.shipping_type != "none"
    return {
        "shippingDate": wire(start) if is_told else None,
        **({"shippingEndDate": wire(end)} if end else {}),
        "shippingType": voucher.shipping_type,
    }


def _totals(voucher: Voucher) -> Json:
    return {
        "totalPrice": {
            "currency": "EUR",
            "totalNetAmount": voucher.net / 100,
            "totalGrossAmount": voucher.gross / 100,
            "totalTaxAmount": voucher.tax / 100,
        },
        "taxAmounts": [
            {
                "taxRatePercentage": float(amount.rate),
                "taxAmount": amount.tax / 100,
                "netAmount": amount.net / 100,
            }
            for amount in voucher.tax_amounts
        ],
    }


def _line(line: Line, voucher: Voucher) -> Json:
    if line.kind == "text":
        return {"type": "text", "name": line.name, "description": line.description}
    other = other_price(line.unit_price, line.tax_rate, voucher.tax_type)
    net, gross = (other, line.unit_price) if voucher.tax_type == "gross" else (line.unit_price, other)
    return {
        "id": line.id if line.kind in {"material", "service"} else None,
        "type": line.kind,
        "name": line.name,
        "description": line.description,
        "quantity": float(line.quantity),
        "unitName": line.unit_name,
        "unitPrice": {
            "currency": "EUR",
            "netAmount": net / 100,
            "grossAmount": gross / 100,
            "taxRatePercentage": float(line.tax_rate),
        },
        "discountPercentage": float(line.discount),
        "lineItemAmount": line.amount / 100,
    }


OPERATIONS = (
    Operation("POST", "/v1/invoices", "invoices.write", _create),
    Operation("GET", "/v1/invoices/{id}", "invoices.read", _one_invoice),
    Operation("GET", "/v1/invoices/{id}/file", "invoices.read", _invoice_file),
    Operation("GET", "/v1/credit-notes/{id}", "credit-notes.read", _one_credit_note),
    Operation("GET", "/v1/credit-notes/{id}/file", "credit-notes.read", _credit_note_file),
)
