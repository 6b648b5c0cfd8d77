"""Answers of the resource server that replicas share, and who of them fetches one (PURE)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ANSWER_SECONDS = 86_400.0
"""How long an answer is kept at most."""

MARK_SECONDS = 2 * ANSWER_SECONDS
"""How long it is remembered that something was forgotten: longer than any answer of before can be kept."""

ANSWERS_BYTES = 64 * 1024 * 1024
"""What SQLite keeps at most, in the sum; what would be over first goes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerClaim:
    """What came of the wish for an answer.

    | outcome | meaning                                                                                  |
    |---------|------------------------------------------------------------------------------------------|
    | found   | `sealed` is the answer                                                                   |
    | granted | fetch it: it is yours for as long as the lease runs; keep it under `mark`, or release it |
    | held    | somebody else fetches it, for `wait` seconds at most                                     |
    """

    outcome: Literal["found", "granted", "held"]
    mark: int = 0
    sealed: bytes | None = field(default=None, repr=False)
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer with the mark under which it was fetched, and when it is over."""

    mark: int
    sealed: bytes = field(repr=False)
    expires_at: float


@dataclass(frozen=True, slots=True)
class Fetching:
    """Who fetches an answer, until when, and under which mark."""

    mark: int
    owner: bytes = field(repr=False)
    until: float


def build_mark(scopes: Sequence[bytes], numbers: Mapping[bytes, int]) -> int:
    """Return one number that is another as soon as something in any of the scopes was forgotten."""
    return sum(numbers.get(scope, 0) for scope in scopes)


def next_number(number: int, now: float) -> int:
    """Return a scope's number after something in it was forgotten: never one that it had before."""
    return max(number + 1, int(now * 1000))


def decide_answer(
    kept: KeptAnswer | None,
    fetching: Fetching | None,
    *,
    mark: int,
    owner: bytes,
    lease_seconds: float,
    now: float,
) -> AnswerClaim:
    """Say what a claim comes to; a fetch that began before something was forgotten keeps nobody waiting.

    Nor does one with a longer lease than there is: the clock was set back since.
    """
    if kept is not None and kept.mark == mark and kept.expires_at > now:
        return AnswerClaim(outcome="found", mark=mark, sealed=kept.sealed)
    if fetching is not None and fetching.mark == mark and fetching.owner != owner:
        wait = fetching.until - now
        if 0 < wait <= lease_seconds:
            return AnswerClaim(outcome="held", mark=mark, wait=wait)
    return AnswerClaim(outcome="granted", mark=mark)


def pack_scopes(scopes: Iterable[bytes]) -> bytes:
    """Return scopes as the script reads them: each behind its length, of at most 255 bytes."""
    return b"".join(bytes([len(scope)]) + scope for scope in scopes)
