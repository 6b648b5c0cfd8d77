"""One event on its way to one subscriber."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from gateway.sandbox.books.dates import local, wire

if TYPE_CHECKING:
    from gateway.sandbox.books.ledger import Json
    from gateway.sandbox.webhooks.event import Event

State = Literal["under_way", "delivered", "waiting", "given_up", "unsubscribed"]
DONE = frozenset({"200", "201", "202", "204"})
"""What a subscriber answers when it has taken an event."""
GONE = "410"
"""What a subscriber answers that wants no more events."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """`outcome` is a status, `timeout` or `unreachable`; `at` in Unix seconds by the sandbox's clock."""

    at: float
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """`waiting` is between two attempts; `unsubscribed` ended with 410, or with the subscription."""

    id: str
    subscription_id: str
    callback_url: str
    event: Event
    state: State = "under_way"
    attempts: tuple[Attempt, ...] = field(default=())

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in {"delivered", "given_up", "unsubscribed"}

    def attempted(self, outcome: str, *, now: float) -> Delivery:
        """Return the delivery after one more attempt."""
        state: State = "delivered" if outcome in DONE else "unsubscribed" if outcome == GONE else "waiting"
        return replace(self, state=state, attempts=(*self.attempts, Attempt(now, outcome)))

    def ended(self, state: State) -> Delivery:
        """Return the delivery in a last state that no attempt brought about."""
        return replace(self, state=state)

    def document(self) -> Json:
        """Return the JSON of one delivery in `GET /sandbox/deliveries`."""
        return {
            "id": self.id,
            "subscriptionId": self.subscription_id,
            "callbackUrl": self.callback_url,
            "organizationId": self.event.organization_id,
            "eventType": self.event.type,
            "resourceId": self.event.resource_id,
            "eventDate": wire(local(self.event.date)),
            "state": self.state,
            "attempts": [{"at": wire(local(one.at)), "outcome": one.outcome} for one in self.attempts],
        }
