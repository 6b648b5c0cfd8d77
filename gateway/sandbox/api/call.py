"""One API call on its way to a resource, and the table of operations it is looked up in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from gateway.sandbox.api.refusals import ApiRefusal, IssueRefusal, Violation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from gateway.sandbox.authorization_server.grants import Connection
    from gateway.sandbox.books.ledger import Books
    from gateway.sandbox.webhooks.webhooks import Webhooks

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that is authenticated; `now` in Unix seconds."""

    request: Request
    connection: Connection
    books: Books
    webhooks: Webhooks
    now: float
    base_url: str
    parameters: Mapping[str, str]

    @property
    def id(self) -> str:
        """The path's `{id}`."""
        return self.parameters["id"]

    async def json(self) -> Json:
        """Return the body.

        Raises:
            ApiRefusal: 415 for another type, 400 for what is not a JSON object.

        """
        media_type = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise ApiRefusal(415, f"Content type '{media_type}' not supported")
        try:
            body = _parsed(await self.request.body())
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise ApiRefusal(400, "JSON parse error: an object was expected")
        return cast("Json", body)


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a resource; `scope` is the lexware scope that it needs, None where any token will do."""

    method: str
    template: str
    scope: str | None
    handler: Callable[[Call], Awaitable[Response]]
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template)
        object.__setattr__(self, "pattern", re.compile(pattern))

    @property
    def name(self) -> str:
        """How the counters call it."""
        return f"{self.method} {self.template}"


def _parsed(body: bytes) -> object:
    """Return JSON that can be answered again: no NaN, no half of a surrogate pair."""
    parsed: object = json.loads(body)
    json.dumps(parsed, ensure_ascii=False, allow_nan=False).encode()
    return parsed


def missing(*, issues: bool = False) -> ApiRefusal:
    """404, in the resource's own shape."""
    if issues:
        return IssueRefusal(404, "not found", (Violation("id", "resource_not_found", ""),))
    return ApiRefusal(404, "The requested resource could not be found")


def created(call: Call, resource: str, body: Json) -> Json:
    """Return what a create or a change answers: ids, dates, version and an absolute URI."""
    return {
        "id": body["id"],
        "resourceUri": f"{call.base_url}/v1/{resource}/{body['id']}",
        "createdDate": body["createdDate"],
        "updatedDate": body["updatedDate"],
        "version": body["version"],
    }
