"""Connections to the resource servers, kept and shared; nothing outside this package knows of them."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

from gateway.errors import GatewayError, ResourceServerUnreachable
from gateway.proxy.connection import Connection
from gateway.proxy.dialing import Origin, build_tls_context, dial, parse_origin
from gateway.proxy.request_body import BrowserLeftError
from gateway.proxy.retry import SAFE_METHODS

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import AsyncIterator

    from gateway.proxy.route import Route
    from gateway.proxy.upstream_answer import UpstreamAnswer

MAX_CONNECTIONS = 256
"""To one origin."""
MAX_WAITING = 2048
"""Calls that wait for a connection to one origin; the next is refused."""
IDLE_SECONDS = 15.0
"""How long a connection is kept that nobody uses: below what servers and balancers are known to keep."""
_IDLE_ROUNDS = 5


class Upstream:
    """The pools of all destinations: one for each origin and the certificates that it is checked against."""

    def __init__(self) -> None:
        self._pools: dict[str, Pool] = {}
        self._reaping: asyncio.TimerHandle | None = None

    def pool(self, route: Route) -> Pool:
        """Return the pool of a route's origin."""
        name = route.origin if route.ca_file is None else f"{route.origin} {route.ca_file}"
        pool = self._pools.get(name)
        if pool is None:
            origin = parse_origin(route.origin)
            tls = build_tls_context(route.ca_file) if origin.is_tls else None
            pool = self._pools[name] = Pool(origin, tls)
            if self._reaping is None:
                self._reap()
        return pool

    async def close(self) -> None:
        """Close every connection."""
        if self._reaping is not None:
            self._reaping.cancel()
            self._reaping = None
        for pool in self._pools.values():
            pool.close()

    def _reap(self) -> None:
        loop = asyncio.get_running_loop()
        for pool in self._pools.values():
            pool.reap()
        self._reaping = loop.call_later(IDLE_SECONDS / _IDLE_ROUNDS, self._reap)


class Waiter(Protocol):
    """Somebody who waits for a connection."""

    def give(self, connection: Connection | None) -> bool:
        """Take a connection, or (None) the place of one; False from whoever waits no longer."""
        ...


class _Waiting:
    """A task that waits."""

    __slots__ = ("given",)

    def __init__(self) -> None:
        self.given: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()

    def give(self, connection: Connection | None) -> bool:
        """Wake the task; see Waiter."""
        if self.given.done():
            return False
        self.given.set_result(connection)
        return True


