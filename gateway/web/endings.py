"""What follows when several sessions end at once: they are counted and logged, and their tokens revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.observability.exchange import exchange_of

if TYPE_CHECKING:
    import asyncio

    from fastapi import Request

    from gateway.observability.audit import Audit
    from gateway.observability.metrics import Metrics
    from gateway.sessions.keyring import Keyring
    from gateway.sessions.vault_lists import SessionsEnded
    from gateway.web.revocation import Revocation


class Endings:
    """Follows up on SessionsEnded; nothing of it waits for the authorization server."""

    def __init__(self, *, revocation: Revocation, keyring: Keyring, audit: Audit, metrics: Metrics) -> None:
        self._revocation = revocation
        self._keyring = keyring
        self._audit = audit
        self._metrics = metrics

    def revoke(self, ended: SessionsEnded) -> list[asyncio.Task[bool]]:
        """Start revoking the grants that were left without a session; each task tells whether it was done."""
        return [self._revocation.begin(grant) for grant in ended.grants]

    def note(
        self, request: Request, ended: SessionsEnded, *, subject: str | None, own_key: bytes | None = None
    ) -> None:
        """Count and log each session; `own_key` is the one that asked for it."""
        exchange = exchange_of(request.scope)
        for key in ended.keys:
            reason = "signed_out" if key == own_key else "signed_out_elsewhere"
            self._metrics.count_session_end(reason)
            self._audit.session_ended(
                reason,
                session=self._keyring.label(key),
                subject=subject,
                address=exchange.address,
                request_id=exchange.request_id,
            )
