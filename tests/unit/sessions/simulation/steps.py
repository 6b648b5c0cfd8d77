"""One step of a history: an operation of the store or the authorization server, done or hindered."""

from __future__ import annotations

import asyncio
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
from gateway.sessions.vault import Vault
from tests.unit.sessions.simulation.inspection import inspect, note_store_operation
from tests.unit.sessions.simulation.ledger import Ledger
from tests.unit.sessions.simulation.loop import SimulatedLoop
from tests.unit.sessions.simulation.replica import SECRET, remember_task
from tests.unit.sessions.simulation.server import SimulatedServer

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.sessions.session import Session
    from gateway.sessions.store import SessionStore
    from tests.unit.sessions.simulation.replica import Call, Operation, SignIn

EPOCH = 1_800_000_000.0
_HINDRANCES = {"claim_refresh", "renew_claim", "release_claim", "end_grant"}
"""Operations without which a claim is not kept up, or not let go of in time."""
_HARMLESS = {"read_grant", "claim_refresh", "renew_claim", "release_claim"}
"""Operations that change nothing of what a session or its grant is."""


class Steps:
    """What there is: the store, the authorization server, and what was asked of them."""

    def __init__(self, stores: list[SessionStore]) -> None:
        self._outside = asyncio.new_event_loop()
        self.loop = SimulatedLoop()
        self.loop.set_task_factory(remember_task)
        self.stores = stores
        for store in stores:
            self.complete(store.open())
        self.server = SimulatedServer()
        self.ledger = Ledger(self.server)
        self.vault = Vault(stores[0], Keyring([SECRET]), idle_seconds=36000, max_seconds=360000)
        self.sessions: list[Session] = []
        self.calls: list[Call] = []
        self.sign_ins: list[SignIn] = []
        self.pending: list[Operation] = []
        self.stragglers: list[str] = []
        """Token requests that nobody waits for any more, and that have not arrived yet."""
        self.late: list[Operation] = []
        """What the store was asked, likewise."""

    def complete(self, coroutine: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever it returns
        """Run a coroutine to its end outside of the simulation: in no simulated time."""
        return self._outside.run_until_complete(coroutine)

    def now(self) -> float:
        """Return the true time."""
        return EPOCH + self.loop.time()

    def close_all(self) -> None:
        """Close the stores and the loops."""
        for store in self.stores:
            self.complete(store.close())
        self._outside.run_until_complete(self._outside.shutdown_default_executor())
        self._outside.close()
        self.loop.close()

    def store_step(self, operation: Operation, trouble: str | None) -> None:
        """Do an operation of the store; trouble comes `before` or `after` it happens, or not."""
        error = StoreUnavailable(log_detail="simulated", retry_after=1)
        if trouble or operation.is_stalled:
            self.hinder(operation)
        if trouble == "before":
            self.answer(operation, error)
            return
        result = self.perform(operation)
        self.answer(operation, error if trouble else result)

    def perform(self, operation: Operation) -> Any:  # noqa: ANN401 - any operation's result
        """Let the store do it."""
        args, kwargs = operation.arguments
        store = self.stores[operation.replica.number]
        result = self.complete(getattr(store, operation.name)(*args, **kwargs))
        note_store_operation(self, operation, result)
        if operation.name not in _HARMLESS:
            inspect(self)
        return result

    def hinder(self, operation: Operation) -> None:
        """Note what the store's failure in an operation puts in doubt."""
        self.ledger.troubles.add("queue" if operation.name == "queue_revocation" else "store")
        self.ledger.hindered[operation.replica] = self.loop.time()
        for call in self.calls:
            call.was_hindered |= call.replica is operation.replica
        for sign_in in self.sign_ins:
            if sign_in.replica is operation.replica:
                self.spoil(sign_in)
        grant = self.ledger.newest.get(operation.subject)
        if operation.name in _HINDRANCES and grant is not None:
            self.ledger.doubt(grant.tokens.refresh_token, f"the store failed in {operation.name}")

    def spoil(self, sign_in: SignIn) -> None:
        """Note that the tokens of a sign-in may be lost, and the former ones of its connection useless."""
        sign_in.was_hindered = True
        self.ledger.spoiled.add(sign_in.name)

    def server_step(self, operation: Operation, trouble: str | None) -> None:
        """Answer a token request; `work` leaves the answer on its way, other troubles are failures."""
        if trouble == "not sent" and operation.answer is None:
            error: AuthorizationServerError = AuthorizationServerUnreachable()
            error.was_not_sent = True
            self._refuse(operation, "unspent", error)
            return
        if trouble in {"busy", "client"} and operation.answer is None:
            busy, refused = AuthorizationServerBusy(retry_after=3), TokenRequestRefused("invalid_client")
            self._refuse(operation, "unspent", busy if trouble == "busy" else refused)
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
            self.answer(operation, operation.answer)

    def _refuse(self, operation: Operation, outcome: str, error: Exception) -> None:
        self.ledger.note_outcome(operation.subject, operation.replica, outcome)
        self.answer(operation, error)

    def answer(self, operation: Operation, answer: object) -> None:
        """Answer whoever asked."""
        self.pending.remove(operation)
        if isinstance(answer, Exception):
            operation.future.set_exception(answer)
        else:
            operation.future.set_result(answer)
