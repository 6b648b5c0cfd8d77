"""The shared answers of the Redis store: one run of the script each, on the server's time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sessions.kept_answers import ANSWER_SECONDS, AnswerClaim, pack_scopes
from gateway.sessions.redis_writes import RedisWrites

if TYPE_CHECKING:
    from collections.abc import Sequence


class RedisAnswers(RedisWrites):
    """The part of RedisStore that is about shared answers; all of a place's lie in one bucket."""

    async def claim_answer(
        self,
        place: bytes,
        key: bytes,
        *,
        scopes: Sequence[bytes],
        owner: bytes,
        lease_seconds: float,
        now: float,
    ) -> AnswerClaim:
        """Claim an answer; see SessionStore."""
        _ = now
        outcome, mark, rest = await self._whole(
            self._link.script(
                place[0], "claim_answer", place, key, pack_scopes(scopes), owner, round(lease_seconds * 1000)
            )
        )
        if outcome == b"found":
            return AnswerClaim(outcome="found", mark=int(mark), sealed=rest)
        if outcome == b"held":
            return AnswerClaim(outcome="held", mark=int(mark), wait=max(0, int(rest)) / 1000)
        return AnswerClaim(outcome="granted", mark=int(mark))

    async def keep_answer(
        self,
        place: bytes,
        key: bytes,
        *,
        scopes: Sequence[bytes],
        owner: bytes,
        mark: int,
        sealed: bytes,
        seconds: float,
        now: float,
    ) -> bool:
        """Keep an answer; see SessionStore."""
        _ = now
        milliseconds = max(1, round(min(seconds, ANSWER_SECONDS) * 1000))
        values = (place, key, pack_scopes(scopes), owner, mark, sealed, milliseconds)
        return bool(await self._whole(self._link.script(place[0], "keep_answer", *values)))

    async def release_answer(self, place: bytes, key: bytes, *, owner: bytes) -> None:
        """Let go of a claim; see SessionStore."""
        await self._whole(self._link.script(place[0], "release_answer", key, owner))

    async def forget_answers(self, place: bytes, scopes: Sequence[bytes], *, now: float) -> None:
        """Forget what depends on any of the scopes; see SessionStore."""
        _ = now
        await self._whole(self._link.script(place[0], "forget_answers", place, pack_scopes(scopes)))
