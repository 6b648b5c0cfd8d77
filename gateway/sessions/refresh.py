"""Hands out a grant whose access token is valid, with one refresh in flight per grant in this process.

A refresh token is spent by being sent (rotation), so a refresh must happen once and its answer must be kept:

- Callers that find a refresh in flight wait for it and share its result.
- The refresh runs in a task of its own. A browser that leaves cancels its waiting, never the refresh.
- Before the token is spent the grant is read again: newer tokens of another process are the answer then. A
  call that came back 401 with an older generation's token is likewise answered with the newer one.
- The new tokens are written with compare-and-set on the generation; a late writer takes the winner's.

| the token endpoint says               | the old token still serves | it does not       |
|---------------------------------------|----------------------------|-------------------|
| new tokens                            | the new grant              | the new grant     |
| invalid_grant                         | the grant ends             | the grant ends    |
| anything else: nothing, an error, 5xx | the old grant              | 502, 503 or 504   |

After a failure the token endpoint is left in peace as long as it asks, or some seconds: what the old token
still serves does not ask again meanwhile, and after a 429 nothing does. A token that the API refused (401)
does not serve, whatever its lifetime says.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from typing import TYPE_CHECKING

from gateway.errors import (
    AuthorizationServerBusy,
    AuthorizationServerError,
    GatewayError,
    GrantRefused,
    IdTokenInvalid,
    IdTokenUntimely,
    KeyUnknown,
    SessionRequired,
    StoreError,
    TokenRequestRefused,
)
from gateway.sessions.session import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.authorization_server import AuthorizationServer
    from gateway.oauth.token import TokenResponse
    from gateway.observability.audit import Audit
    from gateway.observability.metrics import Metrics
    from gateway.sessions.keyring import Keyring
    from gateway.sessions.session import Grant
    from gateway.sessions.vault import Vault

_LOGGER = logging.getLogger(__name__)

REFRESH_AHEAD_SECONDS = 60.0
"""An access token this close to its end is refreshed before it is used."""
_REST_SECONDS = 5
_UNSTATED_LIFETIME = 3600  # assumed where the answer has no `expires_in`; a 401 corrects it
_WRITE_ATTEMPTS = 5


def build_tokens(response: TokenResponse, *, now: float, previous: Tokens | None = None) -> Tokens:
    """Turn a token response into Tokens; what it leaves out stays as it was (RFC 6749 §5.1, §6)."""
    refresh_expires_at = None
    if response.refresh_expires_in is not None:
        refresh_expires_at = now + response.refresh_expires_in
    elif response.refresh_token is None and previous is not None:
        refresh_expires_at = previous.refresh_expires_at
    lifetime = _UNSTATED_LIFETIME if response.expires_in is None else response.expires_in
    return Tokens(
        access_token=response.access_token,
        refresh_token=response.refresh_token or (previous.refresh_token if previous else None),
        expires_at=now + lifetime,
        refreshed_at=now,
        scope=response.scope or (previous.scope if previous else None),
        refresh_expires_at=refresh_expires_at,
    )


class Refresher:
    """Refreshes grants; the metrics count each as refreshed, superseded, failed or ended."""

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
        self._resting: dict[bytes, tuple[float, AuthorizationServerError]] = {}

    async def valid_grant(self, grant_key: bytes) -> Grant:
        """Return the grant with an access token that is good for a call.

        Raises SessionRequired when the grant is gone, AuthorizationServerError when no valid token can be had
        just now, StoreError when the store cannot say.
        """
        grant = await self._read(grant_key)
        left = grant.tokens.expires_at - self._clock()
        if left > REFRESH_AHEAD_SECONDS or (left > 0 and self._rests(grant_key)):
            return grant
        return await self._refreshed(grant, still_serves=True)

    async def replaced_grant(self, used: Grant) -> Grant:
        """Return a grant newer than `used`, whose token was refused or is to be renewed at once.

        Raises as `valid_grant` does.
        """
        grant = await self._read(used.key)
        if grant.generation > used.generation:
            return grant
        return await self._refreshed(grant, still_serves=False)

    async def drain(self) -> None:
        """Wait for the refreshes in flight: a token that was spent must have its successor stored."""
        if self._in_flight:
            await asyncio.wait(self._in_flight.values())

    async def _read(self, grant_key: bytes) -> Grant:
        grant = await self._vault.read_grant(grant_key)
        if grant is None:
            raise SessionRequired("grant_ended")
        return grant

    async def _refreshed(self, grant: Grant, *, still_serves: bool) -> Grant:
        task = self._in_flight.get(grant.key)
        if task is None:
            self._heed_rate_limit(grant.key)
            task = asyncio.create_task(self._refresh(grant))
            self._in_flight[grant.key] = task
            task.add_done_callback(lambda done: self._landed(grant.key, done))
        try:
            return await asyncio.shield(task)
        except (AuthorizationServerError, StoreError):
            if still_serves and grant.tokens.expires_at > self._clock():
                return grant
            raise

    def _landed(self, grant_key: bytes, task: asyncio.Task[Grant]) -> None:
        self._in_flight.pop(grant_key, None)
        self._resting.pop(grant_key, None)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, AuthorizationServerError):
            now = self._clock()
            self._resting = {key: rest for key, rest in self._resting.items() if rest[0] > now}
            self._resting[grant_key] = (now + (error.retry_after or _REST_SECONDS), error)
        if error is not None and not isinstance(error, GatewayError):
            _LOGGER.error("a refresh failed unexpectedly", exc_info=error)

    def _rests(self, grant_key: bytes) -> bool:
        return grant_key in self._resting and self._resting[grant_key][0] > self._clock()

    def _heed_rate_limit(self, grant_key: bytes) -> None:
        until, error = self._resting.get(grant_key, (0.0, None))
        left = until - self._clock()
        if left > 0 and isinstance(error, AuthorizationServerBusy):
            # RFC 6585 §4: to ask again before its time would prolong the block.
            raise AuthorizationServerBusy(log_detail="429 not long ago", retry_after=math.ceil(left))

    async def _refresh(self, seen: Grant) -> Grant:
        grant = await self._read(seen.key)
        if grant.generation > seen.generation:
            return self._tell("superseded", grant)
        if grant.tokens.refresh_token is None:
            return await self._without_refresh_token(grant)
        try:
            response = await self._authorization_server.refresh(grant.tokens.refresh_token)
        except TokenRequestRefused as error:
            return await self._refused(grant, error)
        except AuthorizationServerError as error:
            self._tell("failed", grant, error.code)
            raise
        return await self._keep(grant, response)

    async def _keep(self, grant: Grant, response: TokenResponse) -> Grant:
        tokens = build_tokens(response, now=self._clock(), previous=grant.tokens)
        try:
            await self._authorization_server.confirm_subject(response, subject=grant.subject)
        except AuthorizationServerError as error:
            if isinstance(error, IdTokenInvalid) and not isinstance(error, KeyUnknown | IdTokenUntimely):
                # OpenID Connect Core §12.2: tokens of somebody else must not become this user's.
                await self._end(grant, error.code)
                await self._revoke(tokens)
                raise SessionRequired("grant_ended") from None
            _LOGGER.warning("the id_token of a refresh could not be checked: %s", error)
        current = await self._write(grant, tokens)
        if current is None:
            await self._revoke(tokens)
            raise SessionRequired("signed_out")
        return self._tell("refreshed", current)

    async def _revoke(self, tokens: Tokens) -> None:
        # Nobody will use them, so they must not live on at the authorization server.
        token = tokens.refresh_token or tokens.access_token
        hint = "refresh_token" if tokens.refresh_token else "access_token"
        with contextlib.suppress(AuthorizationServerError):
            await self._authorization_server.revoke(token, token_type_hint=hint)

    async def _write(self, grant: Grant, tokens: Tokens) -> Grant | None:
        # The old refresh token is spent: to lose the new one to a moment's trouble ends the session.
        for attempt in range(_WRITE_ATTEMPTS):
            try:
                return await self._vault.replace_tokens(grant, tokens)
            except StoreError:
                if attempt + 1 == _WRITE_ATTEMPTS:
                    raise
                await asyncio.sleep(0.2 * 2**attempt)
        raise AssertionError

    async def _without_refresh_token(self, grant: Grant) -> Grant:
        if grant.tokens.expires_at > self._clock():
            return grant
        await self._end(grant, "refresh_token_missing")
        raise SessionRequired("grant_ended")

    async def _refused(self, grant: Grant, error: TokenRequestRefused) -> Grant:
        current = await self._read(grant.key)
        if current.generation > grant.generation:
            # Another process spent the same token first and has its successor: that one is the answer.
            return self._tell("superseded", current)
        if not isinstance(error, GrantRefused):
            # RFC 6749 §5.2: invalid_client and its like are the operator's to mend; nobody is signed out.
            self._tell("failed", grant, error.error)
            raise error
        await self._end(grant, error.error)
        raise SessionRequired("grant_ended") from error

    async def _end(self, grant: Grant, code: str) -> None:
        ended = await self._vault.end_grant(grant.key, reason="grant_ended", now=self._clock())
        for _ in range(ended):
            self._metrics.count_session_end("grant_ended")
        self._tell("ended", grant, code)

    def _tell(self, outcome: str, grant: Grant, code: str | None = None) -> Grant:
        self._metrics.count_refresh(outcome)
        if code is not None:
            self._audit.refresh_failed(code, session=self._keyring.label(grant.key), subject=grant.subject)
        return grant
