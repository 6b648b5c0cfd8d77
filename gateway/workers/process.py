"""A worker as its supervisor sees it: started, asked, told to end."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import sys
from typing import TYPE_CHECKING, Any, Self

from gateway.workers.channel import Channel

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.accepting import ConnectionCounts
    from gateway.observability.metrics_sum import MetricsSum
    from gateway.settings import Settings

_ANSWER_SECONDS = 2.0
"""How long an answer is waited for: below the 5 s that orchestrators give to a probe."""
_DIED = "a worker died before it was ready (exit code {})"


class WorkerProcess:
    """One process and its channel."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        channel: Channel,
        metrics: MetricsSum,
        release: Callable[[], None],
    ) -> None:
        self.pid = process.pid
        self.is_ready = False
        self.is_ending = False
        """Whether it was told to end, so that its end is no accident."""
        self.failure: str | None = None
        """Why it never became ready, for the operator."""
        self.lived = 0.0
        """Seconds, once it has ended."""
        self.code: int | None = None
        self._process = process
        self._channel = channel
        self._metrics = metrics
        self._release = release
        self._settled = asyncio.Event()
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._life = asyncio.create_task(self._live())

    @classmethod
    async def start(
        cls, settings: Settings, public: socket.socket, counts: ConnectionCounts, metrics: MetricsSum
    ) -> Self:
        """Start a worker on a listener; raises OSError if the machine has no room for it."""
        ours, theirs = socket.socketpair()
        place = counts.claim()
        with theirs:
            descriptors = (public.fileno(), theirs.fileno(), counts.descriptor)
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # a folder named gateway in the working directory is not the gateway
                "-m",
                "gateway.workers.worker",
                *map(str, (*descriptors, place)),
                pass_fds=descriptors,
                stdin=asyncio.subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        channel = await Channel.open(ours)
        channel.send_settings(settings)
        return cls(process, channel, metrics, lambda: counts.release(place))

    async def settled(self) -> bool:
        """Wait until it is ready or has failed to; tell which."""
        await self._settled.wait()
        return self.is_ready

    async def ended(self) -> None:
        """Wait for its end."""
        await asyncio.shield(self._life)

    async def ask_readiness(self) -> str | None:
        """Return the code of what keeps it from serving, or None."""
        if not self.is_ready:
            return "draining" if self.is_ending else "starting"
        answered, answer = await self._ask("readiness")
        return answer if answered else "no_answer"

    async def ask_metrics(self, *, shared: bool) -> None:
        """Add what it has counted to the sum; without an answer the last one stands."""
        answered, answer = await self._ask("metrics", shared=shared)
        if answered:
            self._metrics.note(self.pid, answer)

    def end(self) -> None:
        """Tell it to finish its calls and end."""
        self.is_ending = True
        self.is_ready = False
        self._channel.send({"ask": "end"})

    def kill(self) -> None:
        """End it at once."""
        self.is_ending = True
        if self.code is None:
            self._process.kill()

    async def _ask(self, question: str, **more: bool) -> tuple[bool, Any]:
        if self.code is not None:
            return False, None
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._channel.send({"ask": question, "id": number, **more})
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return True, await answer
        except TimeoutError:
            return False, None
        finally:
            del self._asked[number]

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        born = loop.time()
        while (message := await self._channel.receive()) is not None:
            self._hear(message)
        self.code = await self._process.wait()
        self.lived = loop.time() - born
        self._release()
        self._metrics.retire(self.pid)
        if not self.is_ready:
            self.failure = self.failure or _DIED.format(self.code)
        self.is_ready = False
        self._settled.set()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(TimeoutError())
        await self._channel.close()

    def _hear(self, message: dict[str, Any]) -> None:
        if "id" in message:
            answer = self._asked.get(message["id"])
            if answer is not None and not answer.done():
                answer.set_result(message["answer"])
        elif message["is"] == "ready":
            self.is_ready = True
            self._settled.set()
        elif message["is"] == "failed":
            self.failure = message["why"]
        else:
            self.is_ready = False
            self._metrics.note(self.pid, message["metrics"])
