"""One refresh: claims the grant, spends its refresh token, and keeps what comes of it.

The theory and the table of states are in refresh.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.errors import (
    AuthorizationServerBusy,
    AuthorizationServerError,
    ClientRefused,
    IdTokenInvalid,
    IdTokenUntimely,
    KeyUnknown,
    SessionRequired,
    StoreError,
    StoreUnavailable,
)
from gateway.sessions.refresh_lease import RETRY_SECONDS, RefreshLeases
from gateway.sessions.refresh_step import decide_aftermath, decide_end_reason, is_at_end
from gateway.sessions.refreshed_tokens import build_tokens
from gateway.sessions.token_rate_limit import TokenRateLimit

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.authorization_server import AuthorizationServer
    from gateway.oauth.token import TokenResponse
    from gateway.observability.audit import Audit
    from gateway.observability.metrics import Metrics
    from gateway.sessions.keyring import Keyring
    from gateway.sessions.session import EndReason, Grant, Tokens
    from gateway.sessions.vault import Vault

_LOGGER = logging.getLogger(__name__)

PATIENCE_SECONDS = 35.0
"""How long a call waits for a refresh: the token endpoint's own limit, and a little."""
_WRITE_PAUSES = (0.05, 0.1, 0.2, 0.4, RETRY_SECONDS)
_IN_HAND_ATTEMPTS = 9
"""After so many, some 3 s, callers are no longer kept waiting."""
_SIGN_IN_LOOKS, _SIGN_IN_PAUSE = 12, 0.25
"""For so many looks, 3 s, a shared grant whose refresh token is refused may be brought back by a sign-in."""
_WRITE_SECONDS = 600.0
"""How long new tokens are kept in hand for a store that fails."""


