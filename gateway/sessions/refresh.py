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
import contextlib
import logging
import math
import secrets
from typing import TYPE_CHECKING

from gateway.errors import (
    AuthorizationServerBusy,
    AuthorizationServerError,
    AuthorizationServerUnreachable,
    GatewayError,
    IdTokenInvalid,
    IdTokenUntimely,
    KeyUnknown,
    SessionRequired,
    StoreError,
    StoreUnavailable,
)
from gateway.sessions.refresh_step import (
    decide_after_refusal,
    decide_aftermath,
    decide_end_reason,
    decide_need,
    decide_rest,
)
from gateway.sessions.refreshed_tokens import build_tokens

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from gateway.authorization_server import AuthorizationServer
    from gateway.oauth.token import TokenResponse
    from gateway.observability.audit import Audit
    from gateway.observability.metrics import Metrics
    from gateway.sessions.keyring import Keyring
    from gateway.sessions.session import EndReason, Grant, Tokens
    from gateway.sessions.vault import Vault
    from gateway.sessions.vault_grants import Claim

_LOGGER = logging.getLogger(__name__)

LEASE_SECONDS = 10.0
"""Renewed three times in its length while the call runs: a dead holder is noticed within it."""
_PATIENCE_SECONDS = 35.0
"""How long a call waits for a refresh: the token endpoint's own limit, and a little."""
_POLL_SECONDS = (0.02, 0.05, 0.1, 0.25)
_WRITE_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_WRITE_SECONDS = 600.0
"""How long new tokens are kept in hand for a store that fails."""


