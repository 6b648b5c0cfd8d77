"""Judges: the store after each of its operations, each call's answer, and everything at a history's end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import AuthorizationServerError, SessionRequired, StoreError
from gateway.sessions.records import Tombstone

if TYPE_CHECKING:
    from gateway.sessions.session import Grant
    from tests.unit.sessions.simulation.replica import Call, Operation
    from tests.unit.sessions.simulation.steps import Steps
    from tests.unit.sessions.simulation.world import World

_END_SECONDS = 700.0
"""Within it everything comes to its end once nothing stands still any more."""


def note_store_operation(world: Steps, operation: Operation, result: object) -> None:
    """Note what an operation of a replica means for its claims and for the grant's end."""
    replica, key = operation.replica, operation.subject
    if operation.name == "claim_refresh":
        outcome: str = result.outcome  # type: ignore[attr-defined] # a RefreshClaim
        world.ledger.note_claim(replica, key, outcome, world.loop.time())
    elif operation.name in {"release_claim", "replace_grant"}:
        replica.claiming.discard(key)
        if not result and operation.name == "replace_grant":
            replica.unsettled.add(key)
    elif operation.name == "queue_revocation" or (operation.name == "read_grant" and result):
        replica.unsettled.discard(key)
    elif operation.name == "end_grant":
        replica.claiming.discard(key)
        if result:
            world.ledger.note_end(replica, key, operation.arguments[1]["reason"])


def inspect(world: Steps) -> None:
    """Compare the store with what may be in it."""
    for key in {session.grant_key for session in world.sessions}:
        grant = world.complete(world.vault.read_grant(key))
        if grant is not None:
            world.ledger.note_grant(grant)
        elif key not in world.ledger.ended:
            left = {session.key for session in world.sessions if session.grant_key == key}
            assert left <= world.ledger.signed_out, "a grant is gone"
            world.ledger.ended[key] = "signed_out"
    for session in world.sessions:
        record = world.complete(world.stores[0].read_session(session.key))
        assert record is not None, "a session is gone without a trace"
        if isinstance(record, Tombstone):
            allowed = {"grant_ended", "refresh_lost"}
            if session.key in world.ledger.signed_out:
                allowed.add("signed_out")
            assert record.reason in allowed, f"{record.reason} without a cause"
        else:
            assert (record.created_at, record.ends_at) == (session.created_at, session.ends_at)


def judge(world: World, call: Call) -> None:
    """Judge the answer that a call has got."""
    error = None if call.task.cancelled() else call.task.exception()
    if call.was_left:
        return
    if error is None:
        _judge_grant(world, call, call.task.result())
    elif isinstance(error, SessionRequired):
        assert call.grant_key in world.ledger.ended, f"{error.reason}, but the grant is alive"
    elif isinstance(error, StoreError):
        assert "store" in world.ledger.troubles, "a call was told of a store's trouble that it had not"
    elif isinstance(error, AuthorizationServerError):
        assert "server" in world.ledger.troubles or world.pending, (
            "a call was told of trouble without a cause"
        )
        still_serves = call.used is None and call.seen.tokens.expires_at > world.now() + 1
        assert not still_serves, "a call failed although its token still serves"
    else:
        raise error


def _judge_grant(world: World, call: Call, grant: Grant) -> None:
    if grant.created_at != call.seen.created_at:
        return  # it was signed out and signed in again meanwhile
    floor = call.seen.generation
    assert grant.generation >= floor, f"generation {grant.generation}, {floor} was written"
    clock = call.replica.clock()
    if call.used is None:
        assert grant.tokens.expires_at > clock or call.was_hindered, "a call got a token that is over"
    elif grant.generation <= call.used.generation:
        age = clock - grant.tokens.refreshed_at
        waited = world.loop.time() - call.began
        assert age < 10 + waited + 2, "a call got the token again that was refused"


def finish(world: World) -> None:
    """Let everything come to its end, and find all sessions well that nobody ended."""
    world.troubles.clear()
    for operation in world.pending:
        operation.is_stalled = False
    _play_out(world)
    assert not world.calls, "a call hangs"
    assert not world.sign_ins, "a sign-in hangs"
    assert not any(replica.tasks for replica in world.replicas), "a task hangs"
    world.loop.move_to(world.loop.time() + 400)
    for session in world.sessions:
        _probe(world, session.grant_key)
    _check_revocations(world)


def _play_out(world: World) -> None:
    """Answer everything, and go from timer to timer until there is none."""
    deadline = world.loop.time() + _END_SECONDS
    while True:
        world.pump(refreshes=True)
        timer = world.loop.next_timer()
        if timer is None:
            return
        assert timer < deadline, "something hangs"
        world.loop.move_to(timer)


def _probe(world: World, grant_key: bytes) -> None:
    """Call everywhere, with a token that is over."""
    if grant_key in world.ledger.ended:
        return
    token = world.ledger.newest[grant_key].tokens.refresh_token
    assert token is not None
    connection = world.server.connection_of(token)
    should_live = world.server.accepts(token)
    is_excused = world.ledger.was_in_doubt(connection.name) or connection.name in world.ledger.spoiled
    assert should_live or connection.dead or is_excused, (
        f"{token!r} is stored, the server has {connection.current!r}"
    )
    for replica in world.replicas:
        call = world.call(replica, grant_key, ahead=True)
        _play_out(world)
        assert call.task.done(), "a call hangs"
        if should_live:
            assert call.task.exception() is None, call.task.exception()
        elif grant_key in world.ledger.ended:
            return


def _check_revocations(world: World) -> None:
    """See that what the server still accepts and no session has is queued for revocation."""
    if "queue" in world.ledger.troubles:
        return
    later = world.now() + 1e6
    queued = world.complete(world.vault.take_revocations(now=world.now() + 300, limit=1000, retry_at=later))
    tokens = {grant.tokens.refresh_token for grant in queued}
    held = {
        grant.tokens.refresh_token
        for key, grant in world.ledger.newest.items()
        if key not in world.ledger.ended
    }
    for connection in world.server.connections.values():
        is_excused = world.ledger.was_in_doubt(connection.name) or connection.name in world.ledger.spoiled
        if connection.dead is None and not is_excused:
            assert connection.current in tokens | held, f"{connection.current!r} lives on unrevoked"
