"""The budget's promises with real processes, in short: nothing here hangs on how busy the machine is."""

from __future__ import annotations

import pytest

from bench.lexoffice import exactness, killed
from bench.lexoffice.arithmetic import Limit

LIMIT = Limit(rate=10.0, burst=2)


@pytest.mark.parametrize("store", exactness.STORES)
def test_three_processes_on_one_store_send_no_more_than_one_budget(store: str) -> None:
    proof = exactness.prove(store, LIMIT, seconds=3.0)
    assert set(proof.answers) == {200}
    assert _is_within(proof.arrivals, proof.started_at)


def test_a_killed_replica_takes_none_of_the_others_calls_with_it() -> None:
    proof = killed.prove(LIMIT)
    assert dict(proof.answers) == {200: 2 * killed.PEOPLE * killed.CALLS}
    assert _is_within(proof.arrivals, proof.started_at)


def _is_within(arrivals: tuple[float, ...], started_at: float) -> bool:
    """Say whether at no moment more had arrived since the start than rate x time + burst.

    An arrival that a busy machine has delayed is never one too many by this: windows that begin later are the
    command's to look at, on a machine that does nothing else.
    """
    counted = enumerate(sorted(arrivals), start=1)
    return bool(arrivals) and all(number <= LIMIT.calls(at - started_at) for number, at in counted)
