"""What the processes before a store share beside sessions: turns, events and answers; in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import StoreUnavailable
from gateway.sessions.change_log import ChangeLog
from gateway.sessions.event_log import new_epoch
from gateway.sessions.kept_answers import ANSWER_SECONDS, KeptAnswer
from gateway.sessions.memory_events import MemoryEvents
from gateway.sessions.memory_tables import Tables
from gateway.sessions.turn import decide_slowdown, decide_turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.sessions.event_log import EventBatch, EventId
    from gateway.sessions.kept_answers import AnswerClaim
    from gateway.sessions.turn import Pace, Turn, Waiting


class MemoryShared:
    """The part of MemoryStore that is not about sessions."""

    def __init__(self) -> None:
        self._tables: Tables | None = None
        self._epoch = 0

    def _opened(self) -> Tables:
        if self._tables is None:
            raise StoreUnavailable(log_detail="the memory store is closed")
        return self._tables

    async def open(self) -> None:
        """Begin empty."""
        self._epoch += 1
        self._tables = Tables(ChangeLog(self._epoch), MemoryEvents(new_epoch()))

    async def close(self) -> None:
        """Forget everything."""
        self._tables = None

    async def take_turn(
        self, key: bytes, *, owner: bytes, waiting: Sequence[Waiting], pace: Pace, now: float
    ) -> Turn:
        """Take a turn; see SessionStore."""
        budgets = self._opened().budgets
        turn, budgets[key] = decide_turn(budgets.get(key), owner=owner, waiting=waiting, pace=pace, now=now)
        return turn

    async def slow_down(self, key: bytes, *, pace: Pace, now: float) -> None:
        """Slow a budget down; see SessionStore."""
        budgets = self._opened().budgets
        budgets[key] = decide_slowdown(budgets.get(key), pace=pace, now=now)

    async def append_event(self, sealed: bytes, *, now: float) -> EventId:
        """Add an event to the log; see SessionStore."""
        return self._opened().events.append(sealed, now=now)

    async def read_events(self, after: EventId | None, *, wait_seconds: float, limit: int) -> EventBatch:
        """Return what came after a place; see SessionStore."""
        await self._opened().events.wait(after, seconds=wait_seconds)
        return self._opened().events.read(after, limit=limit)

    async def claim_answer(
        self,
        place: bytes,
        key: bytes,
        *,
        scopes: Sequence[bytes],
        owner: bytes,
        lease_seconds: float,
        now: float,
    ) -> AnswerClaim:
        """Claim an answer; see SessionStore."""
        answers = self._opened().answers
        mark = answers.mark(place, scopes)
        return answers.claim(key, mark=mark, owner=owner, lease_seconds=lease_seconds, now=now)

    async def keep_answer(
        self,
        place: bytes,
        key: bytes,
        *,
        scopes: Sequence[bytes],
        owner: bytes,
        mark: int,
        sealed: bytes,
        seconds: float,
        now: float,
    ) -> bool:
        """Keep an answer; see SessionStore."""
        answers = self._opened().answers
        answer = KeptAnswer(mark, sealed, now + min(seconds, ANSWER_SECONDS))
        return answers.keep(key, answer, owner=owner, mark=answers.mark(place, scopes))

    async def release_answer(self, place: bytes, key: bytes, *, owner: bytes) -> None:
        """Let go of a claim; see SessionStore."""
        _ = place
        self._opened().answers.release(key, owner=owner)

    async def forget_answers(self, place: bytes, scopes: Sequence[bytes], *, now: float) -> None:
        """Forget what depends on any of the scopes; see SessionStore."""
        self._opened().answers.forget(place, scopes, now=now)
