"""The sessions that calls use, opened once and then remembered, and never stale.

A proxied call must cost no look-up in the store, no decryption and no HMAC. So what a call needs of its
session is remembered under the raw value of its Cookie field, and most calls are a look into a table.

**Why what is remembered is true.** A session is served from memory at time t only if the last look at the
store's changes that was answered began later than t minus TRUST_SECONDS. SessionStore promises that a look
names whatever was changed before it began, by any process, and a look forgets what it names. So a change
shows everywhere within TRUST_SECONDS, under a second, whatever the store, the network or the event loop are
up to: they can make the last look old, and then the store is asked again, as if nothing were remembered.

* *Read before a look, remembered after it.* Whoever reads takes a mark first, and is not remembered if what
  it read was named since.
* *A look that fails, or does not know what it missed* (a lost subscription, a log that does not reach back).
  Everything is forgotten, and what is being read just then is not remembered either.
* *Changes of this process* do not wait for a look: the Vault names them before its operation returns, so
  whoever was told that a session ended meets it nowhere in this process again.
* *Ends that nobody writes down.* What is remembered lapses at the session's idle and absolute end, when its
  token is to be refreshed, and when its activity is to be noted: a minute at the most. It does so on the
  gateway's clock and on one that nobody sets, so that setting the clock back prolongs nothing.
* *Activity* is not in the changes: it only prolongs, and empties nobody's memory.
* *Two grants under one key.* Of tokens of two generations the older are never remembered, and those that
  are remembered are forgotten for newer ones.
* *Cookies.* The same field always names the same session, for it is verified under secrets that a process
  never changes. A request with several Cookie fields is not remembered at all, and a field that names two
  sessions is refused before anything is remembered.

What nobody promises: that a Redis that was emptied by hand is noticed before a remembered session lapses.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway.errors import SessionRequired
from gateway.sessions.opened_ends import SessionEnds
from gateway.sessions.opened_lives import SessionLives
from gateway.sessions.opened_looks import Looks
from gateway.sessions.opened_session import OpenedSession, open_for_calls
from gateway.sessions.opened_table import OpenedTable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Sequence

    from gateway.sessions.authentication import Authentication
    from gateway.sessions.opened_ends import EndCallback
    from gateway.sessions.opened_lives import WatchedLife
    from gateway.sessions.refresh import Refresher
    from gateway.sessions.vault import Vault


class OpenedSessions:
    """Finds, opens and remembers sessions for calls; one for a vault, used between `open` and `close`."""

    def __init__(
        self,
        *,
        authentication: Authentication,
        refresher: Refresher,
        vault: Vault,
        clock: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._authentication = authentication
        self._refresher = refresher
        self._vault = vault
        self._clock = clock
        self._monotonic = monotonic
        self._table = OpenedTable()
        self._by_cookie = self._table.by_cookie
        self._ends = SessionEnds(vault, clock=clock)
        self.lives = SessionLives(vault, clock=clock)
        self._looks = Looks(
            vault, monotonic=monotonic, heed=self._heed, lose=self._lose, is_wanted=self._is_wanted
        )
        self._listeners: list[Callable[[Collection[bytes] | None], None]] = []
        vault.tell(self._changed)

    async def open(self) -> None:
        """Begin to remember; the store must be open."""
        self._looks.start()

    async def close(self) -> None:
        """Forget everything; nobody who watches is told."""
        await self._looks.stop()
        await self._ends.close()
        await self.lives.close()
        self._table.clear()

    def tell(self, listener: Callable[[Collection[bytes] | None], None]) -> None:
        """Have `listener` called with the keys of sessions that ended and grants that changed; None: any may.

        Of what this process does it is told before the operation returns, of what others do within a second
        while anything is remembered.
        """
        self._listeners.append(listener)

    def find(self, cookie: bytes) -> OpenedSession | None:
        """Return the session of a request whose only Cookie field this is; None if it is to be admitted.

        Tokens that another process replaced within the last second may still be in it: a call that could not
        be sent again after a 401 is better admitted.
        """
        opened = self._by_cookie.get(cookie)
        if opened is None:
            return None
        now = self._monotonic()
        if (
            now >= self._looks.trusted_until
            or now >= opened.lapses_at
            or self._clock() >= opened.serves_until
        ):
            return None
        return opened

    async def admit(self, headers: Sequence[tuple[bytes, bytes]], *, may_meet_401: bool) -> OpenedSession:
        """Return the session of a request as the store has it, with a token that is good for a call.

        Raises as Authentication.require, Refresher.valid_grant and Vault.keep_alive do, SessionRequired with
        the session's own reason.
        """
        with self._opening() as mark:
            session = await self._authentication.require(headers)
            try:
                grant = await self._refresher.valid_grant(session.grant_key, may_meet_401=may_meet_401)
            except SessionRequired as error:
                raise await self._authentication.explain_end(error, session.key) from error
            session = await self._vault.keep_alive(session, now=self._clock())
            opened = open_for_calls(session, grant)
            self._remember(opened, [value for name, value in headers if name == b"cookie"], mark)
            return opened

    async def renewed(self, opened: OpenedSession) -> OpenedSession:
        """Return the session with newer tokens than the resource server refused; raises as `admit` does.

        The same tokens come back if they are so fresh that others would not help. What is returned is not
        remembered: the next call opens the session anew.
        """
        try:
            grant = await self._refresher.replaced_grant(opened.grant)
        except SessionRequired as error:
            raise await self._authentication.explain_end(error, opened.session.key) from error
        renewed = open_for_calls(opened.session, grant)
        self._table.share(renewed)
        return renewed

    def watch(self, session_key: bytes, callback: EndCallback) -> Callable[[], None]:
        """Call `callback` with the reason once the session has ended, here or anywhere, within a second.

        Never from within this call; never after what it returns was called. Watching is no activity. While
        the store does not answer, a session ends by its absolute time alone.
        """
        remembered = self._table.by_key.get(session_key)
        ends_at = None if remembered is None else remembered.session.ends_at
        stop = self._ends.watch(session_key, callback, ends_at=ends_at)
        self._looks.want()
        return stop

    def watch_life(self, session_key: bytes) -> WatchedLife:
        """Begin to watch all of a session's life; see SessionLives, and read the session after this."""
        watched = self.lives.watch(session_key)
        self._looks.want()
        return watched

    @contextmanager
    def _opening(self) -> Generator[int]:
        mark = self._table.begin()
        self._looks.want()
        try:
            yield mark
        finally:
            self._table.finish()

    def _remember(self, opened: OpenedSession, cookies: list[bytes], mark: int) -> None:
        left = opened.serves_until - self._clock()
        if left > 0 and len(cookies) == 1:
            opened.lapses_at = self._monotonic() + left
            self._table.remember(opened, cookie=cookies[0], mark=mark)

    def _is_wanted(self) -> bool:
        return self._table.is_in_use or self._ends.is_in_use or self.lives.is_in_use

    def _changed(self, keys: Iterable[bytes]) -> None:
        named = tuple(keys)
        self._table.evict(named)
        for listener in self._listeners:
            listener(named)

    def _lose(self) -> None:
        self._table.clear()
        for listener in self._listeners:
            listener(None)

    def _heed(self, keys: frozenset[bytes] | None) -> None:
        """Forget what changed, and ask about those who are waited for."""
        if keys is None:
            self._table.clear()
        elif keys:
            self._table.evict(keys)
        if keys is None or keys:
            for listener in self._listeners:
                listener(keys)
        self._table.drop_lapsed(self._monotonic())
        for watching in (self._ends, self.lives):
            watching.mark(keys)
            watching.begin_asking()
