"""What tests and demonstrations steer the sandbox with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.sandbox.api.invoices import document_of
from gateway.sandbox.change_order import follow_change_order
from gateway.sandbox.orders import OrderRefused, number_of, parse_order, refusing

if TYPE_CHECKING:
    from starlette.requests import Request

    from gateway.sandbox.box import Sandbox
    from gateway.sandbox.orders import Order


class Control:
    """Endpoints that no lexoffice has."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        return [
            Route("/sandbox/counters", self.counters),
            Route("/sandbox/faults", self.list_faults, methods=["GET"]),
            Route("/sandbox/faults", refusing(self.inject_fault), methods=["POST"]),
            Route("/sandbox/faults", self.clear_faults, methods=["DELETE"]),
            Route("/sandbox/calls", self.list_calls, methods=["GET"]),
            Route("/sandbox/calls", self.forget_calls, methods=["DELETE"]),
            Route("/sandbox/limits", self.show_limits, methods=["GET"]),
            Route("/sandbox/limits", refusing(self.change_limits), methods=["POST"]),
            Route("/sandbox/clock", self.show_clock, methods=["GET"]),
            Route("/sandbox/clock", refusing(self.move_clock), methods=["POST"]),
            Route("/sandbox/changes", refusing(self.change_books), methods=["POST"]),
            Route("/sandbox/deliveries", self.list_deliveries, methods=["GET"]),
            Route("/sandbox/webhook-key.pem", self.webhook_key, methods=["GET"]),
        ]

    async def counters(self, _request: Request) -> Response:
        """Return what happened so far."""
        return JSONResponse(self._sandbox.counters.document())

    async def list_faults(self, _request: Request) -> Response:
        """Return the active faults."""
        return JSONResponse({"faults": [fault.document() for fault in self._sandbox.faults.active()]})

    async def inject_fault(self, request: Request) -> Response:
        """Switches a fault on: `{name, parameters, times}`; 400 names the faults there are."""
        self._sandbox.faults.inject(*_parse_fault(await parse_order(request)))
        return await self.list_faults(request)

    async def clear_faults(self, request: Request) -> Response:
        """Switches all faults off, or the one that `name` says."""
        self._sandbox.faults.clear(request.query_params.get("name"))
        return await self.list_faults(request)

    async def list_calls(self, _request: Request) -> Response:
        """Return the arrivals of the API calls."""
        return JSONResponse({"calls": self._sandbox.arrivals.documents()})

    async def forget_calls(self, request: Request) -> Response:
        """Forgets the API calls so far."""
        self._sandbox.arrivals.clear()
        return await self.list_calls(request)

    async def show_limits(self, _request: Request) -> Response:
        """Return rate and burst."""
        limits = self._sandbox.limits
        return JSONResponse({"rate": limits.rate, "burst": limits.burst})

    async def change_limits(self, request: Request) -> Response:
        """Set another rate and burst: `{rate, burst}`."""
        order = await parse_order(request)
        rate, burst = number_of(order, "rate"), number_of(order, "burst")
        if not burst.is_integer():
            raise OrderRefused("burst must be a whole number")
        self._sandbox.limits.change(rate, int(burst))
        return await self.show_limits(request)

    async def show_clock(self, _request: Request) -> Response:
        """Return the sandbox's time in Unix seconds, and how far it is from the machine's."""
        return JSONResponse({"now": self._sandbox.now(), "offset_seconds": self._sandbox.clock_offset})

    async def move_clock(self, request: Request) -> Response:
        """Set the clock: `{offset_seconds}`, from the machine's time and not from the last offset."""
        self._sandbox.move_clock(number_of(await parse_order(request), "offset_seconds"))
        return await self.show_clock(request)

    async def change_books(self, request: Request) -> Response:
        """Change an organization's books: `{organization, action, ...}`; answers the voucher."""
        order = await parse_order(request)
        books = self._sandbox.books_of(order.get("organization"))
        voucher = follow_change_order(order, books, self._sandbox.random, now=self._sandbox.now())
        return JSONResponse(document_of(voucher, books.organization.id))

    async def list_deliveries(self, _request: Request) -> Response:
        """Return the last webhook deliveries, the newest first."""
        return JSONResponse({"deliveries": [one.document() for one in self._sandbox.webhooks.deliveries()]})

    async def webhook_key(self, _request: Request) -> Response:
        """Return the public key that deliveries are checked with."""
        return Response(self._sandbox.webhook_public_key_pem(), media_type="application/x-pem-file")


def _parse_fault(order: Order) -> tuple[str, dict[str, Any], int | None]:
    """Name, parameters and times of a fault; raises OrderRefused."""
    name, times = order.get("name"), order.get("times")
    parameters: object = order.get("parameters", {})
    is_count = times is None or (isinstance(times, int) and not isinstance(times, bool))
    if not isinstance(name, str) or not isinstance(parameters, dict) or not is_count:
        raise OrderRefused('send {"name": ..., "parameters": {...}, "times": number or null}')
    return name, cast("dict[str, Any]", parameters), times