class Refresher:
    """Refreshes grants; the metrics count each as refreshed, superseded, failed, ended or lost."""

    def __init__(
        self,
        *,
        vault: Vault,
        authorization_server: AuthorizationServer,
        clock: Callable[[], float],
        metrics: Metrics,
        audit: Audit,
        keyring: Keyring,
    ) -> None:
        self._vault = vault
        self._authorization_server = authorization_server
        self._clock = clock
        self._metrics = metrics
        self._audit = audit
        self._keyring = keyring
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
            await asyncio.wait(
                {task, in_hand}, timeout=_PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
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
            task = asyncio.create_task(self._refresh(grant))
            self._in_flight[grant.key] = task
            self._in_hand[grant.key] = asyncio.Event()
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

    async def _refresh(self, seen: Grant) -> Grant:
        owner = secrets.token_bytes(16)
        async with asyncio.timeout(_PATIENCE_SECONDS + _WRITE_SECONDS):
            claim = await self._claim(seen, owner)
            if claim.grant is None:
                raise SessionRequired("grant_ended")
            if claim.outcome == "superseded":
                return self._tell("superseded", claim.grant)
            was_abandoned = claim.outcome == "granted_abandoned"
            return await self._spend(claim.grant, owner, was_abandoned=was_abandoned)

    async def _claim(self, seen: Grant, owner: bytes) -> Claim:
        """Claim the refresh, waiting while another replica is at it."""
        for attempt in range(1_000_000):
            claim = await self._vault.claim_refresh(
                seen, owner=owner, lease_seconds=LEASE_SECONDS, now=self._clock()
            )
            if claim.outcome != "held":
                return claim
            await asyncio.sleep(_POLL_SECONDS[min(attempt, len(_POLL_SECONDS) - 1)])
        raise AssertionError

    async def _spend(self, grant: Grant, owner: bytes, *, was_abandoned: bool) -> Grant:
        if grant.tokens.refresh_token is None:
            return await self._without_refresh_token(grant, owner)
        async with self._renewed(grant, owner):
            try:
                response = await self._authorization_server.refresh(grant.tokens.refresh_token)
            except AuthorizationServerError as error:
                return await self._failed(grant, owner, error, was_abandoned=was_abandoned)
            return await self._keep(grant, response)

    @contextlib.asynccontextmanager
    async def _renewed(self, grant: Grant, owner: bytes) -> AsyncGenerator[None]:
        """Renew the lease while the block runs; where that fails, the generation still decides who wins."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(LEASE_SECONDS / 3)
                with contextlib.suppress(StoreError):
                    await self._vault.renew_claim(
                        grant.key, owner=owner, lease_seconds=LEASE_SECONDS, now=self._clock()
                    )

        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _keep(self, grant: Grant, response: TokenResponse) -> Grant:
        tokens = build_tokens(response, now=self._clock(), previous=grant.tokens)
        try:
            await self._authorization_server.confirm_subject(response, subject=grant.subject)
        except AuthorizationServerError as error:
            if isinstance(error, IdTokenInvalid) and not isinstance(error, KeyUnknown | IdTokenUntimely):
                # OpenID Connect Core §12.2: tokens of somebody else must not become this user's.
                await self._end(grant, reason="grant_ended", code=error.code)
                await self._give_up(grant.with_tokens(tokens))
                raise SessionRequired("grant_ended") from None
            _LOGGER.warning("the id_token of a refresh could not be checked: %s", error)
        current = await self._write(grant, tokens)
        if current is None:
            await self._give_up(grant.with_tokens(tokens))
            raise SessionRequired("signed_out")
        return self._tell("refreshed", current)

    async def _write(self, grant: Grant, tokens: Tokens) -> Grant | None:
        """Write the new tokens, however long the store fails: the old ones are dead."""
        attempt = 0
        while True:
            try:
                return await self._vault.replace_tokens(grant, tokens)
            except StoreUnavailable:
                if attempt == len(_WRITE_PAUSES):
                    _LOGGER.warning("new tokens are held in hand: the store cannot take them")
                    self._in_hand[grant.key].set()
                await asyncio.sleep(_WRITE_PAUSES[min(attempt, len(_WRITE_PAUSES) - 1)])
                attempt += 1

    async def _give_up(self, grant: Grant) -> None:
        """Have tokens revoked that nobody will use: they must not live on at the authorization server."""
        with contextlib.suppress(StoreError):
            await self._vault.queue_revocation(grant, now=self._clock())

    async def _without_refresh_token(self, grant: Grant, owner: bytes) -> Grant:
        if grant.tokens.expires_at > self._clock():
            await self._release(grant, owner, spent_unknown=False)
            return grant
        await self._end(grant, reason="grant_ended", code="refresh_token_missing")
        raise SessionRequired("grant_ended")

    async def _failed(
        self, grant: Grant, owner: bytes, error: AuthorizationServerError, *, was_abandoned: bool
    ) -> Grant:
        aftermath = decide_aftermath(error)
        if aftermath != "end":
            self._tell("failed", grant, error.code)
            await self._release(grant, owner, spent_unknown=aftermath == "unknown")
            raise error
        reason = decide_end_reason(was_abandoned=was_abandoned)
        if not await self._end(grant, reason=reason, code=error.code):
            # Fenced: a sign-in or another holder brought newer tokens, and theirs are the answer.
            return self._tell("superseded", await self._read(grant.key))
        raise SessionRequired(reason) from error

    async def _release(self, grant: Grant, owner: bytes, *, spent_unknown: bool) -> None:
        with contextlib.suppress(StoreError):
            await self._vault.release_claim(
                grant.key, owner=owner, spent_unknown=spent_unknown, now=self._clock()
            )

    async def _end(self, grant: Grant, *, reason: EndReason, code: str) -> bool:
        ended = await self._vault.end_grant(grant.key, reason=reason, now=self._clock(), expected=grant)
        for _ in range(ended):
            self._metrics.count_session_end(reason)
        if ended:
            self._tell("lost" if reason == "refresh_lost" else "ended", grant, code)
        return ended > 0

    def _tell(self, outcome: str, grant: Grant, code: str | None = None) -> Grant:
        self._metrics.count_refresh(outcome)
        if code is not None:
            self._audit.refresh_failed(code, session=self._keyring.label(grant.key), subject=grant.subject)
        return grant
