"""Whether this machine's clock agrees with the store's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import ClockSkewed

if TYPE_CHECKING:
    from gateway.sessions.store import SessionStore

MOST_SKEW_SECONDS = 30.0


async def check_clock(store: SessionStore, *, now: float) -> None:
    """Raise ClockSkewed if `now` is far from the time of a store that has a clock of its own.

    A replica whose clock is fast would end sessions as idle or expired that all others serve.
    """
    time = await store.time()
    if time is not None and abs(now - time) > MOST_SKEW_SECONDS:
        raise ClockSkewed(log_detail=f"this machine's clock is {now - time:+.0f} s from the store's")
