"""Whether a call to the resource server is sent again: only what did not happen, or may happen twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from http import HTTPStatus
from typing import Literal

DEFAULT_PATIENCE = 10.0
MAX_PATIENCE = 25.0
FIRST_WAIT = 0.5
LONGEST_WAIT = 8.0
REFUSED_SECONDS = 10.0

# RFC 9110 §9.2.1: what may be asked twice without doing anything twice.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Decision = Literal["pass", "refresh_and_replay", "wait_and_resend", "resend"]

_WAIT_PREFERENCE = re.compile(r'wait\s*=\s*"?(\d{1,6})"?', re.ASCII | re.IGNORECASE)
_WAIT_NAME = re.compile(r"wait\s*(?:=|\Z)", re.IGNORECASE)


class Failure(Enum):
    """How a call ended without an answer."""

    UNREACHABLE = "unreachable"
    """No connection was made, or no byte was written: the request was not sent."""
    BROKEN = "broken"
    """The connection was lost after the request, or a part of it, was sent."""
    TIMEOUT = "timeout"
    """The route's own limit passed: the caller has waited long enough, so nothing is sent again."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """What a call has been through; `replayable`: its body is empty, kept, or not yet begun to be read."""

    method: str
    replayable: bool
    refreshed: bool = False
    resent: bool = False
    waits: int = 0
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next; `wait` is in seconds, and with a passed 429 what its Retry-After should say."""

    decision: Decision
    wait: float = 0.0


PASS = Step("pass")


class RefusedTokens:
    """Grants whose newest token the resource server refused, though it had just been made.

    lexoffice answers 401 during outages too: to refresh again with every call would be load and nothing else.
    """

    def __init__(self) -> None:
        self._until: dict[bytes, float] = {}

    def add(self, grant_key: bytes, *, now: float) -> None:
        """Remember it for `REFUSED_SECONDS`."""
        self._until = {key: until for key, until in self._until.items() if until > now}
        self._until[grant_key] = now + REFUSED_SECONDS

    def has(self, grant_key: bytes, *, now: float) -> bool:
        """Return whether a refresh would only bring another token that is refused."""
        return self._until.get(grant_key, now) > now


def decide_on_status(
    attempts: Attempts, status: int, *, patience: float, retry_after: float | None, jitter: float
) -> Step:
    """Decide on an answer; `patience` and `retry_after` are in seconds, `jitter` is random in [0, 1)."""
    if status == HTTPStatus.UNAUTHORIZED:
        # The token may have died early: once, with a new one.
        again = attempts.replayable and not attempts.refreshed
        return Step("refresh_and_replay") if again else PASS
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        # RFC 6585 §4: refused before it was performed, so any method may be sent again.
        wait = build_wait(attempts.waits, retry_after=retry_after, jitter=jitter)
        again = attempts.replayable and attempts.waited + wait <= patience
        return Step("wait_and_resend" if again else "pass", wait)
    if status == HTTPStatus.GATEWAY_TIMEOUT:
        return _resend_if_safe(attempts)
    return PASS


def decide_on_throttling(
    attempts: Attempts, *, patience: float, retry_after: float | None, jitter: float
) -> Step:
    """Decide on an answer that says that too many calls were sent, where each one takes a turn.

    The turns come slower from now on, so the first time nothing else is waited for; `patience` is what is
    left of it.
    """
    wait = 0.0 if attempts.waits == 0 else build_wait(attempts.waits - 1, retry_after=None, jitter=jitter)
    wait = max(wait, retry_after or 0.0)
    again = attempts.replayable and wait < patience
    return Step("wait_and_resend" if again else "pass", wait)


def decide_on_failure(attempts: Attempts, failure: Failure) -> Step:
    """Decide on a call that ended without an answer; "pass" means that the failure is told to the caller."""
    if failure is Failure.UNREACHABLE:
        return Step("resend") if attempts.replayable and not attempts.resent else PASS
    if failure is Failure.BROKEN:
        return _resend_if_safe(attempts)
    return PASS


def build_wait(waits: int, *, retry_after: float | None, jitter: float) -> float:
    """Seconds to wait after a 429 that follows `waits` others: 0.5, 1, 2, ... 8, or what the answer says.

    Up to half of the first wait is added at random, so that calls that were refused together come apart.
    """
    base = min(FIRST_WAIT * 2 ** min(waits, 8), LONGEST_WAIT) if retry_after is None else retry_after
    return base + jitter * FIRST_WAIT / 2


def parse_patience(prefer: bytes | None, *, default: float = DEFAULT_PATIENCE) -> float:
    """Seconds a caller would wait: the first `wait` of its Prefer field (at most 25), or `default`."""
    for preference in (prefer or b"").decode("latin-1").split(","):
        name_and_value = preference.partition(";")[0].strip()
        if found := _WAIT_PREFERENCE.fullmatch(name_and_value):
            return min(float(found[1]), MAX_PATIENCE)
        if _WAIT_NAME.match(name_and_value):
            break  # RFC 7240 §2: the first one counts, and §4.3 gives this one no meaning
    return default


def parse_retry_after(value: bytes | None, *, now: float) -> float | None:
    """Seconds from `now` (Unix time) that a Retry-After field asks for; None where it says nothing."""
    text = (value or b"").decode("latin-1").strip()
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return float(text)
    try:
        # RFC 9110 §10.2.3: the other form is an HTTP-date.
        moment = datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - now)


def _resend_if_safe(attempts: Attempts) -> Step:
    again = attempts.method in SAFE_METHODS and attempts.replayable and not attempts.resent
    return Step("resend") if again else PASS
