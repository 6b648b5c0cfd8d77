"""The front page, and what tests and demonstrations steer the sandbox with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.sandbox.pages.home import home_page
from gateway.sandbox.pages.page import html
from gateway.sandbox.pages.texts import language_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from gateway.sandbox.box import Sandbox


class Control:
    """Endpoints that no lexoffice has."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        return [
            Route("/", self.home),
            Route("/sandbox/counters", self.counters),
            Route("/sandbox/faults", self.list_faults, methods=["GET"]),
            Route("/sandbox/faults", self.inject_fault, methods=["POST"]),
            Route("/sandbox/faults", self.clear_faults, methods=["DELETE"]),
        ]

    async def home(self, request: Request) -> Response:
        """Return the page at `/`."""
        return html(home_page(language_of(request), self._sandbox.options))

    async def counters(self, _request: Request) -> Response:
        """Return what happened so far."""
        return JSONResponse(self._sandbox.counters.document())

    async def list_faults(self, _request: Request) -> Response:
        """Return the active faults."""
        return JSONResponse({"faults": [fault.document() for fault in self._sandbox.faults.active()]})

    async def inject_fault(self, request: Request) -> Response:
        """Switches a fault on: `{name, parameters, times}`; 400 names the faults there are."""
        # a form from another site cannot have this type without a preflight, which nobody answers (CSRF)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return JSONResponse({"message": "send application/json"}, status_code=415)
        try:
            order = _parse_order(await request.body())
            self._sandbox.faults.inject(*order)
        except (ValueError, TypeError) as error:
            return JSONResponse({"message": str(error)}, status_code=400)
        return await self.list_faults(request)

    async def clear_faults(self, request: Request) -> Response:
        """Switches all faults off, or the one that `name` says."""
        self._sandbox.faults.clear(request.query_params.get("name"))
        return await self.list_faults(request)


def _parse_order(body: bytes) -> tuple[str, dict[str, Any], int | None]:
    """Name, parameters and times of a fault; raises ValueError."""
    order: object = json.loads(body)
    fields = cast("dict[str, Any]", order) if isinstance(order, dict) else {}
    name, times = fields.get("name"), fields.get("times")
    parameters: object = fields.get("parameters", {})
    is_count = times is None or (isinstance(times, int) and not isinstance(times, bool))
    if not isinstance(name, str) or not isinstance(parameters, dict) or not is_count:
        message = 'send {"name": ..., "parameters": {...}, "times": number or null}'
        raise ValueError(message)
    return name, cast("dict[str, Any]", parameters), times
