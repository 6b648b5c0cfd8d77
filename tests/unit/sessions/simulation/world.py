"""Several replicas before one store and one authorization server, and whoever decides what happens next."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from gateway.errors import (
    AuthorizationServerBusy,
    AuthorizationServerError,
    AuthorizationServerUnreachable,
    GrantRefused,
    StoreUnavailable,
    TokenRequestRefused,
)
from gateway.sessions.keyring import Keyring
from gateway.sessions.refresh_flight import PATIENCE_SECONDS
from gateway.sessions.refreshed_tokens import build_tokens
from gateway.sessions.vault import Vault
from tests.unit.sessions.simulation.inspection import inspect, judge, note_store_operation
from tests.unit.sessions.simulation.ledger import Ledger
from tests.unit.sessions.simulation.loop import SimulatedLoop
from tests.unit.sessions.simulation.replica import (
    SECRET,
    Call,
    Operation,
    RefreshParts,
    Replica,
    remember_task,
)
from tests.unit.sessions.simulation.server import SimulatedServer

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.sessions.session import Grant, Session
    from gateway.sessions.store import SessionStore

EPOCH = 1_800_000_000.0
SKEWS = (0.0, 0.7, -0.7)
"""How far the replicas' clocks are from the truth."""
_HINDRANCES = {"claim_refresh", "renew_claim", "release_claim", "end_grant"}
"""Operations without which a claim is not kept up, or not let go of in time."""
_HARMLESS = {"read_grant", "claim_refresh", "renew_claim", "release_claim"}
"""Operations that change nothing of what a session or its grant is."""
_UNSPENT = {"busy": AuthorizationServerBusy(retry_after=3), "client": TokenRequestRefused("invalid_client")}