class Pool:
    """The connections to one origin: the one used last is used first, so that the surplus grows old."""

    def __init__(self, origin: Origin, tls: ssl.SSLContext | None) -> None:
        self.host = origin.authority
        self._origin = origin
        self._tls = tls
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._opening = 0
        self._round = 0
        self._waiters: deque[Waiter] = deque()

    async def send(
        self,
        head: bytes,
        *,
        method: str,
        body: bytes | AsyncIterator[bytes] | None,
        is_chunked: bool = False,
        connect_seconds: float,
        is_fresh: bool = False,
    ) -> UpstreamAnswer:
        """Send a request, `head` complete, and return once the answer's head is there; `release` it.

        Raises ResourceServerUnreachable when the request was certainly not sent, ResourceServerBroken when
        the connection was lost on the way, and what the body raises. How long all of it may take is for the
        caller to say: cancelled, it closes the connection. `is_fresh` asks for a new one, when the last
        attempt met one that the server had closed: the others that are kept may be as stale.
        """
        connection = None if is_fresh else self.take(method)
        if connection is None:
            connection = await self._wait_for_one(connect_seconds)
        if body is None or isinstance(body, bytes):
            answer = connection.ask(head + body if body else head, method=method)
        else:
            answer = connection.ask(head, method=method)
            answer.goes_with(asyncio.create_task(_upload(connection, answer, body, is_chunked=is_chunked)))
        try:
            await answer.head()
        except BaseException:
            answer.release()
            raise
        return answer

    def take(self, method: str) -> Connection | None:
        """Take a connection that nobody uses, if there is one."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            # A write cannot be sent again, so it is worth a look whether the server has just closed.
            if connection.is_usable and (method in SAFE_METHODS or connection.is_quiet()):
                return connection
            connection.close()
        return None

    def serve(self, waiter: Waiter, method: str) -> bool:
        """Give a connection, now or when another call is done with it; False if one must be opened."""
        connection = self.take(method)
        if connection is not None:
            return waiter.give(connection)
        return self._is_full() and self.queue(waiter)

    def queue(self, waiter: Waiter) -> bool:
        """Let somebody wait behind those who came before; False if too many do already."""
        if len(self._waiters) >= MAX_WAITING:
            return False
        self._waiters.append(waiter)
        return True

    def hand_on_place(self) -> None:
        """Let the next one who waits open a connection, if one may be opened."""
        if not self._is_full():
            self._hand_on(None)

    def _is_full(self) -> bool:
        return len(self._open) + self._opening >= MAX_CONNECTIONS

    async def _wait_for_one(self, connect_seconds: float) -> Connection:
        """Open a connection, or wait for one where as many are open as may be."""
        while self._is_full():
            if self._idle:
                self._idle.pop(0).close()
            freed = await self._wait_for_another(connect_seconds)
            if freed is not None and freed.is_usable:
                return freed
        self._opening += 1
        try:
            connection = await dial(self._origin, self._build, tls=self._tls, seconds=connect_seconds)
        except BaseException:
            self._hand_on(None)
            raise
        finally:
            self._opening -= 1
        if not connection.is_usable:
            raise ResourceServerUnreachable(log_detail="closed at once", retry_after=1)
        self._open.add(connection)
        return connection

    async def _wait_for_another(self, seconds: float) -> Connection | None:
        """Wait for a connection that somebody else has done with, or (None) for the place of one."""
        waiting = _Waiting()
        if not self.queue(waiting):
            raise ResourceServerUnreachable(log_detail="too many calls wait", retry_after=1)
        try:
            async with asyncio.timeout(seconds):
                return await waiting.given
        except BaseException as exc:
            if waiting.given.done() and not waiting.given.cancelled():
                # What came at the very moment in which the waiting ended is for the next.
                self._pass_on(waiting.given.result())
            if isinstance(exc, TimeoutError):
                raise no_connection_is_free() from exc
            raise

    def _pass_on(self, connection: Connection | None) -> None:
        if connection is None or not connection.is_usable:
            self._hand_on(None)
        else:
            self._free(connection)

    def _build(self, connected: socket.socket) -> Connection:
        return Connection(connected, on_free=self._free, on_lost=self._lose)

    def _free(self, connection: Connection) -> None:
        if not self._hand_on(connection):
            connection.idle_round = self._round
            self._idle.append(connection)

    def _lose(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._hand_on(None)

    def _hand_on(self, connection: Connection | None) -> bool:
        """Give a connection, or the place for one, to whoever has waited longest."""
        while self._waiters:
            if self._waiters.popleft().give(connection):
                return True
        return False

    def reap(self) -> None:
        """Close what nobody has used for the last rounds; called once a round."""
        self._round += 1
        while self._idle and self._idle[0].idle_round < self._round - _IDLE_ROUNDS:
            self._idle.pop(0).close()

    def close(self) -> None:
        """Close all of them."""
        for connection in list(self._open):
            connection.close()
        self._idle.clear()


async def _upload(
    connection: Connection, answer: UpstreamAnswer, body: AsyncIterator[bytes], *, is_chunked: bool
) -> None:
    try:
        async for piece in body:
            connection.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
            await connection.drained()
            if answer.is_whole or answer.error is not None:
                return  # Answered, or broken off: what is left interests nobody.
    except (GatewayError, BrowserLeftError) as error:
        answer.fail(error)
        return
    if is_chunked:
        connection.write(b"0\r\n\r\n")
    answer.is_sent = True


def no_connection_is_free() -> ResourceServerUnreachable:
    """Build the error of a call that has waited in vain."""
    return ResourceServerUnreachable(log_detail="no connection is free", retry_after=1)
