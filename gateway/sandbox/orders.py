"""JSON that tests and demonstrations steer the sandbox with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

Order = dict[str, Any]


class OrderRefused(ValueError):
    """The order cannot be followed; the message says why."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


async def parse_order(request: Request) -> Order:
    """Return the JSON object of a request.

    Raises:
        OrderRefused: 415 for another type, 400 for anything else than an object.

    """
    # a form from another site cannot have this type without a preflight, which nobody answers (CSRF)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise OrderRefused("send application/json", 415)
    try:
        order: object = json.loads(await request.body())
    except (ValueError, RecursionError):
        order = None
    if not isinstance(order, dict):
        raise OrderRefused("send a JSON object")
    return cast("Order", order)


def number_of(order: Order, key: str) -> float:
    """Return a number; raises OrderRefused where there is none."""
    value: object = order.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise OrderRefused(f"{key} must be a number")
    return float(value)


def refusing(
    endpoint: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint with its ValueErrors answered."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except (ValueError, TypeError) as error:
            status = error.status if isinstance(error, OrderRefused) else 400
            return JSONResponse({"message": str(error)}, status_code=status)

    return answer
