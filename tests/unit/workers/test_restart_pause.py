"""A worker that dies again and again is replaced the slower."""

from __future__ import annotations

from gateway.workers.restart_pause import STEADY_SECONDS, next_pause


def test_the_pause_grows_to_its_limit() -> None:
    pauses = [0.0]
    for _ in range(9):
        pauses.append(next_pause(pauses[-1], lived=0.1))
    assert pauses[1:] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_who_lived_long_is_replaced_at_once() -> None:
    assert next_pause(30.0, lived=STEADY_SECONDS) == 0
