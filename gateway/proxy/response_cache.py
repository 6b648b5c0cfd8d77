"""The private cache: answers of each connection, for the sessions of that connection alone.

A stored answer stands under its connection's key, and is looked up under the key of the grant of a session
that was admitted just then: no other can lead to it, and a session that ended leads to nothing. Forgetting
wins over storing: what was read before something was forgotten is not stored after it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.observability.metrics import Metrics
    from gateway.proxy.invalidation import Resources
    from gateway.proxy.sharing import SharedKey
    from gateway.proxy.stored_answer import StoredAnswer

UNSETTLED_SECONDS = 35.0
"""For how long nothing is stored for a connection after a write of which nobody knows whether it is over."""
_REAP_SECONDS = 30.0


@dataclass(slots=True, eq=False)
class Reading:
    """One call to the resource server that reads; outdated once something it may have read was changed."""

    session: bytes = field(repr=False)
    connection: bytes = field(repr=False)
    organization: str | None
    number: int
    wall: float
    monotonic: float
    is_outdated: bool = False


@dataclass(slots=True, eq=False)
class _Connection:
    organization: str | None
    stored: dict[SharedKey, StoredAnswer] = field(
        default_factory=dict["SharedKey", "StoredAnswer"], repr=False
    )
    sessions: set[bytes] = field(default_factory=set[bytes], repr=False)
    is_doubtful: bool = False
    """Its grant changed, and no session of it was admitted since: it may have ended."""


class Written(NamedTuple):
    """A write that ended, or of which `is_open` whether it is performed; `resources` are what it touches."""

    connection: bytes
    organization: str | None
    resources: Resources
    is_open: bool


class ResponseCache:
    """Holds at most `limit` bytes, those that were used last; belongs to one event loop."""

    def __init__(
        self,
        *,
        limit: int,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        metrics: Metrics,
    ) -> None:
        self.most_bytes = limit // 8
        """What one answer may take at most."""
        self._limit = limit
        self._clock = clock
        self._monotonic = monotonic
        self._metrics = metrics
        self._connections: dict[bytes, _Connection] = {}
        self._of_session: dict[bytes, bytes] = {}
        self._used: OrderedDict[SharedKey, None] = OrderedDict()
        self._bytes = 0
        self._readings: set[Reading] = set()
        self._unsettled: dict[bytes, float] = {}
        self._number = 0
        self._reaping: asyncio.TimerHandle | None = None

    def find(self, key: SharedKey, *, session: bytes) -> StoredAnswer | None:
        """Return what is stored; `key.owner` is the grant of `session`, which was admitted just now."""
        connection = self._connections.get(key.owner)
        if connection is None:
            return None
        self._note_use(connection, key.owner, session)
        stored = connection.stored.get(key)
        if stored is not None:
            self._used.move_to_end(key)
        return stored

    def age(self, stored: StoredAnswer) -> float:
        """Return how many seconds ago the resource server made it."""
        return stored.age(wall=self._clock(), monotonic=self._monotonic())

    def begin_reading(self, session: bytes, connection: bytes, organization: str | None) -> Reading:
        """Take note of a call that is about to be sent; `end_reading` must follow."""
        self._number += 1
        reading = Reading(session, connection, organization, self._number, self._clock(), self._monotonic())
        self._readings.add(reading)
        return reading

    def since(self, reading: Reading) -> float:
        """Return how many seconds ago a call was sent."""
        return max(0.0, self._clock() - reading.wall, self._monotonic() - reading.monotonic)

    def end_reading(self, reading: Reading) -> None:
        """Say that the call is over and its answer stored, if it was to be."""
        self._readings.discard(reading)

    def store(self, key: SharedKey, stored: StoredAnswer, reading: Reading) -> bool:
        """Store an answer unless it is outdated, too large, or older than what is there."""
        if reading.is_outdated or stored.size > self.most_bytes or self._is_unsettled(key.owner):
            return False
        connection = self._connections.get(key.owner) or _Connection(reading.organization)
        before = connection.stored.get(key)
        if before is not None:
            if before.number > stored.number:
                return False
            self._bytes -= before.size
        self._connections[key.owner] = connection
        connection.stored[key] = stored
        self._used[key] = None
        self._used.move_to_end(key)
        self._bytes += stored.size
        self._note_use(connection, key.owner, reading.session)
        while self._bytes > self._limit:
            self._drop(next(iter(self._used)))
        self._tell()
        return True

    def forget(
        self, resources: Resources, *, connection: bytes | None = None, organization: str | None = None
    ) -> None:
        """Forget what depends on these resources (None: on anything) of a connection or an organization.

        Of neither means of everybody. A connection whose organization is not known is of every one.
        """
        for reading in self._readings:
            if _is_meant(reading.connection, reading.organization, connection, organization):
                reading.is_outdated = True
        for key, known in tuple(self._connections.items()):
            if _is_meant(key, known.organization, connection, organization):
                self._forget_resources(known, resources)
        self._tell()

    def forget_connection(self, connection: bytes) -> None:
        """Forget everything of a connection."""
        self.forget(None, connection=connection)

    def forget_everything(self) -> None:
        """Forget all there is."""
        self.forget(None)

    def doubt(self, connection: bytes) -> None:
        """Store nothing for a connection for a while: a write may yet be performed that nobody waits for."""
        self._unsettled[connection] = self._monotonic() + UNSETTLED_SECONDS

    def heed(self, keys: Iterable[bytes] | None) -> None:
        """Look at the keys of sessions that ended and of grants that changed; None may be any of them.

        A session's end empties its connection. A grant's change may be a refresh or its end: what is stored
        stays while its sessions are admitted.
        """
        if keys is None:
            for connection in self._connections.values():
                connection.is_doubtful = True
            return
        changed_keys = frozenset(keys)
        for reading in self._readings:
            if reading.session in changed_keys:
                reading.is_outdated = True
        for key in changed_keys:
            if (owner := self._of_session.get(key)) is not None:
                self.forget_connection(owner)
            if (changed := self._connections.get(key)) is not None:
                changed.is_doubtful = True

    def close(self) -> None:
        """Forget all, and set no timer any more."""
        self.forget_everything()
        if self._reaping is not None:
            self._reaping.cancel()
            self._reaping = None

    def _note_use(self, connection: _Connection, owner: bytes, session: bytes) -> None:
        connection.is_doubtful = False
        connection.sessions.add(session)
        self._of_session[session] = owner

    def _is_unsettled(self, connection: bytes) -> bool:
        until = self._unsettled.get(connection)
        if until is None:
            return False
        if until > self._monotonic():
            return True
        del self._unsettled[connection]
        return False

    def _forget_resources(self, known: _Connection, resources: Resources) -> None:
        for key, stored in tuple(known.stored.items()):
            if resources is None or stored.resource is None or stored.resource in resources:
                self._drop(key)

    def _drop(self, key: SharedKey) -> None:
        connection = self._connections.get(key.owner)
        if connection is None or (stored := connection.stored.pop(key, None)) is None:
            return
        del self._used[key]
        self._bytes -= stored.size
        if not connection.stored:
            del self._connections[key.owner]
            for session in connection.sessions:
                self._of_session.pop(session, None)

    def _tell(self) -> None:
        self._metrics.set_cache_bytes(self._bytes)
        if self._used and self._reaping is None:
            self._reaping = asyncio.get_running_loop().call_later(_REAP_SECONDS, self._reap)

    def _reap(self) -> None:
        """Drop what is over, and what belongs to grants that nobody has used since they changed."""
        self._reaping = None
        now = self._monotonic()
        self._unsettled = {key: until for key, until in self._unsettled.items() if until > now}
        for known in tuple(self._connections.values()):
            for key, stored in tuple(known.stored.items()):
                if known.is_doubtful or self.age(stored) >= stored.freshness.seconds:
                    self._drop(key)
        self._tell()


def _is_meant(key: bytes, known: str | None, connection: bytes | None, organization: str | None) -> bool:
    if connection is None and organization is None:
        return True
    if organization is not None and known in {None, organization}:
        return True
    return key == connection
