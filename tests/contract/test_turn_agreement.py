"""Whatever is asked of the stores, and in whatever order, they decide as the pure function, to the bit."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from gateway.sessions.turn import Pace, Turn, Turns, Waiting, decide_slowdown, decide_turn
from gateway.sessions.turn_records import pack_turns, unpack_turns
from tests.contract.records import NOW, key
from tests.contract.stores import opened
from tests.contract.turn_clock import CLOCKED_STORES, excess, stop_clocks

if TYPE_CHECKING:
    from pathlib import Path

PACES = [Pace(2, 2), Pace(2, 1), Pace(0.7, 3), Pace(10, 5), Pace(33.3, 2)]
OWNERS = [b"a" * 16, b"b" * 16, b"c" * 16]
SESSIONS = [b"x", b"yy", b"z" * 32]
AHEAD = [0.0, 0.0004, 0.03, 0.06, 0.1, 0.35, 0.5, 0.95, 1.0, 4.0, 40.0]
BACK = [-0.0003, -0.4, -1.0, -3.0, -86_400.0]
STEPS = 150


@dataclass
class History:
    """What is asked and when, and what the pure function says to it."""

    pace: Pace
    steps: list[tuple[float, bytes, list[Waiting]]] = field(default_factory=list)
    """Without an owner it is a refusal."""
    told: list[Turn] = field(default_factory=list)

    def sent(self) -> list[float]:
        """Return when calls were sent."""
        asked = [now for now, owner, _ in self.steps if owner]
        return [now for now, turn in zip(asked, self.told, strict=True) if turn.session is not None]


def new_history(seed: int, *, goes_back: bool) -> History:
    """Ask the pure function as chance will have it; whoever asks mostly does so when told to."""
    luck = random.Random(seed)  # noqa: S311 - which case comes next, no secret
    history, turns, now, wait = History(PACES[seed % len(PACES)]), None, NOW, 0.0
    for _ in range(STEPS):
        now += luck.choice([wait, wait, wait, luck.choice(AHEAD), luck.random() / history.pace.rate])
        if goes_back and luck.random() < 0.05:
            now += luck.choice(BACK)
        turns = turns if goes_back else _remembered(turns, now)
        if luck.random() < 0.03:
            turns = decide_slowdown(turns, pace=history.pace, now=now)
            history.steps.append((now, b"", []))
            continue
        waiting = [_waiting(session, luck) for session in luck.sample(SESSIONS, luck.randint(0, 3))]
        owner = luck.choice(OWNERS)
        turn, turns = decide_turn(turns, owner=owner, waiting=waiting, pace=history.pace, now=now)
        wait = turn.wait
        history.steps.append((now, owner, waiting))
        history.told.append(turn)
    return history


def _waiting(session: bytes, luck: random.Random) -> Waiting:
    first, second, last = sorted(luck.randint(-1, 7) for _ in range(3))
    age, next_age = luck.choice([0.0, 30 * luck.random()]), 30 * luck.random()
    return Waiting(session, luck.randint(1, 4), first, age, second, next_age, last)


def _remembered(turns: Turns | None, now: float) -> Turns | None:
    """Return what a store that has just swept has kept, read from its bytes."""
    if turns is None or turns.idle_at <= now:
        return None
    assert unpack_turns(pack_turns(turns)) == turns
    return turns


@pytest.mark.parametrize("goes_back", [False, True])
@pytest.mark.parametrize("name", CLOCKED_STORES)
async def test_a_store_decides_as_the_pure_function_does(
    name: str, *, goes_back: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_clocks(monkeypatch)
    async with opened(CLOCKED_STORES[name](tmp_path)) as store:
        for seed in range(20):
            history, budget = new_history(seed, goes_back=goes_back), key(f"budget {seed}")
            told: list[Turn] = []
            for now, owner, waiting in history.steps:
                if owner:
                    told.append(
                        await store.take_turn(
                            budget, owner=owner, waiting=waiting, pace=history.pace, now=now
                        )
                    )
                else:
                    await store.slow_down(budget, pace=history.pace, now=now)
            assert told == history.told, seed


@pytest.mark.parametrize("seed", range(100))
def test_no_span_of_a_history_has_more_than_rate_times_time_and_burst(seed: int) -> None:
    history = new_history(seed, goes_back=False)
    assert len(history.sent()) > 20
    # A moment of this century is known to half a microsecond.
    assert excess(history.sent(), history.pace) <= 1e-6 * history.pace.rate * STEPS
