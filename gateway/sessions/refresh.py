"""Hands out a grant whose access token is valid, with one refresh in flight per grant, anywhere.

A refresh token is spent by being sent: the authorization server rotates it, and a second use of the old
one ends the whole connection. So a refresh must happen once, and its answer must be kept, although browsers
leave, processes die, stores fail and the authorization server is slow.

**Theory.** The grant's *generation* orders its tokens. Whoever would spend the refresh token of generation
n first has the store record a *claim* on n, with a lease; there is one claim, and only its holder sends. The
new tokens are written by compare-and-set from n to n + 1, which fulfils the claim in the same step; a holder
that lost its lease and comes late finds n + 1 there and takes it. A claim whose lease ended without a word
has *lapsed*: its holder is dead, or the store was away for so long that it could not be renewed. So the claim
is left to its holder until the store has answered for some 5 s more, in which one that lives writes its new
tokens or renews its lease (refresh_lease.py). Then, and at once where its holder let go of it in doubt, the
claim is *abandoned*: its token may have been spent, and nobody knows. The next holder tries it once all the
same, for most often it was not; if the answer is invalid_grant, the tokens died with that holder, and the
grant ends with the reason refresh_lost. A holder whom the store fails alone, for longer than its lease and
those 5 s, is taken for dead.

| generation n is         | event                            | next                                       |
|-------------------------|----------------------------------|--------------------------------------------|
| valid                   | a call                           | valid                                      |
| nearly over             | a call                           | the call is served; claimed, beside it     |
| over, or refused (401)  | a call                           | claimed; the call waits                    |
| claimed by another      | a call that needs it             | waits for n + 1 or the end of the lease    |
| claimed                 | the lease ends                   | lapsed                                     |
| lapsed                  | its holder writes, or renews     | n + 1, valid; or claimed                   |
| lapsed                  | the store answers for 5 s        | abandoned                                  |
| claimed                 | new tokens                       | n + 1, valid                               |
| claimed                 | invalid_grant                    | ended: grant_ended                         |
| claimed and shared      | invalid_grant                    | the same after 3 s without a sign-in       |
| claimed after abandoned | invalid_grant                    | ended: refresh_lost                        |
| claimed                 | its ceiling has come             | ended: expired; nothing is sent            |
| claimed                 | other refusal, 429, not reached  | as before the claim                        |
| claimed                 | 5xx, time-out, broken connection | abandoned                                  |
| claimed                 | the holder dies                  | lapsed once its lease has ended            |
| claimed                 | n + 1 was written by another     | n + 1, valid                               |
| claimed                 | signed out                       | ended; new tokens queued for revocation    |
| claimed                 | the store fails                  | writing goes on; callers get 503           |

A sign-in brings a *shared* grant new tokens, which win over a refresh's (vault_grants.py); where there is one
refresh token (lexoffice), a refresh on its way then hears invalid_grant, and waits for them to be stored.

A failed refresh is told to a caller only if its token no longer serves, always with the time after which to
ask again, and until then the token endpoint is not asked for that grant; for none, where the failure would
meet all alike (429, a client that is refused). Nothing but invalid_grant, an id_token for somebody else, and
the end that the authorization server set itself (`Tokens.ceiling`), ends a grant.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.errors import (
    AuthorizationServerError,
    AuthorizationServerTimeout,
    AuthorizationServerUnreachable,
    GatewayError,
    SessionRequired,
    StoreError,
    StoreUnavailable,
)
from gateway.sessions.refresh_flight import PATIENCE_SECONDS
from gateway.sessions.refresh_step import decide_after_refusal, decide_need, decide_rest, is_for_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sessions.refresh_flight import RefreshFlight
    from gateway.sessions.session import Grant
    from gateway.sessions.vault import Vault

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Rest:
    """Until when the token endpoint is left in peace, and why."""

    until: float
    error: AuthorizationServerError


@dataclass(frozen=True, slots=True)
class _Flight:
    """A refresh in flight, and the grant that it was begun for."""

    task: asyncio.Task[Grant]
    in_hand: asyncio.Event
    """Set when new tokens are there that the store does not take."""
    seen: Grant

    def answers(self, grant: Grant) -> bool:
        """Say whether what it brings answers who has this grant: it was not begun for an older one."""
        return _age(self.seen) >= _age(grant)


class Refresher:
    """Knows which refreshes are in flight in this process, who waits for them, and which are to rest."""

    def __init__(self, *, vault: Vault, flight: RefreshFlight, clock: Callable[[], float]) -> None:
        self._vault = vault
        self._flight = flight
        self._clock = clock
        self._in_flight: dict[bytes, _Flight] = {}
        self._resting: dict[bytes | None, _Rest] = {}
        """By grant; under None the rest that all grants keep."""

    async def valid_grant(self, grant_key: bytes, *, may_meet_401: bool = True) -> Grant:
        """Return the grant with an access token that is good for a call.

        A token that is nearly over serves while it is refreshed beside the call, unless the call could not be
        sent again if the refresh ends that token on its way (`may_meet_401=False`).

        Raises SessionRequired when the grant is gone, AuthorizationServerError when no valid token can be
        had just now, StoreError when the store cannot say.
        """
        grant = await self._read(grant_key)
        need = decide_need(grant.tokens, now=self._clock())
        if need == "serve" or (need == "ahead" and self._find_rest(grant_key) is not None):
            return grant
        if need == "ahead" and may_meet_401:
            self._begin(grant)
            return grant
        try:
            return await self._refreshed(grant)
        except (AuthorizationServerError, StoreError):
            if need == "ahead" and grant.tokens.expires_at > self._clock():
                return grant
            raise

    async def replaced_grant(self, used: Grant) -> Grant:
        """Return a grant newer than `used`, whose token was refused.

        The same generation comes back if its token is so fresh that another would not help. Raises as
        `valid_grant` does.
        """
        grant = await self._read(used.key)
        need = decide_after_refusal(
            grant.tokens, used_generation=used.generation, generation=grant.generation, now=self._clock()
        )
        return grant if need == "serve" else await self._refreshed(grant)

    async def drain(self) -> None:
        """Wait for the refreshes in flight: a token that was spent must have its successor stored."""
        if self._in_flight:
            await asyncio.wait([flight.task for flight in self._in_flight.values()])

    async def _read(self, grant_key: bytes) -> Grant:
        grant = await self._vault.read_grant(grant_key)
        if grant is None:
            raise SessionRequired("grant_ended")
        return grant

    async def _refreshed(self, grant: Grant) -> Grant:
        """Return what refreshing this grant brings; a refresh of an older one may bring what was refused."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + PATIENCE_SECONDS
        while True:
            if grant.key not in self._in_flight:
                self._heed_rest(grant.key)
            flight = self._begin(grant)
            await _landing(flight, ends - loop.time())
            if flight.answers(grant):
                return _result(flight.task)
            brought = None if flight.task.exception() else flight.task.result()
            if brought and _age(brought) > _age(grant) and brought.tokens.expires_at > self._clock():
                return brought

    def _begin(self, grant: Grant) -> _Flight:
        """Start a refresh in a task of its own: a browser that leaves ends its waiting, not the refresh."""
        flight = self._in_flight.get(grant.key)
        if flight is None:
            in_hand = asyncio.Event()
            task = asyncio.create_task(self._flight.run(grant, in_hand=in_hand))
            flight = self._in_flight[grant.key] = _Flight(task, in_hand, grant)
            task.add_done_callback(lambda done: self._landed(grant.key, done))
        return flight

    def _landed(self, grant_key: bytes, task: asyncio.Task[Grant]) -> None:
        self._in_flight.pop(grant_key, None)
        self._resting.pop(grant_key, None)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, AuthorizationServerError):
            self._rest(grant_key, error)
        elif error is not None and not isinstance(error, GatewayError):
            _LOGGER.error("a refresh failed unexpectedly", exc_info=error)

    def _rest(self, grant_key: bytes, error: AuthorizationServerError) -> None:
        now = self._clock()
        self._resting = {key: rest for key, rest in self._resting.items() if rest.until > now}
        rest, key = _Rest(now + decide_rest(error), error), None if is_for_all(error) else grant_key
        known = self._resting.get(key)
        if known is None or known.until < rest.until:
            self._resting[key] = rest

    def _heed_rest(self, grant_key: bytes) -> None:
        rest = self._find_rest(grant_key)
        if rest is not None:
            # RFC 6585 §4: to ask again before its time would prolong a block.
            raise _told(rest.error, rest.until - self._clock())

    def _find_rest(self, grant_key: bytes) -> _Rest | None:
        now = self._clock()
        rests = (self._resting.get(key) for key in (grant_key, None))
        return next((rest for rest in rests if rest is not None and rest.until > now), None)


