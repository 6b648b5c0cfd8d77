"""Asks the resource server once for what several want, and not at all for what is stored.

Identical GETs of one session share a call (flight.py). Paths that are cached share it between the sessions of
one connection, and what came serves those who come later, from the private cache (response_cache.py).
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from gateway.errors import SessionBusy, SessionRequired
from gateway.proxy.caching import matches_etag
from gateway.proxy.flight import Flight
from gateway.proxy.passing import Passing
from gateway.proxy.retry import parse_patience
from gateway.proxy.reuse import find_reusable, is_reusable
from gateway.proxy.shared_answer import Keeping
from gateway.proxy.shared_call import Asked
from gateway.proxy.sharing import plan_sharing
from gateway.proxy.stored_answer import build_stored_head
from gateway.proxy.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Send

    from gateway.observability.metrics import Metrics
    from gateway.proxy.answer_reader import Reader
    from gateway.proxy.browser_connection import BrowserConnection
    from gateway.proxy.call import CallRequest
    from gateway.proxy.deadlines import CallLimit
    from gateway.proxy.forward import Forward
    from gateway.proxy.invalidation import Resources
    from gateway.proxy.peer_answers import PeerAnswers
    from gateway.proxy.response_cache import ResponseCache
    from gateway.proxy.sharing import CachedPaths, SharedKey, Sharing
    from gateway.proxy.stored_answer import StoredAnswer
    from gateway.sessions.opened_session import OpenedSession

_GRACE_SECONDS = 0.25
"""Even who would not wait at all waits for the store's word on whether a call may be sent."""


