"""The audit log: who signed in and out, from where, and what ended a session."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Audit:
    """Writes one line an event, `audit: true` on each, so that a collector can keep them apart and longer.

    `session` is a keyed hash of the session id, never the id (a log must not be a login); `subject` is the
    authorization server's identifier of the user, without name or e-mail address; `address` is the client's
    IP address; `request_id` joins the line with the request's own. None is left out.
    """

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger if logger is not None else logging.getLogger("gateway.audit")

    def sign_in(
        self,
        outcome: str,
        *,
        code: str | None = None,
        session: str | None = None,
        subject: str | None = None,
        address: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Log a sign-in's end: `outcome` is `success` or `failure`, then with the error's `code`."""
        self._write("sign_in", outcome, code, session, subject, address, request_id)

    def sign_out(
        self,
        outcome: str,
        *,
        code: str | None = None,
        session: str | None = None,
        subject: str | None = None,
        address: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Log a sign-out: `success`, or `failure` with `code` where the tokens could not be revoked."""
        self._write("sign_out", outcome, code, session, subject, address, request_id)

    def refresh_failed(
        self,
        code: str,
        *,
        session: str | None = None,
        subject: str | None = None,
        address: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Log that a grant's tokens could not be renewed, with the error's `code`."""
        self._write("refresh", "failure", code, session, subject, address, request_id)

    def session_ended(
        self,
        reason: str,
        *,
        session: str | None = None,
        subject: str | None = None,
        address: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Log a session's end: `reason` is one of the session document's."""
        self._write("session_ended", reason, None, session, subject, address, request_id)

    def webhook(
        self,
        outcome: str,
        *,
        code: str | None = None,
        kind: str | None = None,
        organization: str | None = None,
        address: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Log a delivery: `success`, `repeated`, `unknown` (a type without meaning here), or `failure`.

        `kind` is the event's type, `organization` whose books it is about, once the signature was verified.
        """
        about = {"type": kind, "organization": organization}
        self._write("webhook", outcome, code, None, None, address, request_id, about)

    def _write(
        self,
        event: str,
        outcome: str,
        code: str | None,
        session: str | None,
        subject: str | None,
        address: str | None,
        request_id: str | None,
        about: Mapping[str, str | None] | None = None,
    ) -> None:
        fields: dict[str, str | bool | None] = {
            "audit": True,
            "outcome": outcome,
            "code": code,
            "session": session,
            "subject": subject,
            "address": address,
            "request_id": request_id,
            **(about or {}),
        }
        present = {name: value for name, value in fields.items() if value is not None}
        failed = outcome == "failure"
        self._logger.log(logging.WARNING if failed else logging.INFO, event, extra={"fields": present})
