"""The budget's promises with real processes, in a short form: nothing here hangs on how busy the machine is."""

from __future__ import annotations

import pytest

from bench.lexoffice import exactness, killed
from bench.lexoffice.arithmetic import Limit

LIMIT = Limit(rate=10.0, burst=2)


@pytest.mark.parametrize("store", exactness.STORES)
def test_three_processes_on_one_store_send_no_more_than_one_budget(store: str) -> None:
    proof = exactness.prove(store, LIMIT, seconds=3.0)
    assert set(proof.answers) == {200}
    assert _is_within(proof.arrivals)


def test_a_killed_replica_takes_none_of_the_others_calls_with_it() -> None:
    proof = killed.prove(LIMIT)
    assert dict(proof.answers) == {200: 2 * killed.PEOPLE * killed.CALLS}
    assert _is_within(proof.arrivals)


def _is_within(arrivals: tuple[float, ...]) -> bool:
    """Say whether at no moment more had arrived since the first than rate x time + burst.

    An arrival that a busy machine has delayed is never one too many by this: windows that begin later are the
    command's to look at, on a machine that does nothing else.
    """
    begun = min(arrivals)
    return all(number <= LIMIT.calls(at - begun + 0.1) for number, at in enumerate(sorted(arrivals), start=1))
