"""Tells whoever shows a session to its user how that session fares, up to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from gateway.errors import StoreError
from gateway.sessions.session_life import SessionLife, tokens_of
from gateway.sessions.vault import Ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sessions.session import EndReason, Grant, Session
    from gateway.sessions.session_life import LifeEvent
    from gateway.sessions.vault import Vault

_LOGGER = logging.getLogger(__name__)
_News = TypeVar("_News")
_AT_ONCE = 16
_AGAIN_SECONDS = 0.5
_TICK_SECONDS = 0.25
_NEVER = float("inf")
_NOW = float("-inf")


class LifeListener(Protocol):
    """Who is told; never from within a call of its own, and never again after the end."""

    def session_lives(self, events: list[LifeEvent]) -> None:
        """Hear what happened to the session, which goes on."""
        ...

    def session_ended(self, reason: EndReason | Literal["none"]) -> None:
        """Hear that the session is over."""
        ...


class WatchedLife:
    """One listener's view of one session, from `SessionLives.watch` to `stop`."""

    __slots__ = ("_life", "_lives", "due_at", "ends_at", "grant_key", "key", "listener")

    def __init__(self, lives: SessionLives, key: bytes) -> None:
        self._lives = lives
        self._life: SessionLife | None = None
        self.key = key
        self.grant_key = b""
        self.ends_at = _NEVER
        """From then on it is over whatever the store says, and if it says nothing."""
        self.due_at = _NEVER
        self.listener: LifeListener | None = None

    def tell(self, listener: LifeListener, session: Session, grant: Grant, *, now: float) -> list[LifeEvent]:
        """Tell the listener from now on; returns what there is to tell of the session as it was read."""
        self.listener = listener
        self._life = SessionLife(tokens_of(grant))
        return self.note(session, grant, now=now)

    def note(self, session: Session, grant: Grant, *, now: float) -> list[LifeEvent]:
        """Compare the session, as the store has it, with what was told."""
        assert self._life is not None  # noqa: S101 - who has no listener is never asked about
        self.grant_key, self.ends_at = session.grant_key, session.ends_at
        events, due_at = self._life.look_at(session.within(grant.tokens), grant, now=now)
        self.due_at = min(self.due_at, due_at)
        self._lives.wake(self)
        return events

    def stop(self) -> None:
        """Tell nobody any more."""
        self.listener = None
        self._lives.forget(self)


