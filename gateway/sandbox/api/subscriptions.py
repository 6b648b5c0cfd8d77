"""Event subscriptions: list, one, create with a check of the callback URL, and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from gateway.sandbox.api.call import Call, Operation, missing
from gateway.sandbox.api.refusals import ApiRefusal, Violation
from gateway.sandbox.webhooks.callback import check_callback
from gateway.sandbox.webhooks.event import EVENT_TYPES

if TYPE_CHECKING:
    from gateway.sandbox.books.ledger import Json


async def _list(call: Call) -> Response:
    return JSONResponse({"content": list(call.books.subscriptions.values())})


async def _create(call: Call) -> Response:
    body = await call.json()
    _validate(body)
    await _check_reachable(body["callbackUrl"])
    wanted = {key: body[key] for key in ("eventType", "callbackUrl")}
    if any(known.items() >= wanted.items() for known in call.books.subscriptions.values()):
        raise ApiRefusal(409, "There is such a subscription already")
    subscription = call.webhooks.subscribe(call.books.organization.id, body["eventType"], body["callbackUrl"])
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


async def _check_reachable(url: str) -> None:
    """Raise a refusal unless a HEAD request is answered with success."""
    outcome = await check_callback(url)
    if not outcome.startswith("2"):
        message = f"must answer a HEAD request with success, not with: {outcome}"
        raise ApiRefusal(406, "Validation failed", (Violation("callbackUrl", "UNREACHABLE", message),))


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
