"""What operators ask, answered for all workers together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector
from starlette.responses import PlainTextResponse, Response

from gateway.observability.metrics_sum import take_snapshot
from gateway.web.health import build_readiness

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.requests import Request

    from gateway.observability.metrics_sum import MetricsSum
    from gateway.workers.process import WorkerProcess

_SUPERVISOR = 0
"""The supervisor's place among the process ids whose metrics are added up."""


class WholeHealth:
    """Alive while the supervisor is, ready while one worker is; what all have counted."""

    def __init__(self, metrics: MetricsSum, workers: Callable[[], Collection[WorkerProcess]]) -> None:
        self._metrics = metrics
        self._workers = workers
        self._registry = CollectorRegistry()
        self.is_draining = False
        """Set once the supervisor is asked to end."""
        ProcessCollector(registry=self._registry)
        self._ready = Gauge("lexgate_workers", "Workers that are ready", registry=self._registry)
        self._deaths = Counter(
            "lexgate_worker_deaths", "Workers that ended unasked and were replaced", registry=self._registry
        )

    def count_death(self) -> None:
        """Count a worker that ended though nobody had asked it to."""
        self._deaths.inc()

    async def livez(self, _request: Request) -> Response:
        """Answer 200 as long as the supervisor's event loop turns."""
        return PlainTextResponse("ok\n")

    async def readyz(self, _request: Request) -> Response:
        """Answer 200 if a worker is ready and no shutdown is under way, else 503 with the cause."""
        return build_readiness("draining" if self.is_draining else await self._why_unready())

    async def metrics(self, _request: Request) -> Response:
        """Answer the sum of all metrics in the Prometheus text format."""
        workers = self._workers()
        ready = [worker for worker in workers if worker.is_ready]
        first = ready[0] if ready else None
        await asyncio.gather(*(worker.ask_metrics(shared=worker is first) for worker in workers))
        self._ready.set(len(ready))
        self._metrics.note(_SUPERVISOR, take_snapshot(self._registry.collect()))
        body, content_type = self._metrics.render()
        return Response(body, headers={"Content-Type": content_type})

    async def _why_unready(self) -> str | None:
        causes = ["starting"]
        answers = [asyncio.create_task(worker.ask_readiness()) for worker in self._workers()]
        try:
            for answer in asyncio.as_completed(answers):
                cause = await answer
                if cause is None:
                    return None
                causes.append(cause)
        finally:
            for task in answers:
                task.cancel()
        return causes[-1]
