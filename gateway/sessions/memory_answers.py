"""The shared answers of the store in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.sessions.kept_answers import (
    MARK_SECONDS,
    AnswerClaim,
    Fetching,
    KeptAnswer,
    build_mark,
    decide_answer,
    next_number,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True)
class MemoryAnswers:
    """Answers, who fetches them, and what was forgotten: `numbers` by place and scope."""

    kept: dict[bytes, KeptAnswer] = field(default_factory=dict[bytes, KeptAnswer], repr=False)
    fetching: dict[bytes, Fetching] = field(default_factory=dict[bytes, Fetching], repr=False)
    numbers: dict[bytes, dict[bytes, int]] = field(default_factory=dict[bytes, dict[bytes, int]], repr=False)
    noted_at: dict[bytes, float] = field(default_factory=dict[bytes, float], repr=False)

    def mark(self, place: bytes, scopes: Sequence[bytes]) -> int:
        """Return the mark of scopes of a place."""
        return build_mark(scopes, self.numbers.get(place, {}))

    def claim(self, key: bytes, *, mark: int, owner: bytes, lease_seconds: float, now: float) -> AnswerClaim:
        """Claim an answer; see SessionStore."""
        claim = decide_answer(
            self.kept.get(key),
            self.fetching.get(key),
            mark=mark,
            owner=owner,
            lease_seconds=lease_seconds,
            now=now,
        )
        if claim.outcome == "granted":
            self.fetching[key] = Fetching(mark, owner, now + lease_seconds)
        return claim

    def keep(self, key: bytes, answer: KeptAnswer, *, owner: bytes, mark: int) -> bool:
        """Keep an answer if the mark is still its own; see SessionStore."""
        self.release(key, owner=owner)
        if answer.mark != mark:
            return False
        self.kept[key] = answer
        return True

    def release(self, key: bytes, *, owner: bytes) -> None:
        """Let go of a claim; see SessionStore."""
        fetching = self.fetching.get(key)
        if fetching is not None and fetching.owner == owner:
            del self.fetching[key]

    def forget(self, place: bytes, scopes: Sequence[bytes], *, now: float) -> None:
        """Forget what depends on any of the scopes; see SessionStore."""
        numbers = self.numbers.setdefault(place, {})
        self.noted_at[place] = now
        for scope in scopes:
            numbers[scope] = next_number(numbers.get(scope, 0), now)

    def sweep(self, now: float) -> None:
        """Drop what is past its time."""
        self.kept = {key: answer for key, answer in self.kept.items() if answer.expires_at > now}
        self.fetching = {key: fetching for key, fetching in self.fetching.items() if fetching.until > now}
        self.noted_at = {key: at for key, at in self.noted_at.items() if at > now - MARK_SECONDS}
        self.numbers = {key: numbers for key, numbers in self.numbers.items() if key in self.noted_at}
