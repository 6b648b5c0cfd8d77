"""A refresh whose token a sign-in has just made useless does not end the sessions that have new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.errors import SessionRequired
from gateway.sessions.memory import MemoryStore
from tests.unit.sessions.simulation.inspection import finish
from tests.unit.sessions.simulation.server import LIFETIME
from tests.unit.sessions.simulation.world import SKEWS, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.sessions.simulation.replica import Call


@pytest.fixture
def world() -> Iterator[World]:
    """Have one session of a shared grant, whose access token is over."""
    world = World([MemoryStore()] * len(SKEWS))
    try:
        world.sign_in("shared", shared=True)
        world.advance(LIFETIME + 1)
        yield world
    finally:
        world.close()


def _call(world: World) -> Call:
    call = world.call(world.replicas[0], world.sessions[0].grant_key, ahead=True)
    world.pump()
    return call


def _begin_sign_in(world: World) -> None:
    """Exchange the code; its session is not stored yet."""
    world.slow = "add"
    world.begin_sign_in(world.replicas[1], "shared", shared=True)
    world.pump()
    assert [operation.name for operation in world.pending if operation.name == "add"] == ["add"]


def test_a_refresh_that_is_refused_waits_for_the_sign_in_that_is_the_cause(world: World) -> None:
    call = _call(world)
    _begin_sign_in(world)
    world.pump(refreshes=True)
    world.advance(2.5)
    assert not call.task.done()
    world.slow = ""
    world.advance(0.5)
    assert call.task.result().generation == 2
    assert len(world.sessions) == 2
    finish(world)
    assert not world.ledger.ended


def test_a_sign_in_that_a_refresh_overtakes_keeps_its_tokens(world: World) -> None:
    _call(world)
    for refresh in [operation for operation in world.pending if operation.is_refresh]:
        world.let_through(refresh, "work")
    _begin_sign_in(world)
    world.advance(0.5)
    world.pump(refreshes=True)
    world.slow = ""
    world.pump()
    (grant,) = world.ledger.newest.values()
    assert world.server.accepts(grant.tokens.refresh_token)
    finish(world)
    assert not world.ledger.ended


@pytest.mark.parametrize(("shared", "seconds"), [(True, 3.5), (False, 0.0)])
def test_a_grant_that_nobody_else_can_bring_back_ends_at_once(
    world: World,
    shared: bool,  # noqa: FBT001 - a parameter
    seconds: float,
) -> None:
    if not shared:
        world.sign_in("alone", shared=False)
        world.advance(LIFETIME + 1)
    world.server.connections["shared" if shared else "alone"].dead = "its user ended it"
    call = world.call(world.replicas[0], world.sessions[-1].grant_key, ahead=True)
    world.pump(refreshes=True)
    assert call.task.done() == (not shared)
    world.advance(seconds)
    error = call.task.exception()
    assert isinstance(error, SessionRequired)
    assert error.reason == "grant_ended"
