"""Hands out a grant whose access token is valid, with one refresh in flight per grant, anywhere.

A refresh token is spent by being sent: the authorization server rotates it, and a second use of the old
one ends the whole connection. So a refresh must happen once, and its answer must be kept, although browsers
leave, processes die, stores fail and the authorization server is slow.

**Theory.** The grant's *generation* orders its tokens. Whoever would spend the refresh token of generation
n first has the store record a *claim* on n, with a lease; there is one claim, and only its holder sends. The
new tokens are written by compare-and-set from n to n + 1, which fulfils the claim in the same step; a holder
that lost its lease and comes late finds n + 1 there and takes it. A claim whose lease ended without a word
is *abandoned*: its token may have been spent, and nobody knows. The next holder tries it once all the same,
for most often it was not; if the answer is invalid_grant, the tokens died with that holder, and the grant
ends with the reason refresh_lost.

| generation n is         | event                            | next                                       |
|-------------------------|----------------------------------|--------------------------------------------|
| valid                   | a call                           | valid                                      |
| nearly over             | a call                           | the call is served; claimed, beside it     |
| over, or refused (401)  | a call                           | claimed; the call waits                    |
| claimed by another      | a call that needs it             | waits for n + 1 or the end of the lease    |
| claimed                 | new tokens                       | n + 1, valid                               |
| claimed                 | invalid_grant                    | ended: grant_ended                         |
| claimed after abandoned | invalid_grant                    | ended: refresh_lost                        |
| claimed                 | other refusal, 429, not reached  | as before the claim                        |
| claimed                 | 5xx, time-out, broken connection | abandoned                                  |
| claimed                 | the holder dies                  | abandoned once its lease has ended         |
| claimed                 | n + 1 was written by another     | n + 1, valid                               |
| claimed                 | signed out                       | ended; new tokens queued for revocation    |
| claimed                 | the store fails                  | writing goes on; callers get 503           |

A failed refresh is told to a caller only if its token no longer serves. Nothing but invalid_grant, and an
id_token for somebody else, ends a grant.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING

from gateway.errors import (
    AuthorizationServerBusy,
    AuthorizationServerError,
    AuthorizationServerUnreachable,
    GatewayError,
    SessionRequired,
    StoreError,
    StoreUnavailable,
)
from gateway.sessions.refresh_flight import PATIENCE_SECONDS
from gateway.sessions.refresh_step import decide_after_refusal, decide_need, decide_rest

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sessions.refresh_flight import RefreshFlight
    from gateway.sessions.session import Grant
    from gateway.sessions.vault import Vault

_LOGGER = logging.getLogger(__name__)


class Refresher:
    """Knows which refreshes are in flight in this process, who waits for them, and which are to rest."""

    def __init__(self, *, vault: Vault, flight: RefreshFlight, clock: Callable[[], float]) -> None:
        self._vault = vault
        self._flight = flight
        self._clock = clock
        self._in_flight: dict[bytes, asyncio.Task[Grant]] = {}
        self._in_hand: dict[bytes, asyncio.Event] = {}
        self._resting: dict[bytes, float] = {}
        self._busy_until = 0.0

    async def valid_grant(self, grant_key: bytes, *, may_meet_401: bool = True) -> Grant:
        """Return the grant with an access token that is good for a call.

        A token that is nearly over serves while it is refreshed beside the call, unless the call could not be
        sent again if the refresh ends that token on its way (`may_meet_401=False`).

        Raises SessionRequired when the grant is gone, AuthorizationServerError when no valid token can be
        had just now, StoreError when the store cannot say.
        """
        grant = await self._read(grant_key)
        need = decide_need(grant.tokens, now=self._clock())
        if need == "serve" or (need == "ahead" and self._rests(grant_key)):
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
            await asyncio.wait(self._in_flight.values())

    async def _read(self, grant_key: bytes) -> Grant:
        grant = await self._vault.read_grant(grant_key)
        if grant is None:
            raise SessionRequired("grant_ended")
        return grant

    async def _refreshed(self, grant: Grant) -> Grant:
        if grant.key not in self._in_flight:
            self._heed_rate_limit()
        task = self._begin(grant)
        in_hand = asyncio.ensure_future(self._in_hand[grant.key].wait())
        try:
            await asyncio.wait({task, in_hand}, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            in_hand.cancel()
        if task.done():
            return task.result()
        if in_hand.done():
            raise StoreUnavailable(log_detail="the store cannot take new tokens", retry_after=2)
        raise AuthorizationServerUnreachable(log_detail="a refresh takes too long", retry_after=5)

    def _begin(self, grant: Grant) -> asyncio.Task[Grant]:
        """Start a refresh in a task of its own: a browser that leaves ends its waiting, not the refresh."""
        task = self._in_flight.get(grant.key)
        if task is None:
            in_hand = self._in_hand[grant.key] = asyncio.Event()
            task = asyncio.create_task(self._flight.run(grant, in_hand=in_hand))
            self._in_flight[grant.key] = task
            task.add_done_callback(lambda done: self._landed(grant.key, done))
        return task

    def _landed(self, grant_key: bytes, task: asyncio.Task[Grant]) -> None:
        self._in_flight.pop(grant_key, None)
        self._in_hand.pop(grant_key, None)
        self._resting.pop(grant_key, None)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, AuthorizationServerError):
            self._rest(grant_key, error)
        elif error is not None and not isinstance(error, GatewayError):
            _LOGGER.error("a refresh failed unexpectedly", exc_info=error)

    def _rest(self, grant_key: bytes, error: AuthorizationServerError) -> None:
        now = self._clock()
        self._resting = {key: until for key, until in self._resting.items() if until > now}
        self._resting[grant_key] = now + decide_rest(error)
        if isinstance(error, AuthorizationServerBusy):
            # The token endpoint's rate limit is the client's, so all its grants heed it.
            self._busy_until = max(self._busy_until, self._resting[grant_key])

    def _heed_rate_limit(self) -> None:
        if (left := self._busy_until - self._clock()) > 0:
            # RFC 6585 §4: to ask again before its time would prolong the block.
            raise AuthorizationServerBusy(log_detail="429 not long ago", retry_after=math.ceil(left))

    def _rests(self, grant_key: bytes) -> bool:
        now = self._clock()
        return self._resting.get(grant_key, 0.0) > now or self._busy_until > now