def _age(grant: Grant) -> tuple[float, int]:
    """Return what orders a grant's states: those of one that was left and begun anew count anew."""
    return grant.created_at, grant.generation


async def _landing(flight: _Flight, seconds: float) -> None:
    """Return when the refresh is over; raise if it is not in time, or its tokens cannot be stored for now."""
    in_hand = asyncio.ensure_future(flight.in_hand.wait())
    try:
        await asyncio.wait({flight.task, in_hand}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        in_hand.cancel()
    if flight.task.done():
        return
    if in_hand.done():
        raise StoreUnavailable(log_detail="the store cannot take new tokens", retry_after=2)
    raise AuthorizationServerUnreachable(log_detail="a refresh takes too long", retry_after=5)


def _result(task: asyncio.Task[Grant]) -> Grant:
    try:
        return task.result()
    except AuthorizationServerError as error:
        raise _told(error, decide_rest(error)) from error


def _told(error: AuthorizationServerError, seconds: float) -> AuthorizationServerError:
    """Return the error as a caller is told it: when to ask again, and that the call was not made."""
    retry_after = math.ceil(seconds)
    if isinstance(error, AuthorizationServerTimeout):
        # A 504 would say that the call may have been performed (RFC 9110 §15.6.5); it never left.
        return AuthorizationServerUnreachable(log_detail=error.log_detail, retry_after=retry_after)
    told = copy.copy(error)
    told.retry_after = retry_after
    return told
