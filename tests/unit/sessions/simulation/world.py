"""Several replicas before one store and one authorization server, and whoever decides what happens next."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from gateway.errors import AuthorizationServerUnreachable, GrantRefused
from gateway.sessions.refresh_flight import PATIENCE_SECONDS
from gateway.sessions.refreshed_tokens import build_tokens
from tests.unit.sessions.simulation.inspection import inspect, judge
from tests.unit.sessions.simulation.replica import Call, RefreshParts, Replica, SignIn, begin
from tests.unit.sessions.simulation.steps import Steps

if TYPE_CHECKING:
    from gateway.sessions.session import Grant, Session
    from gateway.sessions.store import SessionStore
    from tests.unit.sessions.simulation.replica import Operation

SKEWS = (0.0, 0.7, -0.7)
"""How far the replicas' clocks are from the truth."""


class World(Steps):
    """What a history is played on; every method runs until all that is left waits to be let through."""

    def __init__(self, stores: list[SessionStore], parts: RefreshParts | None = None) -> None:
        super().__init__(stores)
        self._parts = parts or RefreshParts()
        self.troubles: dict[str, list[str]] = {}
        """Which troubles the next operations of a name are to meet."""
        self.is_store_away = False
        self.slow = ""
        """The operation that the store takes its time for."""
        self.replicas = [self._new_replica(number) for number in range(len(stores))]

    def close(self) -> None:
        """End everything."""
        for replica in self.replicas:
            replica.die()
        self.loop.settle()
        for call in self.calls:
            _ = call.task.cancelled() or call.task.exception()
        self.close_all()

    def sign_in(self, name: str, *, shared: bool) -> None:
        """Begin a session; a shared grant's connection gets new tokens in place of its former ones."""
        self.loop.move_to(self.loop.time() + 0.001)
        tokens = build_tokens(self.server.sign_in(name), now=self.now())
        self.sessions.append(self.complete(begin(self.vault, name, tokens, shared=shared)))
        self.ledger.spoiled.discard(name)
        inspect(self)

    def begin_sign_in(self, replica: Replica, name: str, *, shared: bool) -> SignIn:
        """Let a sign-in begin whose steps wait to be let through, as those of calls do."""
        sign_in = SignIn(replica, self.loop.create_task(replica.sign_in(name, shared=shared)), name)
        replica.own(sign_in.task)
        self.sign_ins.append(sign_in)
        self.settle()
        return sign_in

    def sign_out(self, session: Session) -> None:
        """End a session as its user wishes."""
        self.ledger.signed_out.add(session.key)
        self.complete(self.vault.end(session.key, reason="signed_out", now=self.now()))
        inspect(self)

    def call(self, replica: Replica, grant_key: bytes, used: Grant | None = None, *, ahead: bool) -> Call:
        """Let a browser call."""
        task = self.loop.create_task(replica.call(grant_key, used, may_meet_401=ahead))
        replica.own(task)
        call = Call(replica, task, used, self.loop.time(), self.ledger.newest[grant_key])
        self.calls.append(call)
        self.settle()
        return call

    def leave(self, call: Call) -> None:
        """Let the browser of a call disconnect."""
        call.was_left = True
        call.task.cancel()
        self.settle()

    def kill(self, replica: Replica, *, happened: bool) -> None:
        """Kill a process; what it has just asked of the store has happened, or not. Another one starts."""
        self._doubt_claims(replica)
        for operation in [one for one in self.pending if one.replica is replica]:
            if happened and operation.is_of_store:
                self.perform(operation)
        self._doubt_claims(replica)
        if replica.unsettled:
            self.ledger.troubles.add("queue")
        for sign_in in [one for one in self.sign_ins if one.replica is replica]:
            self.spoil(sign_in)
        replica.die()
        for call in self.calls:
            call.was_left |= call.replica is replica
        self.replicas[replica.number] = self._new_replica(replica.number)
        self.settle()

    def let_through(self, operation: Operation, trouble: str | None = None) -> None:
        """Let an operation happen, or a trouble with it: see `store_step` and `server_step`."""
        ahead = self.troubles.get(operation.name)
        if ahead and trouble is None:
            trouble = ahead.pop()
        if self.is_store_away and operation.is_of_store:
            trouble = "before"
        if operation.is_refresh:
            self.server_step(operation, trouble)
        elif operation.name == "exchange":
            self.answer(operation, self.server.sign_in(operation.subject))
        elif operation.name == "confirm":
            self.answer(operation, AuthorizationServerUnreachable() if trouble else None)
        else:
            self.store_step(operation, trouble)
        self.settle()

    def arrive(self, token: str) -> None:
        """Let a token request arrive at last that nobody waits for."""
        self.stragglers.remove(token)
        self.ledger.doubt(token, "it arrived late")
        with contextlib.suppress(GrantRefused):
            self.server.refresh(token)

    def happen_late(self, operation: Operation) -> None:
        """Let the store do at last what nobody waits for."""
        self.late.remove(operation)
        self.hinder(operation)
        if operation.name == "add":
            self.ledger.spoiled |= self.server.connections.keys()
        self.perform(operation)

    def stall(self) -> None:
        """Let the store leave everything unanswered that it was asked so far."""
        for operation in self.pending:
            if operation.is_of_store:
                operation.is_stalled = True
                self.hinder(operation)

    def advance(self, seconds: float) -> None:
        """Let time pass; the store answers at once meanwhile, the authorization server not at all."""
        target = self.loop.time() + seconds
        while True:
            self.pump()
            timer = self.loop.next_timer()
            if timer is None or timer > target:
                break
            self.loop.move_to(timer)
        self.loop.move_to(target)
        self.settle()
        for call in self.calls:
            waited = self.loop.time() - call.began
            if not call.was_hindered:
                assert waited <= PATIENCE_SECONDS + max(1.0, seconds), f"a call hangs for {waited} s"

    def lose_store(self, seconds: float, *, is_server_answering: bool) -> None:
        """Let the store fail everybody for so long, while the authorization server answers or not."""
        self.is_store_away = True
        if is_server_answering:
            self.pump(refreshes=True)
        self.advance(seconds)
        self.is_store_away = False

    def overtake(self, refreshing: Replica, signing_in: Replica, grant: Grant) -> None:
        """Let a sign-in overtake a refresh at the server, and be overtaken by it on the way to the store."""
        self.advance(max(0.0, grant.tokens.expires_at + 1 - self.now()))
        self.call(refreshing, grant.key, ahead=True)
        self.pump()
        for refresh in [one for one in self.pending if one.is_refresh]:
            self.let_through(refresh, "work")
        self.begin_sign_in(signing_in, grant.subject, shared=True)
        self.slow = "add"
        self.pump()
        self.pump(refreshes=True)
        self.slow = ""
        self.pump()

    def be_refused(self, replica: Replica, grant: Grant) -> None:
        """Let the server end a connection, and a refresh hear of it, which is about to end the grant."""
        token = grant.tokens.refresh_token
        assert token is not None
        connection = self.server.connection_of(token)
        connection.dead = connection.dead or "its user ended it"
        self.advance(max(0.0, grant.tokens.expires_at + 1 - self.now()))
        self.call(replica, grant.key, ahead=True)
        self.slow = "end_grant"
        self.pump(refreshes=True)
        self.advance(3.5)
        self.slow = ""

    def pump(self, *, refreshes: bool = False) -> None:
        """Let everything through that does not stand still, and what comes of it."""
        self.settle()
        while waiting := [
            one
            for one in self.pending
            if not one.is_stalled and one.name != self.slow and (refreshes or not one.is_refresh)
        ]:
            self.let_through(waiting[0])

    def settle(self) -> None:
        """Run what is ready, and judge the answers that calls have got."""
        self.loop.settle()
        assert not self.ledger.broken, self.ledger.broken
        for call in [call for call in self.calls if call.task.done()]:
            self.calls.remove(call)
            judge(self, call)
        for sign_in in [one for one in self.sign_ins if one.task.done()]:
            self.sign_ins.remove(sign_in)
            self._note_sign_in(sign_in)

    def _note_sign_in(self, sign_in: SignIn) -> None:
        if sign_in.task.cancelled() or sign_in.task.exception():
            assert sign_in.was_hindered, "a sign-in failed without a cause"
            return
        if not sign_in.was_hindered:
            self.ledger.spoiled.discard(sign_in.name)
        self.sessions.append(sign_in.task.result())
        inspect(self)

    def _doubt_claims(self, replica: Replica) -> None:
        for key in replica.claiming & self.ledger.newest.keys():
            self.ledger.doubt(self.ledger.newest[key].tokens.refresh_token, "its holder died")

    def _new_replica(self, number: int) -> Replica:
        skew = SKEWS[number]
        return Replica(
            number, self.pending, self._noted, self._dropped, lambda: self.now() + skew, self._parts
        )

    def _noted(self, operation: Operation) -> None:
        if operation.is_refresh:
            for one in self.pending:
                if one.is_stalled:
                    self.ledger.hindered[one.replica] = self.loop.time()
            self.ledger.note_sending(operation.subject, operation.replica, self.loop.time())

    def _dropped(self, operation: Operation) -> None:
        """Nobody waits for it any more: the replica died, or waited for too long."""
        if operation.is_refresh:
            if operation.answer is None:
                self.stragglers.append(operation.subject)
            self.ledger.note_outcome(operation.subject, operation.replica, "unknown")
        elif operation.is_stalled:
            self.hinder(operation)
            self.late.append(operation)
