"""What operators and orchestrators ask, on a listener of its own: alive, ready, measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from gateway.observability.metrics import Metrics
    from gateway.observability.metrics_sum import Snapshot
    from gateway.sessions.vault import Vault


class Answers(Protocol):
    """Whatever answers the three questions: one process, or all workers together."""

    async def livez(self, _request: Request, /) -> Response:
        """Answer 200 as long as it turns."""
        ...

    async def readyz(self, _request: Request, /) -> Response:
        """Answer 200 if it can serve, else 503."""
        ...

    async def metrics(self, _request: Request, /) -> Response:
        """Answer the metrics."""
        ...


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
        """Answer 200 if the store can be used, agrees on the time and no shutdown is under way; else 503."""
        return build_readiness(await self.why_unready())

    async def metrics(self, _request: Request) -> Response:
        """Answer the metrics in the Prometheus text format."""
        await self._count_sessions()
        body, content_type = self._metrics.render()
        return Response(body, headers={"Content-Type": content_type})

    async def why_unready(self) -> str | None:
        """Return the code of what keeps this process from serving; None if nothing does."""
        if self.is_draining:
            return "draining"
        try:
            await self._vault.ping()
            await self._vault.check_clock(self._clock())
        except StoreError as error:
            self._metrics.count_store_error()
            return error.code
        return None

    async def take_metrics(self, *, shared: bool) -> Snapshot:
        """Return what this process has counted; `shared` with what the store tells to all alike."""
        if shared:
            await self._count_sessions()
        return self._metrics.take(shared=shared)

    async def _count_sessions(self) -> None:
        """Look up how many sessions there are; without the store the last number stands."""
        try:
            self._metrics.set_sessions(await self._vault.count(self._clock()))
        except StoreError:
            self._metrics.count_store_error()


def build_readiness(why_unready: str | None) -> Response:
    """Build the answer of /readyz: 200, or 503 with the code of what is in the way."""
    if why_unready is None:
        return JSONResponse({"ready": True})
    return JSONResponse({"ready": False, "code": why_unready}, 503)


def build_admin_app(health: Answers) -> Starlette:
    """Build the application of the second listener."""
    return Starlette(
        routes=[
            Route("/livez", health.livez),
            Route("/readyz", health.readyz),
            Route("/metrics", health.metrics),
        ]
    )
