"""Starts the workers, replaces those that died, rolls new settings out, and ends all in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.accepting import ConnectionCounts
from gateway.errors import ConfigurationError
from gateway.listener import Listener, Serving
from gateway.observability.logs import configure_logging
from gateway.observability.metrics import SHARED
from gateway.observability.metrics_sum import MetricsSum
from gateway.serving import CLOSE_SECONDS, DRAIN_SECONDS, end_on_signals
from gateway.settings import variable_of
from gateway.web.health import build_admin_app
from gateway.workers.process import WorkerProcess
from gateway.workers.restart_pause import next_pause
from gateway.workers.whole import WholeHealth

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine

    from gateway.settings import Settings

_LOGGER = logging.getLogger(__name__)
_MARGIN_SECONDS = 1
_READY_SECONDS = 30


class NoWorkerReady(Exception):
    """Not one worker became ready at the start; the text is for the operator."""


@dataclass(slots=True)
class _Place:
    """One of the N: who serves there now, and who keeps it filled."""

    worker: WorkerProcess
    keeper: asyncio.Task[Any] | None = None
    filling: asyncio.Lock = field(default_factory=asyncio.Lock)


class Supervisor:
    """Holds the public listener for the workers, so that no connection is refused while one is replaced."""

    def __init__(
        self,
        settings: Settings,
        *,
        load_settings: Callable[[], Settings],
        public: socket.socket,
        admin: socket.socket,
        on_ready: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._load_settings = load_settings
        self._public = public
        self._admin = admin
        self._on_ready = on_ready
        self._was_ready = False
        self._counts = ConnectionCounts.create()
        self._metrics = MetricsSum(SHARED)
        self._workers: dict[int, WorkerProcess] = {}
        self._places: list[_Place] = []
        self._health = WholeHealth(self._metrics, lambda: list(self._workers.values()))
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT; SIGHUP rolls the settings out. Raises NoWorkerReady."""
        ending, reload = end_on_signals(self._kill), asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload.set)
        admin = Serving(Listener(build_admin_app(self._health), self._admin))
        await admin.start()
        try:
            await self._start(ending)
            self._begin(self._roll_when_told(reload))
            await ending.wait()
        finally:
            self._health.is_draining = True
            await self._end()
            await admin.end(1)

    async def _start(self, ending: asyncio.Event) -> None:
        first = [await self._launch(self._settings) for _ in range(self._settings.workers)]
        settling = [self._begin(worker.settled()) for worker in first]
        asked_to_end = self._begin(ending.wait())
        for settled in settling:
            await asyncio.wait({settled, asked_to_end}, return_when=asyncio.FIRST_COMPLETED)
        if ending.is_set():
            return
        if not any(worker.is_ready for worker in first):
            raise NoWorkerReady(first[0].failure)
        for worker in first:
            self._add_place(worker)
        self._tell_readiness()

    async def _launch(self, settings: Settings) -> WorkerProcess:
        try:
            worker = await WorkerProcess.start(settings, self._public, self._counts, self._metrics)
        except OSError as exc:
            raise NoWorkerReady(f"no worker can be started ({exc.strerror})") from exc
        self._workers[worker.pid] = worker
        self._begin(self._watch(worker))
        return worker

    async def _watch(self, worker: WorkerProcess) -> None:
        await worker.settled()
        self._tell_readiness()
        await worker.ended()
        self._workers.pop(worker.pid, None)

    def _tell_readiness(self) -> None:
        if not self._was_ready and self._places and all(place.worker.is_ready for place in self._places):
            self._was_ready = True
            self._on_ready()

    def _add_place(self, worker: WorkerProcess) -> None:
        place = _Place(worker)
        place.keeper = self._begin(self._keep(place))
        self._places.append(place)

    async def _keep(self, place: _Place) -> None:
        """Replace whoever dies at this place, the slower the more often it happens."""
        pause = 0.0
        while True:
            worker = place.worker
            await worker.ended()
            if worker is not place.worker:
                continue
            self._health.count_death()
            pause = next_pause(pause, lived=worker.lived)
            fields = {"pid": worker.pid, "exit_code": worker.code, "pause_seconds": pause}
            _LOGGER.error("a worker died and is replaced", extra={"fields": fields})
            await asyncio.sleep(pause)
            async with place.filling:
                if worker is place.worker:
                    with contextlib.suppress(NoWorkerReady):  # the machine is full: the pause grows
                        place.worker = await self._launch(self._settings)

    async def _roll_when_told(self, reload: asyncio.Event) -> None:
        while True:
            await reload.wait()
            reload.clear()
            try:
                settings = self._load_settings()
                self._refuse_other_listeners(settings)
                await self._roll(settings)
            except ConfigurationError as error:
                for problem in error.problems:
                    _LOGGER.error("the settings stay as they were: %s", problem)  # noqa: TRY400 - no defect
            except NoWorkerReady as error:
                _LOGGER.error("the settings were not rolled out: %s", error)  # noqa: TRY400 - the same
            else:
                _LOGGER.info("the settings are rolled out", extra={"fields": {"workers": settings.workers}})

    def _refuse_other_listeners(self, settings: Settings) -> None:
        problems = [
            f"{variable_of(field_name)}: cannot change while the gateway runs; restart it"
            for field_name in ("bind", "admin_bind")
            if getattr(settings, field_name) != getattr(self._settings, field_name)
        ]
        if problems:
            raise ConfigurationError(problems)

    async def _roll(self, settings: Settings) -> None:
        """Put a new worker at every place; each old one is told to end when its successor is ready."""
        for number in range(settings.workers):
            if number == len(self._places):
                self._add_place(await self._launch_ready(settings))
            else:
                await self._replace(self._places[number], settings)
            self._settings = settings  # one worker could serve with them: whoever dies gets them, too
        configure_logging(settings.log_level)
        while len(self._places) > settings.workers:
            place = self._places.pop()
            if place.keeper is not None:
                place.keeper.cancel()
            self._begin(self._finish(place.worker))

    async def _replace(self, place: _Place, settings: Settings) -> None:
        async with place.filling:
            successor = await self._launch_ready(settings)
            place.worker, former = successor, place.worker
        self._begin(self._finish(former))

    async def _launch_ready(self, settings: Settings) -> WorkerProcess:
        worker = await self._launch(settings)
        try:
            async with asyncio.timeout(_READY_SECONDS):
                is_ready = await worker.settled()
        except TimeoutError:
            worker.kill()
            raise NoWorkerReady(f"a worker was not ready after {_READY_SECONDS} s") from None
        if not is_ready:
            raise NoWorkerReady(worker.failure)
        return worker

    async def _finish(self, worker: WorkerProcess) -> None:
        """Let a worker end its calls; kill one that takes longer than its own limits."""
        worker.end()
        try:
            async with asyncio.timeout(DRAIN_SECONDS + CLOSE_SECONDS + _MARGIN_SECONDS):
                await worker.ended()
        except TimeoutError:
            _LOGGER.warning("a worker did not end in time", extra={"fields": {"pid": worker.pid}})
            worker.kill()
            await worker.ended()

    async def _end(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        # The last of the workers then closes the socket, with nobody left in its queue.
        self._public.close()
        await asyncio.gather(*(self._finish(worker) for worker in list(self._workers.values())))

    def _kill(self) -> None:
        for worker in self._workers.values():
            worker.kill()

    def _begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
