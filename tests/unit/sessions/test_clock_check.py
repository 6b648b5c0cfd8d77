"""A machine whose clock is wrong ends nobody's session, and says why."""

from __future__ import annotations

import pytest

from gateway.errors import ClockSkewed
from gateway.sessions.clock_check import check_clock
from gateway.sessions.memory import MemoryStore
from tests.unit.sessions.sign_ins import NOW


class OtherClock(MemoryStore):
    """A store on a machine of its own."""

    async def time(self) -> float | None:
        return NOW


@pytest.mark.parametrize("skew", [3600.0, -3600.0, 31.0, -31.0])
async def test_a_clock_that_is_far_from_the_stores_is_told_with_its_skew(skew: float) -> None:
    with pytest.raises(ClockSkewed) as raised:
        await check_clock(OtherClock(), now=NOW + skew)
    assert raised.value.code == "clock_skewed"
    assert raised.value.log_detail == f"this machine's clock is {skew:+.0f} s from the store's"


@pytest.mark.parametrize("skew", [0.0, 29.0, -29.0])
async def test_a_clock_that_is_a_little_off_is_none_the_worse(skew: float) -> None:
    await check_clock(OtherClock(), now=NOW + skew)


async def test_a_store_without_a_clock_agrees_with_every_machine() -> None:
    assert await MemoryStore().time() is None
    await check_clock(MemoryStore(), now=0.0)
