"""A look for what another process has fetched of one answer, or is fetching just now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.proxy.caching import refuse_stored
from gateway.proxy.invalidation import resource_of
from gateway.proxy.peer_answers import Fetch
from gateway.proxy.stored_answer import StoredAnswer

if TYPE_CHECKING:
    from gateway.proxy.peer_answers import PeerAnswers
    from gateway.proxy.peer_record import PeerAnswer
    from gateway.proxy.response_cache import Reading, ResponseCache
    from gateway.proxy.shared_call import Asked
    from gateway.sessions.opened_session import OpenedSession

_APART_SECONDS = 2.0
"""So far ahead another process's clock may be. What is from later tells of a clock that was set back: its age
cannot be known."""


def begin_reading(cache: ResponseCache, opened: OpenedSession) -> Reading:
    """Take note of a read for a session: what is changed from now on may not be in its answer."""
    organization = opened.session.claims.get("organization_id")
    return cache.begin_reading(opened.session.key, opened.grant.key, organization)


def look_for(asked: Asked, cache: ResponseCache, peers: PeerAnswers) -> PeerLook | None:
    """Return a look for the answer to a call; None for a path that is not kept, or a caller who insists."""
    sharing, organization = asked.sharing, asked.opened.session.claims.get("organization_id")
    insists = sharing.wanted.no_cache or sharing.wanted.max_age is not None
    if not sharing.seconds or organization is None or insists:
        return None
    return PeerLook(asked, cache, peers, organization)


class PeerLook:
    """Must be `end`ed; who is told to fetch keeps the answer for all, or lets go of it."""

    def __init__(self, asked: Asked, cache: ResponseCache, peers: PeerAnswers, organization: str) -> None:
        self._asked = asked
        self._cache = cache
        self._peers = peers
        self._organization = organization
        self._reading: Reading | None = None
        self._fetch: Fetch | None = None

    async def find(self) -> StoredAnswer | None:
        """Return the answer once a process has it; None if this one is to ask."""
        found = await self._peers.find(
            self._asked.sharing.kept_as,
            organization=self._organization,
            connected_at=self._asked.opened.grant.created_at,
            resource=resource_of(self._asked.sharing.path),
            begin=self._begin,
        )
        if isinstance(found, Fetch):
            self._fetch = found
            self._end_reading()
            return None
        return None if found is None else self._accept(found)

    async def keep(self, stored: StoredAnswer) -> None:
        """Let the others find what was fetched here."""
        if self._fetch is not None:
            await self._fetch.keep(stored, seconds=stored.ttl(self._cache.age(stored)))

    def hand_reading_over(self) -> Reading:
        """Return the note of the read that found the answer; whoever takes it ends it."""
        reading, self._reading = self._reading, None
        if reading is None:
            raise AssertionError
        return reading

    async def end(self) -> None:
        """Let go of everything."""
        self._end_reading()
        if self._fetch is not None:
            await self._fetch.release()

    def _begin(self) -> None:
        self._end_reading()
        self._reading = begin_reading(self._cache, self._asked.opened)

    def _end_reading(self) -> None:
        if self._reading is not None:
            self._cache.end_reading(self._reading)
            self._reading = None

    def _accept(self, found: PeerAnswer) -> StoredAnswer | None:
        """Return what another process has fetched, if it will do here."""
        forward, _, opened, sharing = self._asked
        reading = self._reading
        if reading is None or reading.is_outdated or found.wall > reading.wall + _APART_SECONDS:
            return None
        if not forward.redactor(opened).is_clear(found.body):
            return None
        stored = StoredAnswer(
            fields=found.fields,
            content_type=found.content_type,
            body=found.body,
            etag=found.etag,
            freshness=found.freshness,
            wall=found.wall,
            monotonic=reading.monotonic - max(0.0, reading.wall - found.wall),
            number=reading.number,
            searched_for=opened.bearer,
            resource=resource_of(sharing.path),
        )
        is_refused = refuse_stored(sharing.wanted, stored.freshness, self._cache.age(stored))
        return None if is_refused else stored