class SessionLives:
    """Sessions whose lives are shown; watching is no activity, and asking prolongs nothing.

    The store is asked when a look named the session or its grant, when anything may have changed, and when an
    end is so near that its user is to be warned: activity puts an end off and is in no look. While the store
    does not answer, nobody is told anything, but that a session met its absolute end.
    """

    def __init__(self, vault: Vault, *, clock: Callable[[], float]) -> None:
        self._vault = vault
        self._clock = clock
        self._watched: set[WatchedLife] = set()
        self._earliest_due = self._earliest_end = _NEVER
        """Before these nobody is due; thousands are not to be looked at several times a second."""
        self._asking: asyncio.Task[None] | None = None
        self._ticking: asyncio.Task[None] | None = None

    @property
    def is_in_use(self) -> bool:
        """Whether anybody watches."""
        return bool(self._watched)

    def watch(self, key: bytes) -> WatchedLife:
        """Begin to watch, before the session is read: what changes from here on is asked about."""
        watched = WatchedLife(self, key)
        self._watched.add(watched)
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.create_task(self._tick())
        return watched

    def forget(self, watched: WatchedLife) -> None:
        """Watch no more; see WatchedLife.stop."""
        self._watched.discard(watched)

    def wake(self, watched: WatchedLife) -> None:
        """Look at one that was read no later than it asks for."""
        self._earliest_due = min(self._earliest_due, watched.due_at)
        self._earliest_end = min(self._earliest_end, watched.ends_at)

    async def read(self, key: bytes) -> tuple[Session, Grant] | Ended:
        """Return the session with its grant, or why it is over; raises StoreError."""
        now = self._clock()
        found = await self._vault.read(key, now=now)
        if isinstance(found, Ended):
            return found
        grant = await self._vault.read_grant(found.grant_key)
        if grant is None:  # it ended meanwhile, and its tombstone knows why
            again = await self._vault.read(key, now=now)
            return again if isinstance(again, Ended) else Ended("grant_ended")
        ended = found.within(grant.tokens).why_ended(now)
        return (found, grant) if ended is None else Ended(ended)

    def mark(self, keys: frozenset[bytes] | None) -> None:
        """Have the store asked about the sessions and grants of these keys, or about all."""
        if keys is not None and not keys:
            return
        for watched in self._watched:
            # Of one that is being read just now the grant is not known yet.
            if keys is None or not watched.grant_key or {watched.key, watched.grant_key} & keys:
                watched.due_at = self._earliest_due = _NOW

    def begin_asking(self) -> None:
        """Ask the store, beside whatever else goes on, about the sessions that are due."""
        now = self._clock()
        if now < self._earliest_due or (self._asking is not None and not self._asking.done()):
            return
        self._earliest_due = min((each.due_at for each in self._watched), default=_NEVER)
        if due := [each for each in self._watched if each.due_at <= now and each.listener is not None]:
            self._asking = asyncio.create_task(self._ask_about(due))

    def end_overdue(self) -> None:
        """End what is past its absolute end."""
        now = self._clock()
        if now < self._earliest_end:
            return
        for watched in [each for each in self._watched if each.ends_at <= now]:
            self._end(watched, "expired")
        self._earliest_end = min((each.ends_at for each in self._watched), default=_NEVER)

    async def close(self) -> None:
        """Tell nobody any more."""
        self._watched.clear()
        for task in (self._asking, self._ticking):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _tick(self) -> None:
        """End what is past its absolute end, also while a look waits for a store that does not answer."""
        while self._watched:
            self.end_overdue()
            await asyncio.sleep(_TICK_SECONDS)

    async def _ask_about(self, due: list[WatchedLife]) -> None:
        """Ask once for each session, however many watch it; stop at the store's first trouble."""
        sessions: dict[bytes, list[WatchedLife]] = {}
        for watched in due:
            sessions.setdefault(watched.key, []).append(watched)
        together = list(sessions.values())
        for start in range(0, len(together), _AT_ONCE):
            answered = await asyncio.gather(*map(self._ask, together[start : start + _AT_ONCE]))
            if not all(answered):
                return

    async def _ask(self, watchers: list[WatchedLife]) -> bool:
        for watched in watchers:
            watched.due_at = _NEVER  # a look that names it meanwhile sets this again
        try:
            found = await self.read(watchers[0].key)
        except Exception as error:
            if not isinstance(error, StoreError):
                # A defect that strikes once must not leave a session watched for good.
                _LOGGER.exception("a watched session could not be asked about")
            for watched in watchers:
                watched.due_at = min(watched.due_at, self._clock() + _AGAIN_SECONDS)
                self.wake(watched)
            return not isinstance(error, StoreError)
        for watched in watchers:
            if isinstance(found, Ended):
                self._end(watched, found.reason)
            else:
                self._tell(watched, *found)
        return True

    def _tell(self, watched: WatchedLife, session: Session, grant: Grant) -> None:
        listener = watched.listener
        if listener is None:
            return
        events = watched.note(session, grant, now=self._clock())
        if events:
            _call(listener.session_lives, events)

    def _end(self, watched: WatchedLife, reason: EndReason | Literal["none"]) -> None:
        listener = watched.listener
        watched.stop()
        if listener is not None:
            _call(listener.session_ended, reason)


def _call(tell: Callable[[_News], None], news: _News) -> None:
    try:
        tell(news)
    except Exception:
        _LOGGER.exception("whoever watched a session failed over its news")
