"""What operators and orchestrators ask, on a listener of its own: alive, ready, measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from gateway.observability.metrics import Metrics
    from gateway.sessions.vault import Vault


class Health:
    """Liveness says that the process answers; readiness that it can serve, and wants to."""

    def __init__(self, *, vault: Vault, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._vault = vault
        self._metrics = metrics
        self._clock = clock
        self.is_draining = False
        """Set once the process is asked to end: readiness then fails, liveness goes on."""

    async def livez(self, _request: Request) -> Response:
        """Answer 200 as long as the event loop turns."""
        return PlainTextResponse("ok\n")

    async def readyz(self, _request: Request) -> Response:
        """Answer 200 if the store can be used and no shutdown is under way, else 503 with the cause."""
        if self.is_draining:
            return JSONResponse({"ready": False, "code": "draining"}, 503)
        try:
            await self._vault.ping()
        except StoreError as error:
            self._metrics.count_store_error()
            return JSONResponse({"ready": False, "code": error.code}, 503)
        return JSONResponse({"ready": True})

    async def metrics(self, _request: Request) -> Response:
        """Answer the metrics in the Prometheus text format."""
        try:
            self._metrics.set_sessions(await self._vault.count(self._clock()))
        except StoreError:
            self._metrics.count_store_error()
        body, content_type = self._metrics.render()
        return Response(body, headers={"Content-Type": content_type})


def build_admin_app(health: Health) -> Starlette:
    """Build the application of the second listener."""
    return Starlette(
        routes=[
            Route("/livez", health.livez),
            Route("/readyz", health.readyz),
            Route("/metrics", health.metrics),
        ]
    )
