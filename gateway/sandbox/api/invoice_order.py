"""An invoice that a client asks for: from JSON to a voucher, or to a list of what is wrong."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from gateway.sandbox.api.articles import is_number
from gateway.sandbox.api.refusals import ApiRefusal, Violation
from gateway.sandbox.books.dates import local, parse_wire
from gateway.sandbox.books.generator import address_of
from gateway.sandbox.books.voucher import Line, TaxType, Voucher, tax_amounts

if TYPE_CHECKING:
    from gateway.sandbox.books.ledger import Books, Json

_KINDS = ("custom", "material", "service", "text")
_TAX_TYPES = ("net", "gross", "vatfree")
_SHIPPING = ("service", "serviceperiod", "delivery", "deliveryperiod", "none")
_RATES = (0, 7, 19)
_MOST = 10**9


def voucher_of_order(body: Json, books: Books, *, now: float, finalize: bool) -> Voucher:
    """Return the new invoice: a draft, or open with a number of its own.

    Raises:
        ApiRefusal: 406 with everything that is wrong.

    """
    violations = [*_violations(body, books), *_line_violations(body.get("lineItems"))]
    if violations:
        raise ApiRefusal(406, "Validation failed", violations)
    tax_type = cast("TaxType", body["taxConditions"]["taxType"])
    lines = tuple(_line(item, tax_type) for item in body["lineItems"])
    address, date, moment = _address(body["address"], books), parse_wire(body["voucherDate"]), local(now)
    conditions, shipping = _object(body, "paymentConditions"), _object(body, "shippingConditions")
    days = conditions.get("paymentTermDuration", 0)
    return Voucher(
        id=str(uuid4()),
        kind="invoice",
        status="open" if finalize else "draft",
        number=f"RE{books.next_number('invoice')}" if finalize else None,
        date=date or moment,
        due=(date or moment) + timedelta(days=days),
        created=moment,
        updated=moment,
        contact_id=body["address"].get("contactId"),
        contact_name=address["name"],
        address=address,
        lines=lines,
        tax_type=tax_type,
        term=str(conditions.get("paymentTermLabel", "Zahlbar sofort ohne Abzug")),
        term_days=days,
        shipping_type=shipping.get("shippingType", "none"),
        shipping_date=parse_wire(shipping.get("shippingDate")),
        shipping_end=parse_wire(shipping.get("shippingEndDate")),
        title=str(body.get("title") or "Rechnung"),
        introduction=_optional(body, "introduction"),
        remark=_optional(body, "remark"),
        file_id=str(uuid4()) if finalize else None,
        tax_amounts=tax_amounts(lines, tax_type),
    )


def _violations(body: Json, books: Books) -> list[Violation]:
    wrong: list[Violation] = []
    address = _object(body, "address")
    if "contactId" in address:
        if str(address["contactId"]) not in books.contacts:
            wrong.append(Violation("address.contactId", "NOTFOUND", "names no contact"))
    else:
        wrong += [
            Violation(f"address.{key}", "NOTNULL", "must be a text")
            for key in ("name", "countryCode")
            if not isinstance(address.get(key), str) or not address[key]
        ]
    if parse_wire(body.get("voucherDate")) is None:
        wrong.append(Violation("voucherDate", "INVALID", "must be yyyy-MM-ddTHH:mm:ss.SSSXXX"))
    if _object(body, "taxConditions").get("taxType") not in _TAX_TYPES:
        wrong.append(Violation("taxConditions.taxType", "NOTNULL", "must be net, gross or vatfree"))
    if _object(body, "totalPrice").get("currency") != "EUR":
        wrong.append(Violation("totalPrice.currency", "NOTNULL", "must be EUR"))
    days = _object(body, "paymentConditions").get("paymentTermDuration", 0)
    if not isinstance(days, int) or not 0 <= days <= 1000:  # noqa: PLR2004 - three years to pay
        wrong.append(
            Violation("paymentConditions.paymentTermDuration", "INVALID", "must be a number of days")
        )
    return [*wrong, *_shipping_violations(_object(body, "shippingConditions"))]


def _shipping_violations(shipping: Json) -> list[Violation]:
    """Return what is wrong with the delivery: a kind that is told needs its date, a period its end."""
    kind = shipping.get("shippingType", "none")
    if kind not in _SHIPPING:
        return [Violation("shippingConditions.shippingType", "INVALID", f"must be of {', '.join(_SHIPPING)}")]
    needed = [] if kind == "none" else ["shippingDate"]
    needed += ["shippingEndDate"] if kind.endswith("period") else []
    given = [key for key in ("shippingDate", "shippingEndDate") if key in needed or key in shipping]
    wrong = [
        Violation(f"shippingConditions.{key}", "INVALID", "must be yyyy-MM-ddTHH:mm:ss.SSSXXX")
        for key in given
        if parse_wire(shipping.get(key)) is None
    ]
    start, end = (parse_wire(shipping.get(key)) for key in ("shippingDate", "shippingEndDate"))
    if start and end and end < start:
        wrong.append(Violation("shippingConditions.shippingEndDate", "INVALID", "is before shippingDate"))
    return wrong


def _line_violations(items: object) -> list[Violation]:
    if not isinstance(items, list) or not items:
        return [Violation("lineItems", "NOTEMPTY", "must not be empty")]
    wrong: list[Violation] = []
    for number, item in enumerate(cast("list[object]", items)):
        keys = _wrong_keys(cast("Json", item) if isinstance(item, dict) else {})
        wrong += [
            Violation(f"lineItems[{number}].{key}", "INVALID", "is missing or cannot be") for key in keys
        ]
    return wrong


def _wrong_keys(item: Json) -> list[str]:
    kind, price = item.get("type"), _object(item, "unitPrice")
    wrong = [] if isinstance(item.get("name"), str) and item["name"] else ["name"]
    if kind not in _KINDS:
        return ["type", *wrong]
    if kind == "text":
        return wrong
    if not is_number(item.get("quantity")) or not 0 < item["quantity"] <= _MOST:
        wrong.append("quantity")
    amounts = [price[key] for key in ("netAmount", "grossAmount") if key in price]
    if not amounts or not all(is_number(amount) and abs(amount) <= _MOST for amount in amounts):
        wrong.append("unitPrice.netAmount")
    if price.get("taxRatePercentage") not in _RATES:
        wrong.append("unitPrice.taxRatePercentage")
    discount = item.get("discountPercentage", 0)
    return wrong if is_number(discount) and 0 <= discount <= 100 else [*wrong, "discountPercentage"]  # noqa: PLR2004 - per cent


def _line(item: Json, tax_type: TaxType) -> Line:
    if item["type"] == "text":
        return Line(
            id=str(uuid4()), kind="text", name=item["name"], description=_optional(item, "description")
        )
    price, rate = item["unitPrice"], Decimal(str(item["unitPrice"]["taxRatePercentage"]))
    wanted, other = ("grossAmount", "netAmount") if tax_type == "gross" else ("netAmount", "grossAmount")
    amount = Decimal(str(price[wanted] if wanted in price else price[other]))
    if wanted not in price:
        amount = amount * (100 + rate) / 100 if tax_type == "gross" else amount * 100 / (100 + rate)
    return Line(
        id=str(item.get("id") or uuid4()),
        kind=item["type"],
        name=item["name"],
        description=_optional(item, "description"),
        quantity=Decimal(str(item["quantity"])),
        unit_name=str(item.get("unitName") or "Stück"),
        unit_price=round(amount * 100),
        tax_rate=rate,
        discount=Decimal(str(item.get("discountPercentage", 0))),
    )


def _address(address: Json, books: Books) -> dict[str, str]:
    contact = books.contacts.get(str(address.get("contactId")))
    known = address_of(contact) if contact else {}
    keys = ("name", "supplement", "street", "city", "zip", "countryCode")
    return {**known, **{key: str(address[key]) for key in keys if address.get(key)}}


def _object(body: Json, key: str) -> Json:
    value: object = body.get(key)
    return cast("Json", value) if isinstance(value, dict) else {}


def _optional(body: Json, key: str) -> str | None:
    return str(body[key]) if body.get(key) else None
