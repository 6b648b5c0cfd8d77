"""The turns that one call takes within the resource server's rate limit, and the place of its session."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.proxy.rate_limit_fields import parse_urgency
from gateway.proxy.retry import SAFE_METHODS, parse_patience
from gateway.proxy.waiting_line import BudgetCall

if TYPE_CHECKING:
    from gateway.observability.exchange import Exchange
    from gateway.proxy.budget import Budget
    from gateway.proxy.call import CallRequest
    from gateway.proxy.concurrency import SessionConcurrency
    from gateway.proxy.request_fields import RequestFields
    from gateway.proxy.upstream_answer import UpstreamAnswer
    from gateway.sessions.opened_session import OpenedSession

_SEARCHED_BYTES = 16 * 1024
_OF_RATES = re.compile(rb"rate.{0,3}limit|too many requests|throttl", re.IGNORECASE | re.DOTALL)
_NOTICEABLE_SECONDS = 0.05


class Pacing:
    """What a call needs beside its session where its route is paced."""

    def __init__(
        self, budget: Budget, concurrency: SessionConcurrency, request: CallRequest, opened: OpenedSession
    ) -> None:
        self._budget = budget
        self._concurrency = concurrency
        self._exchange: Exchange = request.exchange
        self._call = BudgetCall(
            budget.place_of(opened),
            urgency=parse_urgency(request.fields.priority),
            patience=parse_patience(request.fields.prefer),
        )
        self._has_place = False

    @property
    def patience(self) -> float:
        """Seconds that the call would still wait."""
        return self._call.patience - self._call.waited

    def hasten(self, fields: RequestFields, opened: OpenedSession) -> None:
        """Make the call at least as urgent and patient as another one that wants the same, and as soon."""
        self._budget.hasten(
            self._call,
            urgency=parse_urgency(fields.priority),
            patience=parse_patience(fields.prefer),
            place=self._budget.place_of(opened),
        )

    def part(self, opened: OpenedSession) -> None:
        """Heed a session no more that has left."""
        self._budget.part(self._call, self._budget.place_of(opened))

    @property
    def expected(self) -> float:
        """In how many seconds its turn comes at the earliest."""
        return self._budget.expected(self._call)

    async def take_turn(self) -> bool:
        """Wait for a turn, and then for a place of the session's; returns whether that took its time.

        Whatever follows has had a turn, and goes to the head of its queue. Raises as Budget.turn and
        SessionConcurrency.acquire do.
        """
        call, session = self._call, self._call.place.session
        before = call.waited
        self._exchange.queue_seconds = before
        try:
            await self._budget.turn(call)
        finally:
            self._exchange.queue_seconds = call.waited
        call.at_head = True
        waited = call.waited - before > _NOTICEABLE_SECONDS
        if not self._has_place and not self._concurrency.try_acquire(session):
            await self._concurrency.acquire(session, patience=self.patience)
            waited = True
        self._has_place = True
        return waited

    async def is_throttled(self, answer: UpstreamAnswer) -> bool:
        """Return whether an answer says that too many calls were sent; of a safe method if it is a 500."""
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            return True
        if answer.status != HTTPStatus.INTERNAL_SERVER_ERROR or answer.method not in SAFE_METHODS:
            return False
        return _OF_RATES.search(await answer.peek_whole(most=_SEARCHED_BYTES)) is not None

    async def slow_down(self) -> None:
        """Slow the budget down for all, for this call was refused."""
        await self._budget.slow_down(self._call.place)

    async def wait(self, seconds: float) -> None:
        """Wait as the resource server asked, at the cost of the call's patience."""
        self._call.waited += seconds
        self._exchange.queue_seconds = self._call.waited
        await asyncio.sleep(seconds)

    def leave(self) -> None:
        """Give the session's place back."""
        if self._has_place:
            self._has_place = False
            self._concurrency.release(self._call.place.session)
