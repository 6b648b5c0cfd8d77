"""Event subscriptions; they are kept, nothing is delivered yet."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.responses import JSONResponse, Response

from gateway.sandbox.api.call import Call, Operation, missing
from gateway.sandbox.api.refusals import ApiRefusal, Violation
from gateway.sandbox.books.dates import local, wire

if TYPE_CHECKING:
    from gateway.sandbox.books.ledger import Json

_CHANGES = ("created", "changed", "deleted")
_MASTER_DATA = ("article", "contact", "dunning", "recurring-template")
_VOUCHERS = (
    "credit-note",
    "delivery-note",
    "down-payment-invoice",
    "invoice",
    "order-confirmation",
    "quotation",
    "voucher",
)
EVENT_TYPES = (
    *(f"{resource}.{change}" for resource in _MASTER_DATA for change in _CHANGES),
    *(f"{resource}.{change}" for resource in _VOUCHERS for change in (*_CHANGES, "status.changed")),
    "payment.changed",
    "token.revoked",
)


async def _list(call: Call) -> Response:
    return JSONResponse({"content": list(call.books.subscriptions.values())})


async def _create(call: Call) -> Response:
    body = await call.json()
    _validate(body)
    wanted = {key: body[key] for key in ("eventType", "callbackUrl")}
    if any(known.items() >= wanted.items() for known in call.books.subscriptions.values()):
        raise ApiRefusal(409, "There is such a subscription already")
    subscription: Json = {
        "subscriptionId": str(uuid4()),
        "organizationId": call.books.organization.id,
        "createdDate": wire(local(call.now)),
        **wanted,
    }
    call.books.subscriptions[subscription["subscriptionId"]] = subscription
    uri = f"{call.base_url}/v1/event-subscriptions/{subscription['subscriptionId']}"
    moment = subscription["createdDate"]
    answer = {
        "id": subscription["subscriptionId"],
        "resourceUri": uri,
        "createdDate": moment,
        "updatedDate": moment,
        "version": 0,
    }
    return JSONResponse(answer, status_code=201, headers={"Location": uri})


async def _one(call: Call) -> Response:
    return JSONResponse(_found(call))


async def _delete(call: Call) -> Response:
    del call.books.subscriptions[_found(call)["subscriptionId"]]
    return Response(status_code=204)


def _found(call: Call) -> Json:
    if call.id not in call.books.subscriptions:
        raise missing()
    return call.books.subscriptions[call.id]


def _validate(body: Json) -> None:
    wrong: list[Violation] = []
    if body.get("eventType") not in EVENT_TYPES:
        wrong.append(Violation("eventType", "INVALID", "is no event type"))
    if not _is_callback(body.get("callbackUrl")):
        wrong.append(Violation("callbackUrl", "INVALID", "must be an absolute http(s) URL"))
    if wrong:
        raise ApiRefusal(406, "Validation failed", wrong)


def _is_callback(value: object) -> bool:
    try:
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


OPERATIONS = (
    Operation("GET", "/v1/event-subscriptions", "event-subscriptions.read", _list),
    Operation("GET", "/v1/event-subscriptions/{id}", "event-subscriptions.read", _one),
    Operation("POST", "/v1/event-subscriptions", "event-subscriptions.write", _create),
    Operation("DELETE", "/v1/event-subscriptions/{id}", "event-subscriptions.write", _delete),
)
