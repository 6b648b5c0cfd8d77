"""The budget's promises with real processes, in short: nothing here hangs on how busy the machine is."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from bench.lexoffice import exactness, killed
from bench.lexoffice.arithmetic import Limit
from bench.lexoffice.dashboard import CACHE, DASHBOARD
from bench.lexoffice.gateways import running_gateways, sign_in_all
from bench.lexoffice.scenario import LEXGATE, Scenario, measure

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = Limit(rate=10.0, burst=2)
UNLIMITED = Limit(rate=1e6, burst=1_000_000)


@pytest.mark.parametrize("store", exactness.STORES)
def test_three_processes_on_one_store_send_no_more_than_one_budget(store: str) -> None:
    proof = exactness.prove(store, LIMIT, seconds=3.0)
    assert set(proof.answers) == {200}
    assert _is_within(proof.arrivals, proof.started_at)


def test_a_killed_replica_takes_none_of_the_others_calls_with_it() -> None:
    proof = killed.prove(LIMIT)
    assert dict(proof.answers) == {200: 2 * killed.PEOPLE * killed.CALLS}
    assert _is_within(proof.arrivals, proof.started_at)


def test_a_page_is_fetched_once_for_all_replicas_and_nothing_that_is_kept_is_fetched_again(
    tmp_path: Path,
) -> None:
    scenario = Scenario("three users", people=3, replicas=3)
    settings = {"LEXGATE_BUDGET_RATE": "20", "LEXGATE_BUDGET_BURST": "2", "LEXGATE_CACHE": json.dumps(CACHE)}
    with running_gateways(tmp_path, scenario.replicas, UNLIMITED, settings) as gateways:
        people = sign_in_all(gateways, scenario.people, UNLIMITED)
        row = asyncio.run(measure(scenario, LEXGATE, gateways.sandbox, gateways.ports, people, rest=0.0))
    kept = sum(asked.is_cached for asked in DASHBOARD)
    own = scenario.people * (len(DASHBOARD) - kept)
    assert row.second is not None
    assert [load.missing + load.refusals for load in (row.first, row.second)] == [0, 0]
    assert [load.upstream for load in (row.first, row.second)] == [kept + own, own]


def _is_within(arrivals: tuple[float, ...], started_at: float) -> bool:
    """Say whether at no moment more had arrived since the start than rate x time + burst.

    An arrival that a busy machine has delayed is never one too many by this: windows that begin later are the
    command's to look at, on a machine that does nothing else.
    """
    counted = enumerate(sorted(arrivals), start=1)
    return bool(arrivals) and all(number <= LIMIT.calls(at - started_at) for number, at in counted)
