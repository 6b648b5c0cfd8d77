"""What a session, its grant and its tokens are, and when a session is over."""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

EndReason = Literal[
    "idle", "expired", "signed_out", "signed_out_elsewhere", "replaced", "grant_ended", "refresh_lost"
]

ONLY_CONNECTION = ""
"""Stands for a user's connection where the authorization server keeps but one, and therefore names none."""

TOUCH_SECONDS = 60.0
"""Activity of a session is written down at most this often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What the authorization server issued last; times are seconds since the epoch."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: float
    refreshed_at: float
    scope: str | None
    refresh_expires_at: float | None = None
    """When the refresh token itself ends, where that is known; it may move with each refresh."""
    session_expires_at: float | None = None
    """When the authorization server ends its own session, by the word of its newest id_token."""
    auth_time: float | None = None
    """When the user authenticated, by the id_token of the sign-in."""
    signed_in_at: float = 0.0
    """When the sign-in was that these tokens, or those that were refreshed to them, came of."""

    @property
    def ceiling(self) -> float | None:
        """When nothing goes on with these tokens, as far as is known: no session of theirs lasts longer.

        That is the end of the refresh token, or of the access token where there is no refresh token.
        """
        end = self.expires_at if self.refresh_token is None else self.refresh_expires_at
        if end is None or self.session_expires_at is None:
            return self.session_expires_at if end is None else end
        return min(end, self.session_expires_at)

    def are_over(self, now: float) -> bool:
        """Say whether nothing is left that could be used, as far as is known."""
        if self.refresh_token is None:
            return self.expires_at <= now
        return self.refresh_expires_at is not None and max(self.refresh_expires_at, self.expires_at) <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One connection at the authorization server; `generation` counts its tokens, from 1."""

    key: bytes = field(repr=False)
    issuer: str
    client_id: str
    subject: str = field(repr=False)
    connection_id: str | None = field(repr=False)
    tokens: Tokens
    generation: int
    created_at: float
    ends_at: float
    """No session of the grant ends later; where its tokens end before, their `ceiling` bounds it."""

    def with_tokens(self, tokens: Tokens) -> Grant:
        """Return the grant's next generation; its beginning and its end stay."""
        return dataclasses.replace(self, tokens=tokens, generation=self.generation + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in browser; `key` is the hash of the id in its cookie, `claims` are for display."""

    key: bytes = field(repr=False)
    grant_key: bytes = field(repr=False)
    subject: str = field(repr=False)
    claims: Mapping[str, str] = field(repr=False)
    created_at: float
    last_seen_at: float
    idle_seconds: int
    ends_at: float
    device: str = ""
    """The browser and system, coarsely, as the user may recognise them in the list of sessions."""
    address: str | None = field(default=None, repr=False)
    sid: str | None = field(default=None, repr=False)
    """The authorization server's own session (OpenID Connect Back-Channel Logout 1.0 §2.1)."""
    id_token: str | None = field(default=None, repr=False)
    """Of the sign-in, where it is kept to be the hint at sign-out."""
    subject_key: bytes = field(default=b"", repr=False)
    """Under which the store lists the subject's sessions; empty in those begun before it did."""
    sid_key: bytes | None = field(default=None, repr=False)

    @property
    def idle_at(self) -> float:
        """When the session ends if nothing more is heard of it; never later than `ends_at`."""
        return min(self.last_seen_at + self.idle_seconds, self.ends_at)

    def why_ended(self, now: float) -> Literal["idle", "expired"] | None:
        """Say why the session is over at `now`, or None while it lives."""
        return why_ended(now, idle_at=self.idle_at, ends_at=self.ends_at)

    @property
    def touch_at(self) -> float:
        """From when activity is worth a write again: once a minute, or a tenth of a short idle time."""
        return self.last_seen_at + min(TOUCH_SECONDS, self.idle_seconds / 10)

    def within(self, tokens: Tokens) -> Session:
        """Return the session as its grant's tokens bound it; kept is the end that no refresh moves."""
        return dataclasses.replace(self, ends_at=fold_ends(self.ends_at, tokens.ceiling))

    def needs_touch(self, now: float) -> bool:
        """Say whether activity at `now` is worth a write."""
        return now >= self.touch_at

    def seen(self, now: float) -> Session:
        """Return the session as of activity at `now`; a clock that runs behind takes nothing away."""
        return dataclasses.replace(self, last_seen_at=max(self.last_seen_at, now))


def fold_ends(absolute: float, *ceilings: float | None) -> float:
    """Return the earliest of a session's ends: its own, and those that others set it, where known."""
    return min([absolute, *(ceiling for ceiling in ceilings if ceiling is not None)])


def why_ended(now: float, *, idle_at: float, ends_at: float) -> Literal["idle", "expired"] | None:
    """Say which of its two ends a session met first, or None before both."""
    if now < min(idle_at, ends_at):
        return None
    return "idle" if idle_at < ends_at else "expired"


def new_session_id(grant_key: bytes | None = None) -> str:
    """Return 256 random bits as base64url: what the cookie carries and no store ever sees.

    For a grant that other sessions may share, ids are drawn until the session's key begins with the same byte
    as the grant's, so that a store that is spread over machines keeps them together: 248 bits are left.
    """
    while True:
        session_id = secrets.token_urlsafe(32)
        if grant_key is None or build_session_key(session_id)[0] == grant_key[0]:
            return session_id


def build_session_key(session_id: str) -> bytes:
    """Return the SHA-256 of a session id: a stolen store is no login."""
    return hashlib.sha256(session_id.encode()).digest()


def new_grant_key(session_key: bytes) -> bytes:
    """Return a random key, for a grant that no other session shares, beginning as the session's does."""
    return session_key[:1] + secrets.token_bytes(31)


def build_grant_key(*, issuer: str, client_id: str, subject: str, connection_id: str) -> bytes:
    """Return the key under which all sessions of one connection meet; all four must agree."""
    return hashlib.sha256(b"lexgate grant" + framed(issuer, client_id, subject, connection_id)).digest()


def framed(*parts: str) -> bytes:
    """Return the parts in one, so that no two lists of parts give the same bytes."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
