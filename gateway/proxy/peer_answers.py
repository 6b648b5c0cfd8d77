"""Answers that replicas share through their store: one of them fetches, and what it got serves all.

The private cache of each process stands before it. What a process asks for here it may have asked lexoffice
for: the same session was admitted, the same path is kept, and the key holds the same connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import secrets
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from gateway.errors import RecordUnreadable, StoreError
from gateway.proxy.peer_record import pack_answer, unpack_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.proxy.invalidation import Resources
    from gateway.proxy.peer_record import PeerAnswer
    from gateway.proxy.sharing import SharedKey
    from gateway.proxy.stored_answer import StoredAnswer
    from gateway.sessions.kept_answers import AnswerClaim
    from gateway.sessions.keyring import Keyring
    from gateway.sessions.store import SessionStore

_LOGGER = logging.getLogger(__name__)

MOST_BYTES = 256 * 1024
"""What one answer may have: larger ones each process fetches for itself."""

_LEASE_SECONDS = 5.0
_RENEW_SECONDS = 1.5
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.25
_ANYTHING = b"*"
_UNKNOWN = b"?"


class _Place(NamedTuple):
    """Where an answer stands: in its organization, under its connection and target, by what it depends on."""

    place: bytes
    key: bytes
    scopes: tuple[bytes, ...]


class Fetch:
    """The right to fetch one answer for all; it must be `keep`t or `release`d."""

    def __init__(self, peers: PeerAnswers, place: _Place, owner: bytes, mark: int) -> None:
        self._peers = peers
        self._place = place
        self._owner = owner
        self._mark = mark
        self._is_over = False
        self._turn = asyncio.Lock()
        self._renewing = asyncio.create_task(self._renew())

    async def keep(self, stored: StoredAnswer, *, seconds: float) -> None:
        """Let the others find the answer, unless something that it depends on was changed meanwhile."""
        if stored.size > MOST_BYTES or seconds <= 0:
            await self.release()
        elif await self._end():
            await self._peers.keep(self._place, stored, owner=self._owner, mark=self._mark, seconds=seconds)

    async def release(self) -> None:
        """Let another fetch it; does nothing after `keep`."""
        if await self._end():
            await self._peers.release(self._place, owner=self._owner)

    async def _end(self) -> bool:
        is_first, self._is_over = not self._is_over, True
        if is_first:
            # A renewal that is under way would claim again what was just let go of.
            async with self._turn:
                self._renewing.cancel()
        return is_first

    async def _renew(self) -> None:
        """Hold on to it for as long as the call waits for its turn and its answer."""
        while not self._is_over:
            await asyncio.sleep(_RENEW_SECONDS)
            async with self._turn:
                if self._is_over or await self._is_lost():
                    return

    async def _is_lost(self) -> bool:
        """Renew the claim; True if nobody is to wait for this answer any more, for it would be outdated."""
        with contextlib.suppress(StoreError):
            claim = await self._peers.claim(self._place, owner=self._owner)
            if claim.mark != self._mark:
                await self._peers.release(self._place, owner=self._owner)
                return True
        return False


class PeerAnswers:
    """Belongs to one event loop. While the store is in trouble, each process fetches for itself."""

    def __init__(self, store: SessionStore, keyring: Keyring, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock
        self._doubted = Counter[str]()
        self._leaving = set[asyncio.Task[None]]()

    def doubt(self, organization: str) -> None:
        """Find nothing of an organization until `trust`: the store does not know of a change yet."""
        self._doubted[organization] += 1

    def trust(self, organization: str) -> None:
        """End one `doubt`."""
        self._doubted[organization] -= 1
        if not self._doubted[organization]:
            del self._doubted[organization]

    async def find(
        self,
        key: SharedKey,
        *,
        organization: str,
        connected_at: float,
        resource: str | None,
        begin: Callable[[], None],
    ) -> PeerAnswer | Fetch | None:
        """Return an answer, or the right to fetch it once nobody else does; None if the store cannot tell.

        `connected_at` is when the grant began, in seconds since the epoch: what an earlier one was answered,
        that has ended, is found no more.
        `begin` is called each time before the store is asked: what is forgotten here after that is not in
        what comes back.
        """
        place = _place(key, organization, connected_at, resource)
        owner, pause = secrets.token_bytes(16), _FIRST_PAUSE
        while organization not in self._doubted:
            begin()
            try:
                claim = await self._claim_or_leave(place, owner)
                if claim.sealed is not None:
                    return unpack_answer(self._keyring.open(claim.sealed, aad=b"answer" + place.key))
            except (StoreError, ValueError) as error:
                # ValueError: another version of the gateway wrote it.
                _LOGGER.warning("answers are not shared between processes: %s", _named(error))
                return None
            if claim.outcome == "granted":
                return Fetch(self, place, owner, claim.mark)
            await asyncio.sleep(min(claim.wait, pause))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return None

    async def forget(self, resources: Resources, *, organization: str) -> None:
        """Let no process find what depends on these resources (None: on anything) of an organization.

        Raises StoreUnavailable.
        """
        scopes = [_ANYTHING] if resources is None else [_UNKNOWN, *map(_scope, sorted(resources))]
        await self._store.forget_answers(_organization_place(organization), scopes, now=self._clock())

    async def _claim_or_leave(self, place: _Place, owner: bytes) -> AnswerClaim:
        """Claim it; a caller who is cancelled meanwhile holds nobody up with what the store then grants."""
        claiming = asyncio.create_task(self.claim(place, owner=owner))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            leaving = asyncio.create_task(self._let_go(claiming, place, owner))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
            raise

    async def _let_go(self, claiming: asyncio.Task[AnswerClaim], place: _Place, owner: bytes) -> None:
        with contextlib.suppress(StoreError):
            if (await claiming).outcome == "granted":
                await self.release(place, owner=owner)

    async def claim(self, place: _Place, *, owner: bytes) -> AnswerClaim:
        """Claim an answer, or the right to go on fetching it."""
        return await self._store.claim_answer(
            place.place,
            place.key,
            scopes=place.scopes,
            owner=owner,
            lease_seconds=_LEASE_SECONDS,
            now=self._clock(),
        )

    async def keep(
        self, place: _Place, stored: StoredAnswer, *, owner: bytes, mark: int, seconds: float
    ) -> None:
        """See Fetch.keep."""
        sealed = self._keyring.seal(pack_answer(stored), aad=b"answer" + place.key)
        with contextlib.suppress(StoreError):
            await self._store.keep_answer(
                place.place,
                place.key,
                scopes=place.scopes,
                owner=owner,
                mark=mark,
                sealed=sealed,
                seconds=seconds,
                now=self._clock(),
            )

    async def release(self, place: _Place, *, owner: bytes) -> None:
        """See Fetch.release."""
        with contextlib.suppress(StoreError):
            await self._store.release_answer(place.place, place.key, owner=owner)


def _place(key: SharedKey, organization: str, connected_at: float, resource: str | None) -> _Place:
    digest = hashlib.sha256(b"lexgate answer")
    for part in (
        organization.encode(),
        repr(connected_at).encode(),
        key.owner,
        key.prefix.encode(),
        key.target,
        key.lines,
    ):
        digest.update(len(part).to_bytes(4, "big") + part)
    depends_on = _UNKNOWN if resource is None else _scope(resource)
    return _Place(_organization_place(organization), digest.digest(), (_ANYTHING, depends_on))


def _organization_place(organization: str) -> bytes:
    return hashlib.sha256(b"lexgate answers of " + organization.encode()).digest()


def _scope(resource: str) -> bytes:
    return b"r" + resource.encode()[:200]


def _named(error: Exception) -> str:
    if isinstance(error, RecordUnreadable | StoreError):
        return error.code
    return "a record of another version"
