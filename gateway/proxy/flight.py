"""One call to the resource server for all who want its answer: a task of its own, tied to no browser."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.observability.exchange import Exchange
from gateway.proxy.caching import allows_joining
from gateway.proxy.deadlines import CallLimit
from gateway.proxy.flight_sending import FlightSending
from gateway.proxy.peer_look import look_for
from gateway.proxy.retry import parse_patience
from gateway.proxy.shared_call import SharedCall
from gateway.proxy.upstream_answer import broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.proxy.answer_reader import Reader
    from gateway.proxy.caching import Wanted
    from gateway.proxy.peer_answers import PeerAnswers
    from gateway.proxy.response_cache import ResponseCache
    from gateway.proxy.shared_answer import Keeping
    from gateway.proxy.shared_call import Asked

MOST_READERS = 64
"""Who comes beyond that asks for itself, and waits in the queues that bound what a session may ask."""


class Flight(SharedCall):
    """Takes off for the first who asks; others `board` while `admits` says that they may."""

    def __init__(
        self,
        asked: Asked,
        cache: ResponseCache,
        landed: Callable[[Flight], None],
        peers: PeerAnswers | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        super().__init__(asked, cache, keeping)
        self.is_found = False
        """Whether another process had fetched what is `stored`."""
        given = asked.request.exchange
        self.exchange = Exchange(given.trace, given.find_address, given.started)
        self._landed = landed
        self._look = None if peers is None else look_for(asked, cache, peers)
        self._sending: FlightSending | None = None
        self._is_ending = False
        self._task = asyncio.create_task(self._run())

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

    async def end(self) -> None:
        """Come to an end at once."""
        self._task.cancel()
        await asyncio.wait([self._task])

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
                await self._serve(answer, limit)
                if self._look is not None and self.stored is not None and self.is_kept:
                    await self._look.keep(self.stored)
            finally:
                answer.release()
        finally:
            if key is not None:
                forward.concurrency.release(key)

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
