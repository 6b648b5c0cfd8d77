"""One attempt to sign in: what must be remembered between the redirect and the callback."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from gateway.browser.cookie import LOGIN_COOKIE_PREFIX
from gateway.errors import LoginAttemptExpired

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGIN_ATTEMPT_LIFETIME = 600
"""Seconds."""
MAX_LOGIN_ATTEMPTS = 5
_VERSION = 1
_CLOCK_TOLERANCE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAttempt:
    """`created_at` in seconds since the epoch; `previous_session` is the key of the session to replace."""

    state: str = field(repr=False)
    code_verifier: str = field(repr=False)
    nonce: str | None = field(repr=False)
    return_to: str
    created_at: float
    previous_session: bytes | None = field(repr=False)
    max_age: int | None

    def to_bytes(self) -> bytes:
        """Return the attempt as versioned JSON, to be sealed."""
        document = asdict(self)
        previous = self.previous_session
        document["previous_session"] = None if previous is None else previous.hex()
        return json.dumps({"version": _VERSION, **document}, separators=(",", ":")).encode()

    @staticmethod
    def from_bytes(document: bytes) -> LoginAttempt:
        """Read what `to_bytes` wrote, after its seal was opened; ValueError for anything else."""
        try:
            fields = json.loads(document)
            version = fields.pop("version")
            previous = fields.pop("previous_session")
            previous_session = None if previous is None else bytes.fromhex(previous)
            attempt = LoginAttempt(**fields, previous_session=previous_session)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError("not an attempt") from None
        if version != _VERSION:
            raise ValueError("another version")
        return attempt


def build_login_cookie_name(state: str) -> str:
    """Return the name of the attempt's cookie: each state has its own, so that tabs do not fight."""
    return f"{LOGIN_COOKIE_PREFIX}{hashlib.sha256(state.encode()).hexdigest()[:16]}"


def validate_login_attempt(attempt: LoginAttempt, *, now: float) -> None:
    """Raise LoginAttemptExpired for an attempt past its lifetime, or one from the future."""
    age = now - attempt.created_at
    if not -_CLOCK_TOLERANCE <= age <= LOGIN_ATTEMPT_LIFETIME:
        raise LoginAttemptExpired


def select_surplus_attempts(created_at: Mapping[str, float | None], *, keep: int) -> list[str]:
    """Return the names of the cookies to clear: those of None (stale, broken), the oldest above `keep`."""
    dead = [name for name, created in created_at.items() if created is None]
    living = sorted((created, name) for name, created in created_at.items() if created is not None)
    return dead + [name for _, name in living[: max(0, len(living) - keep)]]
