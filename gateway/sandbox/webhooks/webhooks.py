"""Announces what happens to whoever subscribed to it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from gateway.sandbox.books.dates import local, wire
from gateway.sandbox.webhooks.callback import post_event
from gateway.sandbox.webhooks.courier import Courier
from gateway.sandbox.webhooks.delivery import Delivery
from gateway.sandbox.webhooks.event import Event
from gateway.sandbox.webhooks.key import WebhookKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.sandbox.books.ledger import Books, Json

_KEPT = 1000
"""Deliveries that are remembered."""
_LOOK_SECONDS = 0.005


class Webhooks:
    """Subscriptions and deliveries of all organizations; usable from any thread.

    A delivery that fails is tried again after each of the `retries`, in seconds of real time.
    """

    def __init__(
        self, books: Mapping[str, Books], now: Callable[[], float], retries: Sequence[float]
    ) -> None:
        self.key = WebhookKey()
        self._books = books
        self._now = now
        self._retries = tuple(retries)
        self._courier = Courier()
        self._deliveries: dict[str, Delivery] = {}

    def subscribe(self, organization_id: str, event_type: str, callback_url: str) -> Json:
        """Return a new subscription; nothing is checked."""
        subscription: Json = {
            "subscriptionId": str(uuid4()),
            "organizationId": organization_id,
            "createdDate": wire(local(self._now())),
            "eventType": event_type,
            "callbackUrl": callback_url,
        }
        self._books[organization_id].subscriptions[subscription["subscriptionId"]] = subscription
        return subscription

    def announce(self, organization_id: str, event_type: str, resource_id: str) -> None:
        """Begin to deliver an event to its subscribers and return at once."""
        event = Event(
            organization_id=organization_id, type=event_type, resource_id=resource_id, date=self._now()
        )
        for subscription in tuple(self._books[organization_id].subscriptions.values()):
            if subscription["eventType"] == event_type:
                self._dispatch(subscription, event)

    def deliveries(self) -> tuple[Delivery, ...]:
        """Return the last deliveries, the newest first."""
        return tuple(reversed(tuple(self._deliveries.values())))

    async def settle(self, patience: float) -> None:
        """Wait until every delivery was attempted at least once, for `patience` seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while any(delivery.state == "under_way" for delivery in self.deliveries()):  # noqa: ASYNC110 - what happens is in another thread
                    await asyncio.sleep(_LOOK_SECONDS)

    def _dispatch(self, subscription: Json, event: Event) -> None:
        delivery = Delivery(
            id=str(uuid4()),
            subscription_id=cast("str", subscription["subscriptionId"]),
            callback_url=cast("str", subscription["callbackUrl"]),
            event=event,
        )
        self._note(delivery)
        self._courier.run(lambda: self._deliver(delivery))

    async def _deliver(self, delivery: Delivery) -> None:
        body = delivery.event.body()
        signature = self.key.sign(body)
        subscriptions = self._books[delivery.event.organization_id].subscriptions
        for pause in (0.0, *self._retries):
            await asyncio.sleep(pause)
            if delivery.subscription_id not in subscriptions:
                self._note(delivery.ended("unsubscribed"))
                return
            outcome = await post_event(delivery.callback_url, body, signature)
            delivery = delivery.attempted(outcome, now=self._now())
            self._note(delivery)
            if delivery.state == "unsubscribed":
                subscriptions.pop(delivery.subscription_id, None)
            if delivery.is_over:
                return
        self._note(delivery.ended("given_up"))

    def _note(self, delivery: Delivery) -> None:
        self._deliveries[delivery.id] = delivery
        while len(self._deliveries) > _KEPT:
            del self._deliveries[next(iter(self._deliveries))]
