"""The resource server's rate limit as a fair queue, shared by all who use the store.

A call that is sent takes a turn first. As long as nobody waits, that is one question to the store. If the
answer is "not now", the call waits in the line of its budget, and one task for each line asks the store again
when it said that asking makes sense. The store decides whose turn it is: which session of which process; the
line decides which call of that session goes first. Nothing is taken ahead, so a process that is killed takes
no turn with it, and a call that is cancelled leaves its place to the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import secrets
from typing import TYPE_CHECKING

from gateway.errors import BudgetExhausted, SessionBusy, StoreError
from gateway.proxy.asked_line import AskedLine
from gateway.proxy.rate_limit_fields import build_limit, build_policy
from gateway.proxy.retry import MAX_PATIENCE
from gateway.proxy.waiting_line import BudgetCall, BudgetPlace

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.observability.metrics import Metrics
    from gateway.sessions.opened_session import OpenedSession
    from gateway.sessions.store import SessionStore
    from gateway.sessions.turn import Pace

_LOGGER = logging.getLogger(__name__)

_OWNER_BYTES = 16
_TIMER_SECONDS = 0.001
"""Timers of an event loop may strike so much too early."""


class Budget:
    """All budgets of one process; `client_key` is the key of the only one, None for one a connection.

    Belongs to one event loop. Nothing is kept of a budget for which nobody waits. `per_session` calls of one
    session may wait at once.
    """

    def __init__(
        self,
        store: SessionStore,
        pace: Pace,
        *,
        client_key: bytes | None,
        per_session: int,
        clock: Callable[[], float],
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._pace = pace
        self._client_key = client_key
        self._per_session = per_session
        self._clock = clock
        self._metrics = metrics
        self._owner = secrets.token_bytes(_OWNER_BYTES)
        self._policy = build_policy(pace.rate)
        self._lines: dict[bytes, AskedLine] = {}
        self._charging: set[asyncio.Task[None]] = set()

    def place_of(self, opened: OpenedSession) -> BudgetPlace:
        """Return for which budget the calls of a session count."""
        return BudgetPlace(self._client_key or opened.grant.key, opened.session.key)

    async def turn(self, call: BudgetCall) -> None:
        """Wait until the call may be sent, and count the seconds in `call.waited`.

        Raises BudgetExhausted (429) as soon as it is clear that this takes longer than its patience, and
        SessionBusy (429) if too many calls of its session wait; StoreUnavailable. A caller that is cancelled
        leaves its place.
        """
        loop = asyncio.get_running_loop()
        line = self._lines.get(call.place.key)
        is_first = line is None
        if line is None:
            line = self._lines[call.place.key] = AskedLine(call.place.key, self._pace)
        elif line.count(call.place.session) >= self._per_session:
            self._metrics.count_rate_limited("session_busy")
            raise SessionBusy(retry_after=1)
        call.turn = loop.create_future()
        if line.join(call, now=loop.time()) and not is_first:
            line.woken.set()
        self._metrics.note_budget_waiting(1)
        try:
            if is_first:
                await self._begin(line)
            else:
                self._refuse_hopeless(line, only=call)
            await call.turn
        except BaseException:
            line.give_up(call)
            raise
        finally:
            self._metrics.note_budget_waiting(-1)
            call.turn = None
            seconds = loop.time() - call.since
            call.waited += seconds
        self._metrics.observe_budget_queue(seconds)

    def charge(self, grant_key: bytes, session_key: bytes) -> None:
        """Let a call count that was sent past the budget: its session's next turn is taken and not used."""
        place = BudgetPlace(self._client_key or grant_key, session_key)
        task = asyncio.create_task(self._take_and_drop(place))
        self._charging.add(task)
        task.add_done_callback(self._charging.discard)

    async def _take_and_drop(self, place: BudgetPlace) -> None:
        with contextlib.suppress(BudgetExhausted, SessionBusy, StoreError):
            await self.turn(BudgetCall(place, urgency=0, patience=MAX_PATIENCE, at_head=True))

    def hasten(
        self, call: BudgetCall, *, urgency: int, patience: float, place: BudgetPlace | None = None
    ) -> None:
        """Make a call at least so urgent, and patient for so many seconds from now on.

        With the place of another session in the same budget, it goes in the turn of whichever comes first.
        """
        waited = call.waited
        if call.turn is not None:
            waited += asyncio.get_running_loop().time() - call.since
        call.patience = max(call.patience, waited + patience)
        session = (call.place if place is None else place).session
        line = self._lines.get(call.place.key)
        if line is None:
            call.heed(urgency, session)
        elif line.hasten(call, urgency=urgency, session=session):
            line.woken.set()

    def part(self, call: BudgetCall, place: BudgetPlace) -> None:
        """Let a call go in the turns of a session no more that does not want its answer any longer."""
        line = self._lines.get(call.place.key)
        if line is not None:
            line.part(call, place.session)

    async def slow_down(self, place: BudgetPlace) -> None:
        """Let calls come more seldom, in all processes, for one that had its turn was refused."""
        self._metrics.count_rate_limited("resource_server")
        await self._store.slow_down(place.key, pace=self._pace, now=self._clock())

    def expected(self, call: BudgetCall) -> float:
        """Return in how many seconds the turn comes at the earliest for which a call waits."""
        line = self._lines.get(call.place.key)
        estimates = () if line is None else line.estimates(now=asyncio.get_running_loop().time())
        return next((seconds for each, seconds in estimates if each is call), 0.0)

    def refuse(self, late: float, *, cause: str) -> BudgetExhausted:
        """Build the refusal of a caller whose patience is over so many seconds before a call's turn."""
        self._metrics.count_rate_limited(cause)
        # A call that is as patient as this one would be served if it came so much later.
        seconds = max(1, math.ceil(late))
        return BudgetExhausted(retry_after=seconds, policy=self._policy, limit=build_limit(seconds))

    async def close(self) -> None:
        """End all waiting."""
        drivers = [line.driver for line in self._lines.values() if line.driver is not None]
        for driver in drivers:
            driver.cancel()
        for charging in self._charging:
            charging.cancel()
        await asyncio.gather(*drivers, *self._charging, return_exceptions=True)

    async def _begin(self, line: AskedLine) -> None:
        """Ask once in the first caller's own task; whoever then still waits needs a driver."""
        try:
            await self._ask(line)
        finally:
            if line or line.is_entered:
                line.driver = asyncio.create_task(self._drive(line))
            else:
                del self._lines[line.key]

    async def _drive(self, line: AskedLine) -> None:
        loop = asyncio.get_running_loop()
        try:
            while line or line.is_entered:
                pause = line.pause(now=loop.time())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause + _TIMER_SECONDS if pause else 0):
                        await line.woken.wait()
                line.woken.clear()
                self._refuse_hopeless(line)
                await self._ask(line)
        except Exception:
            _LOGGER.exception("a queue of calls failed")
        finally:
            del self._lines[line.key]
            line.fail("the queue ended")

    async def _ask(self, line: AskedLine) -> None:
        """Tell the store who waits, and let the one go whose turn it is."""
        waiting = line.waiting(now=asyncio.get_running_loop().time())
        line.is_entered = line.is_entered or bool(waiting)  # even if who asks is cancelled meanwhile
        try:
            turn = await self._store.take_turn(
                line.key, owner=self._owner, waiting=waiting, pace=self._pace, now=self._clock()
            )
        except StoreError as error:
            line.is_entered = False
            line.fail(error.log_detail)
            return
        line.note(turn, now=asyncio.get_running_loop().time())
        line.is_entered = sum(row.calls for row in waiting) > (turn.session is not None)
        if turn.session is not None:
            line.let_go(turn.session)
        self._refuse_hopeless(line)

    def _refuse_hopeless(self, line: AskedLine, *, only: BudgetCall | None = None) -> None:
        now = asyncio.get_running_loop().time()
        for call, seconds in line.estimates(now=now):
            late = now + seconds - call.gives_up_at
            if late > 0 and only in {None, call} and call.turn is not None and not call.turn.done():
                line.leave(call)
                is_over = now >= call.gives_up_at
                cause = "patience_over" if is_over else "refused_at_once"
                call.turn.set_exception(self.refuse(late, cause=cause))