class RefreshFlight:
    """What all refreshes share.

    The metrics count each as refreshed, superseded, failed, client_refused, expired, ended or lost.
    """

    def __init__(
        self,
        *,
        vault: Vault,
        authorization_server: AuthorizationServer,
        clock: Callable[[], float],
        metrics: Metrics,
        audit: Audit,
        keyring: Keyring,
        refresh_token_lifetime: int | None = None,
    ) -> None:
        self._vault = vault
        self._authorization_server = authorization_server
        self._clock = clock
        self._metrics = metrics
        self._audit = audit
        self._keyring = keyring
        self._refresh_token_lifetime = refresh_token_lifetime
        self._rate_limit = TokenRateLimit(vault)
        self._leases = RefreshLeases(vault, clock)

    async def run(self, seen: Grant, *, in_hand: asyncio.Event) -> Grant:
        """Refresh a grant; sets `in_hand` while the store takes no new tokens. Raises as Refresher does."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS + _WRITE_SECONDS):
                return await self._run(seen, in_hand)
        except TimeoutError:
            _LOGGER.error("a refresh is given up; if the store took no new tokens, they are lost")  # noqa: TRY400 - a time-out's traceback tells nothing
            raise StoreUnavailable(log_detail="a refresh came to no end", retry_after=5) from None

    async def _run(self, seen: Grant, in_hand: asyncio.Event) -> Grant:
        owner = secrets.token_bytes(16)
        await self._rate_limit.heed(seen, now=self._clock())
        claim = await self._leases.claim(seen, owner)
        if claim.grant is None:
            raise SessionRequired("grant_ended")
        if claim.outcome == "superseded":
            return self._tell("superseded", claim.grant)
        was_abandoned = claim.outcome == "granted_abandoned"
        return await self._spend(claim.grant, owner, in_hand, was_abandoned=was_abandoned)

    async def _spend(
        self, grant: Grant, owner: bytes, in_hand: asyncio.Event, *, was_abandoned: bool
    ) -> Grant:
        if is_at_end(grant.tokens, now=self._clock()):
            return await self._over(grant)
        if grant.tokens.refresh_token is None:
            await self._release(grant, owner, spent_unknown=False)
            return grant
        async with self._leases.renewed(grant, owner):
            try:
                response = await self._authorization_server.refresh(grant.tokens.refresh_token)
            except AuthorizationServerError as error:
                return await self._failed(grant, owner, error, was_abandoned=was_abandoned)
            return await self._keep(grant, response, in_hand)

    async def _keep(self, grant: Grant, response: TokenResponse, in_hand: asyncio.Event) -> Grant:
        now = self._clock()
        tokens = build_tokens(
            response,
            now=now,
            previous=grant.tokens,
            refresh_token_lifetime=self._refresh_token_lifetime,
        )
        try:
            left = await self._authorization_server.confirm_subject(
                response, subject=grant.subject, auth_time=grant.tokens.auth_time
            )
            if left is not None:
                tokens = replace(tokens, session_expires_at=now + left)
        except AuthorizationServerError as error:
            if isinstance(error, IdTokenInvalid) and not isinstance(error, KeyUnknown | IdTokenUntimely):
                # OpenID Connect Core §12.2: tokens of somebody else must not become this user's.
                await self._end(grant, reason="grant_ended", code=error.code)
                await self._give_up(grant.with_tokens(tokens))
                raise SessionRequired("grant_ended") from None
            _LOGGER.warning("the id_token of a refresh could not be checked: %s", error)
        current = await self._write(grant, tokens, in_hand)
        if current is None:
            await self._give_up(grant.with_tokens(tokens))
            raise SessionRequired("signed_out")
        return self._tell("refreshed", current)

    async def _write(self, grant: Grant, tokens: Tokens, in_hand: asyncio.Event) -> Grant | None:
        """Write the new tokens, however long the store fails: the old ones are dead."""
        attempt = 0
        while True:
            try:
                return await self._vault.replace_tokens(grant, tokens)
            except StoreUnavailable:
                if attempt == _IN_HAND_ATTEMPTS:
                    _LOGGER.warning("new tokens are held in hand: the store cannot take them")
                    in_hand.set()
                await asyncio.sleep(_WRITE_PAUSES[min(attempt, len(_WRITE_PAUSES) - 1)])
                attempt += 1

    async def _give_up(self, grant: Grant) -> None:
        """Have tokens revoked that nobody will use: they must not live on at the authorization server."""
        with contextlib.suppress(StoreError):
            await self._vault.queue_revocation(grant, now=self._clock())

    async def _over(self, grant: Grant) -> Grant:
        """End a grant whose time is up, by what the authorization server said of it; nothing is spent."""
        code = "refresh_token_missing" if grant.tokens.refresh_token is None else "grant_expired"
        return await self._ended(grant, reason="expired", code=code)

    async def _failed(
        self, grant: Grant, owner: bytes, error: AuthorizationServerError, *, was_abandoned: bool
    ) -> Grant:
        aftermath = decide_aftermath(error)
        if aftermath != "end":
            self._tell_failure(grant, error)
            if isinstance(error, AuthorizationServerBusy):
                await self._rate_limit.note(grant, error, now=self._clock())
            await self._release(grant, owner, spent_unknown=aftermath == "unknown")
            raise error
        signed_in = await self._signed_in(grant)
        if signed_in is not None:
            return self._tell("superseded", signed_in)
        reason = decide_end_reason(was_abandoned=was_abandoned)
        return await self._ended(grant, reason=reason, code=error.code)

    async def _signed_in(self, grant: Grant) -> Grant | None:
        """Return the grant of a sign-in that may be why this one's refresh token was refused.

        It has its tokens from the authorization server, which may have ended the connection's former ones by
        that, and is about to store them.
        """
        if grant.connection_id is None:
            return None
        for _ in range(_SIGN_IN_LOOKS):
            with contextlib.suppress(StoreError):
                current = await self._vault.read_grant(grant.key)
                if current is None or current.generation != grant.generation:
                    return current
            await asyncio.sleep(_SIGN_IN_PAUSE)
        return None

    async def _ended(self, grant: Grant, *, reason: EndReason, code: str) -> Grant:
        if not await self._end(grant, reason=reason, code=code):
            # Fenced: a sign-in or another holder brought newer tokens, and theirs are the answer.
            current = await self._vault.read_grant(grant.key)
            if current is not None:
                return self._tell("superseded", current)
        raise SessionRequired(reason)

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
            outcome = {"refresh_lost": "lost", "expired": "expired"}.get(reason, "ended")
            self._tell(outcome, grant, code)
        return ended > 0

    def _tell_failure(self, grant: Grant, error: AuthorizationServerError) -> None:
        if not isinstance(error, ClientRefused):
            self._tell("failed", grant, error.code)
            return
        self._tell("client_refused", grant, error.code)
        _LOGGER.error(
            "no token can be refreshed: the authorization server does not accept this client (%s);"
            " check its registration, LEXGATE_CLIENT_ID and LEXGATE_CLIENT_SECRET, or run `lexgate doctor`",
            error.error,
        )

    def _tell(self, outcome: str, grant: Grant, code: str | None = None) -> Grant:
        self._metrics.count_refresh(outcome)
        if code is not None:
            self._audit.refresh_failed(code, session=self._keyring.label(grant.key), subject=grant.subject)
        return grant
