"""A holder that lives keeps its refresh through an outage that is longer than its lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.errors import SessionRequired, StoreUnavailable
from gateway.sessions.memory import MemoryStore
from gateway.sessions.refresh_flight import PATIENCE_SECONDS
from gateway.sessions.refresh_lease import LEASE_SECONDS
from tests.unit.sessions.simulation.inspection import finish
from tests.unit.sessions.simulation.ledger import DOUBT_SECONDS
from tests.unit.sessions.simulation.server import LIFETIME
from tests.unit.sessions.simulation.world import SKEWS, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.sessions.simulation.replica import Call

OUTAGE = 12.0


@pytest.fixture
def world() -> Iterator[World]:
    """Have one session, whose access token is over, and its refresh on the way to the server."""
    world = World([MemoryStore()] * len(SKEWS))
    try:
        world.sign_in("shared", shared=True)
        world.advance(LIFETIME + 1)
        _call(world, 0)
        world.pump()
        assert [operation.name for operation in world.pending] == ["refresh"]
        yield world
    finally:
        world.close()


def _call(world: World, replica: int) -> Call:
    return world.call(world.replicas[replica], world.sessions[0].grant_key, ahead=True)


def _sendings(world: World) -> int:
    return sum(len(sendings) for sendings in world.ledger.sendings.values())


@pytest.mark.parametrize("is_server_answering", [True, False], ids=["answered", "under way"])
def test_a_refresh_outlives_an_outage_that_is_longer_than_its_lease(
    world: World,
    is_server_answering: bool,  # noqa: FBT001 - a parameter
) -> None:
    world.lose_store(OUTAGE, is_server_answering=is_server_answering)
    calls = [_call(world, replica) for replica in (1, 2)]
    world.advance(PATIENCE_SECONDS - OUTAGE - LEASE_SECONDS)
    world.pump(refreshes=True)
    world.advance(1)
    assert [call.task.result().generation for call in calls] == [2, 2]
    assert _sendings(world) == 1
    finish(world)


def test_a_store_that_comes_and_goes_does_not_count_as_one_that_answers(world: World) -> None:
    world.lose_store(OUTAGE, is_server_answering=True)
    for _ in range(5):
        # It shows a lapsed lease, and is gone before the holder has come to write.
        _call(world, 1)
        while asked := [one for one in world.pending if one.replica is world.replicas[1]]:
            world.let_through(asked[0])
        world.lose_store(3, is_server_answering=True)
    assert _sendings(world) == 1
    calls = [_call(world, replica) for replica in (1, 2)]
    world.advance(1)
    assert [call.task.result().generation for call in calls] == [2, 2]
    finish(world)


def test_a_dead_holder_is_waited_for_within_a_calls_patience(world: World) -> None:
    world.pump(refreshes=False)
    world.server_step(world.pending[0], "work")
    world.kill(world.replicas[0], happened=True)
    call = _call(world, 1)
    world.advance(LEASE_SECONDS + DOUBT_SECONDS)
    assert _sendings(world) == 1
    world.advance(2)
    assert _sendings(world) == 2
    world.pump(refreshes=True)
    world.advance(PATIENCE_SECONDS - LEASE_SECONDS - DOUBT_SECONDS - 2)
    error = call.task.exception()
    assert isinstance(error, SessionRequired)
    assert error.reason == "refresh_lost"
    finish(world)


def test_who_waits_for_a_refresh_that_is_given_up_is_told_of_the_store(world: World) -> None:
    world.troubles["replace_grant"] = ["before"] * 10_000
    waiting = _call(world, 1)
    world.pump(refreshes=True)
    world.leave(waiting)
    world.advance(PATIENCE_SECONDS + 590)
    call = _call(world, 1)
    world.advance(5)
    assert not call.task.done()
    world.advance(10)
    assert isinstance(call.task.exception(), StoreUnavailable)
