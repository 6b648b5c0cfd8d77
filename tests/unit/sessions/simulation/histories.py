"""Histories: what calls, processes, the store and the authorization server may do, in every order."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from gateway.sessions.memory import MemoryStore
from gateway.sessions.sqlite import SqliteStore
from tests.unit.sessions.simulation.inspection import finish
from tests.unit.sessions.simulation.replica import RefreshParts
from tests.unit.sessions.simulation.server import LIFETIME
from tests.unit.sessions.simulation.world import SKEWS, World

if TYPE_CHECKING:
    from gateway.sessions.session import Grant
    from gateway.sessions.store import SessionStore

STEPS = 40
_REPLICAS = st.integers(0, len(SKEWS) - 1)
_ANY = st.integers(0, 1_000)
_STORE_TROUBLES = (None, None, None, "before", "after")
_SERVER_TROUBLES = ("work", "lost", "late", "not sent", "busy", "client")
_SECONDS = st.sampled_from([0.02, 0.3, 1.0, 3.4, 9.0, 11.0, 31.0, 36.0, LIFETIME - 40.0, LIFETIME + 1.0])
_STORE_NAMES = ("claim_refresh", "renew_claim", "release_claim", "replace_grant", "end_grant")
_AMID = ("refresh", "confirm", "replace_grant")
_AMID_SIGN_IN = ("exchange", "read_grant", "add")
"""Where a refresh is most easily disturbed."""
_MOST_STEPS = 30
_MOST_SESSIONS = 8


class Histories(RuleBasedStateMachine):
    """Decides what happens next; the simulation decides whether that was right."""

    parts = RefreshParts()

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.open_stores(), self.parts)
        self.world.sign_in("shared", shared=True)
        self.world.sign_in("alone", shared=False)

    def open_stores(self) -> list[SessionStore]:
        """Return the store as each replica has it."""
        return [MemoryStore()] * len(SKEWS)

    @rule(replica=_REPLICAS, grant=_ANY, refused=st.booleans(), ahead=st.booleans())
    def call(self, replica: int, grant: int, refused: bool, ahead: bool) -> None:  # noqa: FBT001 - drawn
        for chosen in self.choose(grant):
            used = chosen if refused else None
            self.world.call(self.world.replicas[replica], chosen.key, used, ahead=ahead)

    @rule(replicas=st.lists(_REPLICAS, min_size=1, max_size=5), grant=_ANY, left=st.sampled_from([-1, 30]))
    def crowd(self, replicas: list[int], grant: int, left: int) -> None:
        for chosen in self.choose(grant):
            until_then = chosen.tokens.expires_at - left - self.world.now()
            self.world.advance(max(0.0, until_then))
            for replica in replicas:
                self.world.call(self.world.replicas[replica], chosen.key, ahead=True)

    def choose(self, which: int) -> list[Grant]:
        """Return one of the grants that are alive, if there are any."""
        ledger = self.world.ledger
        alive = [grant for key, grant in ledger.newest.items() if key not in ledger.ended]
        return alive[which % len(alive) :][:1] if alive else []

    @precondition(lambda self: self.world.pending)
    @rule(
        which=_ANY,
        store=st.sampled_from(_STORE_TROUBLES),
        server=st.sampled_from((None, None, *_SERVER_TROUBLES)),
    )
    def let_through(self, which: int, store: str | None, server: str | None) -> None:
        operation = self.world.pending[which % len(self.world.pending)]
        self.world.let_through(operation, server if operation.is_refresh else store)

    @rule(
        name=st.sampled_from(_STORE_NAMES),
        troubles=st.lists(st.sampled_from(["before", "after"]), min_size=1, max_size=4),
    )
    def expect_store_trouble(self, name: str, troubles: list[str]) -> None:
        self.world.troubles[name] = troubles

    @rule(troubles=st.lists(st.sampled_from(_SERVER_TROUBLES), min_size=1, max_size=3))
    def expect_server_trouble(self, troubles: list[str]) -> None:
        self.world.troubles["refresh"] = troubles

    @precondition(lambda self: self.world.pending)
    @rule(name=st.sampled_from(["refresh", "confirm", *_STORE_NAMES]))
    def go_on_until(self, name: str) -> None:
        for _ in range(_MOST_STEPS):
            waiting = [one for one in self.world.pending if one.name != name and not one.is_stalled]
            if not waiting or any(one.name == name for one in self.world.pending):
                break
            self.world.let_through(waiting[0])

    @precondition(lambda self: self.world.pending)
    @rule(name=st.sampled_from(_AMID))
    def sign_out_amid(self, name: str) -> None:
        self.go_on_until(name)
        claimed = {key for replica in self.world.replicas for key in replica.claiming}
        for session in [one for one in self.world.sessions if one.grant_key in claimed]:
            self.world.sign_out(session)

    @rule()
    def let_all_through(self) -> None:
        self.world.pump()

    @rule(seconds=_SECONDS)
    def advance(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(replica=_REPLICAS, happened=st.booleans())
    def kill(self, replica: int, happened: bool) -> None:  # noqa: FBT001 - drawn
        self.world.kill(self.world.replicas[replica], happened=happened)

    @precondition(lambda self: self.world.calls)
    @rule(which=_ANY)
    def leave(self, which: int) -> None:
        self.world.leave(self.world.calls[which % len(self.world.calls)])

    @precondition(lambda self: self.world.pending)
    @rule(name=st.sampled_from(_AMID))
    def leave_amid(self, name: str) -> None:
        self.go_on_until(name)
        for call in tuple(self.world.calls):
            self.world.leave(call)

    @precondition(lambda self: self.world.pending)
    @rule()
    def stall(self) -> None:
        self.world.stall()

    @precondition(lambda self: self.world.pending)
    @rule(
        name=st.sampled_from(_AMID),
        seconds=st.sampled_from([2.0, 12.0, 18.0]),
        is_server_answering=st.booleans(),
        replicas=st.lists(_REPLICAS, max_size=3),
    )
    def lose_store_amid(
        self,
        name: str,
        seconds: float,
        is_server_answering: bool,  # noqa: FBT001 - drawn
        replicas: list[int],
    ) -> None:
        self.go_on_until(name)
        claimed = {key for replica in self.world.replicas for key in replica.claiming}
        self.world.lose_store(seconds, is_server_answering=is_server_answering)
        for key in claimed - self.world.ledger.ended.keys():
            for replica in replicas:
                self.world.call(self.world.replicas[replica], key, ahead=True)

    @precondition(lambda self: self.world.stragglers)
    @rule(which=_ANY)
    def arrive_late(self, which: int) -> None:
        self.world.arrive(self.world.stragglers[which % len(self.world.stragglers)])

    @precondition(lambda self: self.world.late)
    @rule(which=_ANY)
    def happen_late(self, which: int) -> None:
        self.world.happen_late(self.world.late[which % len(self.world.late)])

    @rule(which=_ANY, how=st.sampled_from(["nothing", "nothing", "nothing", "sign out", "at the server"]))
    def end(self, which: int, how: str) -> None:
        if how == "sign out":
            self.world.sign_out(self.world.sessions[which % len(self.world.sessions)])
        if how == "at the server":
            connections = list(self.world.server.connections.values())
            connection = connections[which % len(connections)]
            connection.dead = connection.dead or "its user ended it"

    @precondition(lambda self: len(self.world.sessions) < _MOST_SESSIONS and not self.world.sign_ins)
    @rule(replica=_REPLICAS, amid=st.sampled_from(["", *_AMID]), stops=st.sampled_from(["", *_AMID_SIGN_IN]))
    def begin_sign_in(self, replica: int, amid: str, stops: str) -> None:
        if amid:
            self.go_on_until(amid)
        others = list(self.world.pending)
        self.world.begin_sign_in(self.world.replicas[replica], "shared", shared=True)
        while mine := [one for one in self.world.pending if one not in others and one.name != stops]:
            self.world.let_through(mine[0])

    @precondition(lambda self: len(self.world.sessions) < _MOST_SESSIONS and not self.world.sign_ins)
    @rule(shared=st.sampled_from([True, True, False]), amid=st.sampled_from(["", *_AMID]))
    def sign_in(self, shared: bool, amid: str) -> None:  # noqa: FBT001 - drawn
        if amid:
            self.go_on_until(amid)
        name = "shared" if shared else f"alone-{len(self.world.sessions)}"
        self.world.sign_in(name, shared=shared)

    @precondition(lambda self: len(self.world.sessions) < _MOST_SESSIONS and not self.world.sign_ins)
    @rule(replica=_REPLICAS, other=_REPLICAS, is_refused=st.booleans())
    def sign_in_amid_a_refresh(self, replica: int, other: int, is_refused: bool) -> None:  # noqa: FBT001 - drawn
        refreshing, signing_in = self.world.replicas[replica], self.world.replicas[other]
        for grant in [one for one in self.world.ledger.newest.values() if one.subject == "shared"]:
            if grant.key not in self.world.ledger.ended and is_refused:
                self.world.be_refused(refreshing, grant)
                self.world.sign_in("shared", shared=True)
            elif grant.key not in self.world.ledger.ended:
                self.world.overtake(refreshing, signing_in, grant)

    def teardown(self) -> None:
        try:
            finish(self.world)
        finally:
            self.world.close()


class SqliteHistories(Histories):
    """The same on one SQLite file, which every replica has opened for itself."""

    def open_stores(self) -> list[SessionStore]:
        self.folder = Path(tempfile.mkdtemp())
        return [SqliteStore(self.folder / "sessions.db") for _ in SKEWS]

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            shutil.rmtree(self.folder)


def history_settings(histories: int) -> settings:
    """Return the settings for so many histories."""
    return settings(
        max_examples=histories,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