class AskingOnce:
    """The calls that are shared just now, the cache, and the `writes` that outdate both."""

    def __init__(
        self,
        *,
        cache: ResponseCache,
        cached: CachedPaths,
        touched_by_write: Callable[[bytes], Resources],
        is_in_use: bool,
        metrics: Metrics,
        peers: PeerAnswers | None = None,
    ) -> None:
        self.cache = cache
        self.peers = peers
        self.writes = Writes(cache, touched_by_write=touched_by_write, is_in_use=is_in_use)
        self._cached = cached
        self._metrics = metrics
        self._flights: dict[SharedKey, Flight] = {}
        self._aloft: set[Flight] = set()
        self._keeping: WeakValueDictionary[bytes, Keeping] = WeakValueDictionary()

    async def serve(
        self,
        forward: Forward,
        request: CallRequest,
        send: Send,
        *,
        limit: CallLimit,
        browser: BrowserConnection | None,
        opened: OpenedSession,
    ) -> bool:
        """Serve a GET without a body; False says that it is to be asked for alone."""
        sharing = plan_sharing(
            request.fields,
            request.matched,
            session=opened.session.key,
            connection=opened.grant.key,
            cached=self._cached,
        )
        if sharing is None:
            return False
        asked = Asked(forward, request, opened, sharing)
        passing = Passing(forward, request, send, limit=limit, browser=browser)
        refusal = "uri-miss"
        if sharing.seconds:
            stored, refusal = find_reusable(self.cache, asked)
            if stored is not None:
                age = self.cache.age(stored)
                await self._pass_stored(
                    passing, sharing, stored, age, b"hit; ttl=%d" % stored.ttl(age), outcome="hit"
                )
                return True
        return await self._fly_along(passing, asked, refusal)

    async def close(self) -> None:
        """End all calls, and forget everything."""
        for flight in tuple(self._aloft):
            await flight.end()
        self.cache.close()

    async def _fly_along(self, passing: Passing, asked: Asked, refusal: str) -> bool:
        while True:
            flight, joined = self._find_flight(asked)
            reader = flight.board(asked)
            try:
                await self._decided(flight, reader, asked)
                if not asked.opened.is_live:
                    await asked.forward.admit(asked.request)  # it may have ended meanwhile
                if flight.sole is not None and flight.sole is not reader:
                    return False
                if flight.is_found and not is_reusable(self.cache, flight.stored, asked):
                    return False  # who looked for it was content with less
                await self._pass(passing, asked, flight, reader, _told(flight, refusal, joined=joined))
            except SessionRequired:
                # It was another session of the connection that ended.
                if not joined or flight.asked.opened.session.key == asked.opened.session.key:
                    raise
            else:
                return True
            finally:
                flight.leave(reader)

    def _find_flight(self, asked: Asked) -> tuple[Flight, bool]:
        for key in asked.sharing.keys:
            flight = self._flights.get(key)
            if flight is not None and flight.admits(asked.sharing.wanted):
                self._metrics.count_shared_call()
                return flight, True
        own = asked.sharing.keys[-1]
        keeping = self._keeping.setdefault(asked.opened.session.key, Keeping())
        flight = Flight(asked, self.cache, self._landed, self.peers, keeping)
        self._flights[own] = flight
        self._aloft.add(flight)
        return flight, False

    def _landed(self, flight: Flight) -> None:
        self._aloft.discard(flight)
        own = flight.asked.sharing.keys[-1]
        if self._flights.get(own) is flight:
            del self._flights[own]

    @staticmethod
    async def _decided(flight: Flight, reader: Reader, asked: Asked) -> None:
        """Wait as long as the caller would, until the call is sent; then its own limits count.

        The queue refuses the call itself when the most patient one's time is over, or cannot be kept.
        """
        patience = parse_patience(asked.request.fields.prefer)
        budget = asked.forward.budget
        late = flight.expected - patience
        if budget is not None and late > _GRACE_SECONDS:
            raise budget.refuse(late, cause="refused_at_once")
        try:
            async with asyncio.timeout(patience + _GRACE_SECONDS):
                await flight.sent(reader)
        except TimeoutError:
            if budget is None:
                raise SessionBusy(retry_after=1) from None
            raise budget.refuse(flight.expected, cause="patience_over") from None
        finally:
            _tell_times(flight, asked)
        await flight.decided(reader)

    async def _pass(
        self, passing: Passing, asked: Asked, flight: Flight, reader: Reader, status: bytes
    ) -> None:
        _tell_times(flight, asked)
        if flight.stored is not None:
            age = self.cache.age(flight.stored)
            outcome = "peer" if flight.is_found else "miss"
            await self._pass_stored(passing, asked.sharing, flight.stored, age, status, outcome=outcome)
            return
        await passing.run(
            reader,
            tokens=flight.tokens,
            retry_after=flight.retry_after,
            opened=asked.opened,
            more=((b"cache-status", b"lexgate; " + status),),
        )

    async def _pass_stored(
        self,
        passing: Passing,
        sharing: Sharing,
        stored: StoredAnswer,
        age: float,
        status: bytes,
        *,
        outcome: str,
    ) -> None:
        is_match = matches_etag(sharing.if_none_match, stored.etag)
        self._metrics.count_cached(outcome)
        told = None if outcome == "miss" else age
        head = build_stored_head(stored, is_match=is_match, age=told, cache_status=b"lexgate; " + status)
        await passing.pass_whole(head, b"" if is_match else stored.body)


def _tell_times(flight: Flight, asked: Asked) -> None:
    own, shared = asked.request.exchange, flight.exchange
    took = time.perf_counter() - own.started  # who joined late waited for a part of it
    own.upstream_seconds = min(shared.upstream_seconds, took)
    if shared.queue_seconds is not None:
        own.queue_seconds = min(shared.queue_seconds, took - own.upstream_seconds)


def _told(flight: Flight, refusal: str, *, joined: bool) -> bytes:
    """Say what became of the call (RFC 9211 §2)."""
    if flight.is_found:
        return b"hit; detail=peer"  # RFC 9211 §2.8: what another process has fetched
    reason = refusal if flight.asked.sharing.seconds else "bypass"
    parts = [b"fwd=%b" % reason.encode("ascii")]
    if joined:
        parts.append(b"collapsed")
    if flight.is_kept:
        parts.append(b"stored")
    return b"; ".join(parts)
