"""The opened sessions that a process remembers, bounded, and which of them must be forgotten (PURE)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.sessions.opened_session import OpenedSession
    from gateway.sessions.session import Grant

MAX_REMEMBERED = 16_384
"""Sessions; the one that was opened first goes first, and all are opened anew each minute."""
MAX_COOKIE_LENGTH = 4096
_COOKIES_EACH = 4
"""Cookie fields that lead to one session: cookies of the app's own, with paths, make several."""
_COOKIE_BYTES = 16 * 1024 * 1024
_NAMES_KEPT = 10_000


class OpenedTable:
    """Finds opened sessions by the Cookie field, and forgets them by their key or their grant's.

    Whoever opens a session takes a mark before it begins to read, and is remembered only if nothing that it
    read was forgotten since: a slow reader never brings back what is over.
    """

    def __init__(self) -> None:
        self.by_cookie: dict[bytes, OpenedSession] = {}
        """For look-ups alone."""
        self.by_key: dict[bytes, OpenedSession] = {}
        """For look-ups alone; the one opened first stands first."""
        self._by_grant: dict[bytes, bytes | set[bytes]] = {}
        """Keys of sessions; most grants have one, for which a set would be a waste."""
        self._cookie_bytes = 0
        self._count = 0
        self._opening = 0
        self._named: dict[bytes, int] = {}
        self._cleared = 0

    @property
    def is_in_use(self) -> bool:
        """Whether anything is remembered or about to be."""
        return bool(self.by_key) or self._opening > 0

    def begin(self) -> int:
        """Return a mark for somebody who is about to read; `finish` must follow."""
        self._opening += 1
        return self._count

    def finish(self) -> None:
        """Say that one of those who began has come to its end."""
        self._opening -= 1
        if not self._opening:
            self._named.clear()

    def share(self, opened: OpenedSession) -> int:
        """Let `opened` share what others of its grant's generation hold.

        Returns 0 if they agree or there are none, below 0 if its grant is older than theirs, else above 0.
        """
        members = self._by_grant.get(opened.grant.key)
        if members is None:
            return 0
        other = self.by_key[members if isinstance(members, bytes) else next(iter(members))]
        own_age, other_age = _age(opened.grant), _age(other.grant)
        if own_age == other_age:
            opened.grant, opened.bearer = other.grant, other.bearer
        return (own_age > other_age) - (own_age < other_age)

    def remember(self, opened: OpenedSession, *, cookie: bytes, mark: int) -> None:
        """Remember a session for its Cookie field, unless it may have changed since the mark."""
        session_key, grant_key = opened.session.key, opened.grant.key
        if len(cookie) > MAX_COOKIE_LENGTH or self._cleared > mark:
            return
        if max(self._named.get(session_key, 0), self._named.get(grant_key, 0)) > mark:
            return
        order = self.share(opened)
        if order < 0:
            return
        previous = self.by_key.get(session_key)
        if previous is not None:
            self._forget(previous)
            opened.cookies = previous.cookies
        if order > 0:
            for key in self._members(grant_key):
                self._forget(self.by_key[key])
        self._insert(opened, cookie)
        while len(self.by_key) > MAX_REMEMBERED or self._cookie_bytes > _COOKIE_BYTES:
            self._forget(next(iter(self.by_key.values())))

    def evict(self, keys: Iterable[bytes]) -> None:
        """Forget the sessions with these keys, and those of the grants with these keys."""
        self._count += 1
        for key in keys:
            if self._opening:
                self._named[key] = self._count
            if (opened := self.by_key.get(key)) is not None:
                self._forget(opened)
            for member in self._members(key):
                self._forget(self.by_key[member])
        if len(self._named) > _NAMES_KEPT:
            self._named.clear()
            self._cleared = self._count

    def clear(self) -> None:
        """Forget everything, also what is being read just now."""
        self._count += 1
        self._cleared = self._count
        self._named.clear()
        for opened in tuple(self.by_key.values()):
            self._forget(opened)

    def drop_lapsed(self, now: float) -> None:
        """Forget what has lapsed, oldest first, up to the first that has not; `now` as `lapses_at`."""
        while self.by_key and (first := next(iter(self.by_key.values()))).lapses_at <= now:
            self._forget(first)

    def _insert(self, opened: OpenedSession, cookie: bytes) -> None:
        others = tuple(other for other in opened.cookies if other != cookie)
        opened.cookies = (cookie, *others)[:_COOKIES_EACH]
        opened.is_live = True
        self.by_key[opened.session.key] = opened
        self._join(opened.grant.key, opened.session.key)
        for each in opened.cookies:
            self.by_cookie[each] = opened
            self._cookie_bytes += len(each)

    def _forget(self, opened: OpenedSession) -> None:
        opened.is_live = False
        del self.by_key[opened.session.key]
        self._leave(opened.grant.key, opened.session.key)
        for cookie in opened.cookies:
            self.by_cookie.pop(cookie, None)
            self._cookie_bytes -= len(cookie)

    def _members(self, grant_key: bytes) -> tuple[bytes, ...]:
        members = self._by_grant.get(grant_key, ())
        return (members,) if isinstance(members, bytes) else tuple(members)

    def _join(self, grant_key: bytes, session_key: bytes) -> None:
        members = self._by_grant.get(grant_key)
        if members is None:
            self._by_grant[grant_key] = session_key
        elif isinstance(members, bytes):
            self._by_grant[grant_key] = {members, session_key}
        else:
            members.add(session_key)

    def _leave(self, grant_key: bytes, session_key: bytes) -> None:
        members = self._by_grant[grant_key]
        if isinstance(members, set):
            members.discard(session_key)
        if isinstance(members, bytes) or not members:
            del self._by_grant[grant_key]


def _age(grant: Grant) -> tuple[float, int]:
    """Order what was read under one key: a grant that was gone and came back counts from 1 again."""
    return grant.created_at, grant.generation