class World:
    """What a history is played on; every method runs until all that is left waits to be let through."""

    def __init__(self, stores: list[SessionStore], parts: RefreshParts | None = None) -> None:
        self._outside = asyncio.new_event_loop()
        self.loop = SimulatedLoop()
        self.loop.set_task_factory(remember_task)
        self.stores = stores
        self._parts = parts or RefreshParts()
        for store in stores:
            self.complete(store.open())
        self.server = SimulatedServer()
        self.ledger = Ledger(self.server)
        self.vault = Vault(stores[0], Keyring([SECRET]), idle_seconds=36000, max_seconds=360000)
        self.pending: list[Operation] = []
        self.calls: list[Call] = []
        self.troubles: dict[str, list[str]] = {}
        """Which troubles the next operations of a name are to meet."""
        self.stragglers: list[str] = []
        """Token requests that nobody waits for any more, and that have not arrived yet."""
        self.late: list[Operation] = []
        """What the store was asked, likewise."""
        self.sessions: list[Session] = []
        self.replicas = [self._new_replica(number) for number in range(len(stores))]

    def complete(self, coroutine: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever it returns
        """Run a coroutine to its end outside of the simulation: in no simulated time."""
        return self._outside.run_until_complete(coroutine)

    def now(self) -> float:
        """Return the true time."""
        return EPOCH + self.loop.time()

    def close(self) -> None:
        """End everything."""
        for replica in self.replicas:
            replica.die()
        self.loop.settle()
        for call in self.calls:
            _ = call.task.cancelled() or call.task.exception()
        for store in self.stores:
            self.complete(store.close())
        self._outside.run_until_complete(self._outside.shutdown_default_executor())
        self._outside.close()
        self.loop.close()

    def sign_in(self, name: str, *, shared: bool) -> None:
        """Begin a session; a shared grant's connection gets new tokens in place of its former ones."""
        self.loop.move_to(self.loop.time() + 0.001)
        response = self.server.sign_in(name)
        names = {"issuer": "https://as.example", "client_id": "client", "subject": name}
        connection_id = name if shared else None
        session, _ = self.complete(
            self.vault.begin(
                session_id=self.vault.new_session_id(**names, connection_id=connection_id),
                **names,
                connection_id=connection_id,
                claims={},
                tokens=build_tokens(response, now=self.now()),
                replaces=None,
                ceilings=(),
                now=self.now(),
            )
        )
        self.sessions.append(session)
        inspect(self)

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
            if happened and not operation.is_refresh and operation.name != "confirm":
                self._perform(operation)
        self._doubt_claims(replica)
        replica.die()
        for call in self.calls:
            call.was_left |= call.replica is replica
        self.replicas[replica.number] = self._new_replica(replica.number)
        self.settle()

    def let_through(self, operation: Operation, trouble: str | None = None) -> None:
        """Let an operation happen, or a trouble with it: see `_store_step` and `_server_step`."""
        ahead = self.troubles.get(operation.name)
        if ahead and trouble is None:
            trouble = ahead.pop()
        if operation.is_refresh:
            self._server_step(operation, trouble)
        elif operation.name == "confirm":
            self._answer(operation, AuthorizationServerUnreachable() if trouble else None)
        else:
            self._store_step(operation, trouble)
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
        self._hinder(operation)
        self._perform(operation)

    def stall(self) -> None:
        """Let the store leave everything unanswered that it was asked so far."""
        for operation in self.pending:
            if not operation.is_refresh and operation.name != "confirm":
                operation.is_stalled = True
                self._hinder(operation)

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

    def pump(self, *, refreshes: bool = False) -> None:
        """Let everything through that does not stand still, and what comes of it."""
        self.settle()
        while waiting := [
            one for one in self.pending if not one.is_stalled and (refreshes or not one.is_refresh)
        ]:
            self.let_through(waiting[0])

    def settle(self) -> None:
        """Run what is ready, and judge the answers that calls have got."""
        self.loop.settle()
        assert not self.ledger.broken, self.ledger.broken
        for call in [call for call in self.calls if call.task.done()]:
            self.calls.remove(call)
            judge(self, call)

    def _doubt_claims(self, replica: Replica) -> None:
        for key in replica.claiming & self.ledger.newest.keys():
            self.ledger.doubt(self.ledger.newest[key].tokens.refresh_token, "its holder died")

    def _new_replica(self, number: int) -> Replica:
        skew = SKEWS[number]
        return Replica(
            number, self.pending, self._noted, self._dropped, lambda: self.now() + skew, self._parts
        )

    def _store_step(self, operation: Operation, trouble: str | None) -> None:
        """Trouble: None, or before or after the operation happened."""
        error = StoreUnavailable(log_detail="simulated", retry_after=1)
        if trouble:
            self._hinder(operation)
        if trouble == "before":
            self._answer(operation, error)
            return
        result = self._perform(operation)
        self._answer(operation, error if trouble else result)

    def _perform(self, operation: Operation) -> Any:  # noqa: ANN401 - any operation's result
        args, kwargs = operation.arguments
        store = self.stores[operation.replica.number]
        result = self.complete(getattr(store, operation.name)(*args, **kwargs))
        note_store_operation(self, operation, result)
        if operation.name not in _HARMLESS:
            inspect(self)
        return result

    def _hinder(self, operation: Operation) -> None:
        self.ledger.troubles.add("store")
        for call in self.calls:
            call.was_hindered |= call.replica is operation.replica
        grant = self.ledger.newest.get(operation.subject)
        if operation.name in _HINDRANCES and grant is not None:
            self.ledger.doubt(grant.tokens.refresh_token, f"the store failed in {operation.name}")

    def _server_step(self, operation: Operation, trouble: str | None) -> None:
        """Trouble: `work` leaves the answer on its way; the others are kinds of failures."""
        if trouble == "not sent" and operation.answer is None:
            error: AuthorizationServerError = AuthorizationServerUnreachable()
            error.was_not_sent = True
            self._refuse(operation, "unspent", error)
            return
        if trouble in _UNSPENT and operation.answer is None:
            self._refuse(operation, "unspent", _UNSPENT[trouble])
            return
        if trouble == "late" and operation.answer is None:
            self.stragglers.append(operation.subject)
            self._refuse(operation, "unknown", AuthorizationServerUnreachable())
            return
        if operation.answer is None:
            try:
                operation.answer = self.server.refresh(operation.subject)
            except GrantRefused as refusal:
                operation.answer = refusal
        if trouble == "work":
            return
        if trouble is not None:
            self._refuse(operation, "unknown", AuthorizationServerUnreachable())
        elif isinstance(operation.answer, GrantRefused):
            self._refuse(operation, "refused", operation.answer)
        else:
            self.ledger.note_outcome(operation.subject, operation.replica, "answered")
            self._answer(operation, operation.answer)

    def _refuse(self, operation: Operation, outcome: str, error: Exception) -> None:
        self.ledger.note_outcome(operation.subject, operation.replica, outcome)
        self._answer(operation, error)

    def _answer(self, operation: Operation, answer: object) -> None:
        self.pending.remove(operation)
        if isinstance(answer, Exception):
            operation.future.set_exception(answer)
        else:
            operation.future.set_result(answer)

    def _noted(self, operation: Operation) -> None:
        if operation.is_refresh:
            self.ledger.note_sending(operation.subject, operation.replica)

    def _dropped(self, operation: Operation) -> None:
        """Nobody waits for it any more: the replica died, or waited for too long."""
        if operation.is_refresh:
            if operation.answer is None:
                self.stragglers.append(operation.subject)
            self.ledger.note_outcome(operation.subject, operation.replica, "unknown")
        elif operation.name != "confirm" and operation.is_stalled:
            self.late.append(operation)
