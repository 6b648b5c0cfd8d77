"""One call to the resource server for all who want its answer: a task of its own, tied to no browser."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from gateway.errors import ResourceServerTimeout
from gateway.observability.exchange import Exchange
from gateway.proxy.answer import PassedAnswer
from gateway.proxy.caching import allows_joining, find_freshness
from gateway.proxy.deadlines import CallLimit
from gateway.proxy.flight_sending import FlightSending
from gateway.proxy.invalidation import resource_of
from gateway.proxy.peer_look import begin_reading, look_for
from gateway.proxy.redaction import build_redactor
from gateway.proxy.retry import parse_patience
from gateway.proxy.shared_answer import BEHIND_BYTES, SharedAnswer
from gateway.proxy.stored_answer import StoredAnswer, build_stored_fields
from gateway.proxy.upstream_answer import broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.proxy.answer_reader import Reader
    from gateway.proxy.caching import Freshness, Wanted
    from gateway.proxy.call import CallRequest
    from gateway.proxy.forward import Forward
    from gateway.proxy.peer_answers import PeerAnswers
    from gateway.proxy.response_cache import Reading, ResponseCache
    from gateway.proxy.shared_answer import Keeping
    from gateway.proxy.sharing import Sharing
    from gateway.proxy.upstream_answer import UpstreamAnswer
    from gateway.sessions.opened_session import OpenedSession

MOST_READERS = 64
"""Who comes beyond that asks for itself, and waits in the queues that bound what a session may ask."""


class Asked(NamedTuple):
    """A call that may be shared: who makes it, and how."""

    forward: Forward
    request: CallRequest
    opened: OpenedSession
    sharing: Sharing


class Flight:
    """Takes off for the first who asks; others `board` while `admits` says that they may.

    It is decided once it is known how its answer is served: whole, as `stored`, or as it comes.
    """

    def __init__(
        self,
        asked: Asked,
        cache: ResponseCache,
        landed: Callable[[Flight], None],
        peers: PeerAnswers | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        self.asked = asked
        self.shared = SharedAnswer(asked.request.method, keeping)
        self.stored: StoredAnswer | None = None
        self.is_kept = False
        """Whether the cache took what is `stored`."""
        self.is_found = False
        """Whether another process had fetched it."""
        self.is_decided = False
        self.sole: Reader | None = None
        """The one who gets an answer that cannot be shared; all others ask for themselves."""
        self.tokens: list[bytes] = []
        self.retry_after = 0.0
        given = asked.request.exchange
        self.exchange = Exchange(given.trace, given.find_address, given.started)
        self._cache = cache
        self._landed = landed
        self._look = None if peers is None else look_for(asked, cache, peers)
        self._reading: Reading | None = None
        self._boarded: dict[Reader, Asked] = {}
        self._sending: FlightSending | None = None
        self._is_ending = False
        self._task = asyncio.create_task(self._run())

    @property
    def is_sent(self) -> bool:
        """Whether the resource server has been asked: what changes after that may not be in its answer."""
        return self._reading is not None

    @property
    def expected(self) -> float:
        """In how many seconds it is sent at the earliest, as far as is known."""
        return 0.0 if self._sending is None or self.is_sent else self._sending.expected

    def admits(self, wanted: Wanted) -> bool:
        """Say whether the answer will do for one who asks now."""
        if self._is_ending or (self._reading is not None and self._reading.is_outdated):
            return False
        since = None if self._reading is None else self._cache.since(self._reading)
        may_join = self.shared.is_joinable and self.sole is None and len(self.shared.readers) < MOST_READERS
        return may_join and allows_joining(wanted, since)

    def board(self, asked: Asked) -> Reader:
        """Let one more read the answer, who must `leave`: it comes as soon as to who wants it most."""
        reader = self.shared.join()
        self._boarded[reader] = asked
        if not self.is_sent:
            self._heed([reader])
        return reader

    def leave(self, reader: Reader) -> None:
        """Let a reader go; with the last one the call ends, unless what was sent already can be kept."""
        reader.release()
        is_wanted = self.shared.readers or (self.is_sent and self.asked.sharing.seconds)
        if not is_wanted and not self._is_ending:
            self._is_ending = True  # before its task can know: nobody may join it any more
            self._task.cancel()
        elif not self.is_decided and self._sending is not None and self._sending.pacing is not None:
            opened = self._boarded[reader].opened
            left = {self._boarded[other].opened.session.key for other in self.shared.readers}
            if opened.session.key not in left:
                self._sending.pacing.part(opened)

    def _heed(self, readers: Iterable[Reader]) -> None:
        """Be as urgent and as patient as who wants it most, and go in the turn of whose comes first."""
        if self._sending is not None and self._sending.pacing is not None:
            for asked in map(self._boarded.__getitem__, readers):
                self._sending.pacing.hasten(asked.request.fields, asked.opened)

    async def sent(self, reader: Reader) -> None:
        """Wait until the resource server is asked; raises what broke the call off."""
        while not self.is_sent:
            if self.shared.error is not None:
                raise self.shared.error
            await reader.wait()

    async def decided(self, reader: Reader) -> None:
        """Wait until it is known how the answer is served; raises what broke the call off."""
        while not self.is_decided:
            if self.shared.error is not None:
                raise self.shared.error
            await reader.wait()

    async def end(self) -> None:
        """Come to an end at once."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def mark_sent(self) -> None:
        """Take note of the moment before the call is sent for the first time."""
        if self._reading is None:
            self._reading = begin_reading(self._cache, self.asked.opened)
            self.shared.wake()

    async def _run(self) -> None:
        limit = CallLimit()
        deadlines = self.asked.forward.deadlines
        deadlines.watch(limit)
        try:
            await self._fly(limit)
        except asyncio.CancelledError:
            verdict = limit.verdict
            if verdict is not None:
                limit.go_on()
            self.shared.fail(verdict or broken("nobody waits for the answer any more"))
        except Exception as error:  # noqa: BLE001 - whoever waits is told, and nobody else
            self.shared.fail(error)
        finally:
            self._is_ending = True
            deadlines.forget(limit)
            if self._reading is not None:
                self._cache.end_reading(self._reading)
            self._landed(self)
            if self._look is not None:
                await self._look.end()

    async def _fly(self, limit: CallLimit) -> None:
        if await self._take_from_peers():
            return
        forward, request, opened, sharing = self.asked
        limit.bound(request.matched.route.timeouts.total)
        # Where a turn must be taken, it is the Sending that takes the place, after it.
        key = None if request.matched.route.is_paced else opened.session.key
        if key is not None and not forward.concurrency.try_acquire(key):
            await forward.concurrency.acquire(key, patience=parse_patience(request.fields.prefer))
        try:
            fields = request.fields._replace(passed=sharing.keys[-1].lines)
            sent = request._replace(fields=fields, exchange=self.exchange)
            self._sending = sending = FlightSending(forward, sent, limit, opened, self.mark_sent)
            self._heed(self.shared.readers)
            answer = await sending.run(None)
            self.tokens, self.retry_after = sending.used, sending.retry_after
            try:
                await self._pass(answer, limit)
            finally:
                answer.release()
        finally:
            if key is not None:
                forward.concurrency.release(key)

    async def _pass(self, answer: UpstreamAnswer, limit: CallLimit) -> None:
        headers = [(name.lower(), value) for name, value in answer.headers]
        freshness = None
        if seconds := self.asked.sharing.seconds:
            now = self.asked.forward.clock()
            freshness = find_freshness(answer.status, headers, limit=seconds, now=now)
        most = self._cache.most_bytes
        if freshness is not None and (answer.length is None or answer.length <= most):
            self.shared.keeps = most
        else:
            freshness = None
            self._settle_who_reads(answer, headers, limit)
        self.shared.begin(answer.status, answer.headers, answer.length)
        if freshness is None:
            self._decide()
        await self._pump(answer, limit, freshness)

    def _settle_who_reads(
        self, answer: UpstreamAnswer, headers: list[tuple[bytes, bytes]], limit: CallLimit
    ) -> None:
        """Give to one alone what has no end, or is too much to be kept for slow readers."""
        is_endless = any(
            name == b"content-type" and value.lower().startswith(b"text/event-stream")
            for name, value in headers
        )
        if is_endless:
            limit.unbound()
        if is_endless or (answer.length or 0) > BEHIND_BYTES:
            self.sole = next((reader for reader in self._boarded if reader in self.shared.readers), None)

    async def _pump(self, answer: UpstreamAnswer, limit: CallLimit, freshness: Freshness | None) -> None:
        idle = self.asked.request.matched.route.timeouts.idle
        late = ResourceServerTimeout(log_detail="the answer stopped in its middle")
        shared = self.shared
        while not answer.is_whole:
            limit.begin(idle, late)
            piece = await answer.read()
            if piece:
                shared.feed(piece)
            if freshness is not None and shared.kept_bytes > shared.keeps:
                freshness, shared.keeps = None, 0  # more than the cache takes: on it goes as it comes
                self._decide()
            if freshness is None and not shared.readers:
                raise broken("nobody waits for the answer any more")
            limit.lift()
            await shared.wait_for_room()
        if rest := answer.read_whole():
            shared.feed(rest)
        answer.release()
        if freshness is not None:
            self._keep(freshness)
        shared.finish()
        self._decide()
        if self._look is not None and self.stored is not None and self.is_kept:
            await self._look.keep(self.stored)

    def _keep(self, freshness: Freshness) -> None:
        """Make the whole answer of what came, and have it stored."""
        request, sharing = self.asked.request, self.asked.sharing
        reading = self._reading
        if reading is None:
            raise AssertionError
        passed = PassedAnswer(self.shared, build_redactor(self.tokens), request.matched.route)
        body = passed.take_whole(self.shared.read_kept())
        fields, etag = build_stored_fields(passed.fields, passed.content_type, body)
        self.stored = stored = StoredAnswer(
            fields=fields,
            content_type=passed.content_type,
            body=body,
            etag=etag,
            freshness=freshness,
            wall=reading.wall,
            monotonic=reading.monotonic,
            number=reading.number,
            searched_for=self.tokens[-1],
            resource=resource_of(sharing.path),
        )
        self.is_kept = self._cache.store(sharing.kept_as, stored, reading)

    async def _take_from_peers(self) -> bool:
        """Serve and store what another process has fetched, once it has; False if this one is to ask."""
        look = self._look
        stored = None if look is None else await look.find()
        if look is None or stored is None:
            return False
        self._reading = look.hand_reading_over()
        self.stored, self.is_found = stored, True
        self._cache.store(self.asked.sharing.kept_as, stored, self._reading)
        self.shared.finish()
        self._decide()
        return True

    def _decide(self) -> None:
        self.is_decided = True
        self.shared.wake()
