"""Turns in the Redis store: one run of the script each, on the server's time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sessions.redis_writes import RedisWrites
from gateway.sessions.turn import Turn
from gateway.sessions.turn_records import pack_waiting, unpack_waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.sessions.turn import Pace, Waiting


class RedisTurns(RedisWrites):
    """The part of RedisStore that is about budgets."""

    async def take_turn(
        self, key: bytes, *, owner: bytes, waiting: Sequence[Waiting], pace: Pace, now: float
    ) -> Turn:
        """Take a turn; see SessionStore."""
        _ = now
        values = (key, owner, pack_waiting(waiting), repr(pace.rate), pace.burst)
        session, wait, others, factor, remaining, reset, line = await self._whole(
            self._link.script(key[0], "take_turn", *values)
        )
        return Turn(
            session=session,
            wait=float(wait),
            others=unpack_waiting(others),
            factor=float(factor),
            remaining=remaining,
            reset=float(reset),
            line=tuple(line),
        )

    async def slow_down(self, key: bytes, *, pace: Pace, now: float) -> None:
        """Slow a budget down; see SessionStore."""
        _ = now
        await self._whole(self._link.script(key[0], "slow_down", key, repr(pace.rate), pace.burst))
