"""Takes lexoffice's deliveries in: checks and publishes them; the work is for those who hear."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Protocol
from weakref import WeakValueDictionary

from starlette.responses import Response

from gateway.errors import BodyTooLarge, GatewayError, RouteUnknown, StoreUnavailable, WebhookBusy
from gateway.events.event import LEXOFFICE_TYPES
from gateway.events.webhook_delivery import (
    BODY_LIMIT,
    FUTURE_SECONDS,
    SIGNATURE_HEADER,
    parse_delivery,
    validate_content_type,
    validate_date,
    validate_signature,
)
from gateway.observability.exchange import exchange_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from starlette.requests import Request

    from gateway.events.event import Event
    from gateway.events.webhook_delivery import Delivery
    from gateway.observability.audit import Audit
    from gateway.observability.metrics import Metrics
    from gateway.sessions.vault import Vault

PATH = "/webhooks/lexoffice"
_ANSWER_SECONDS = 0.8
"""lexoffice is promised an answer within a second, whatever the store is up to."""
_RETRY_AFTER = 5
_ROOM_SECONDS = 60
_TOO_LARGE = f"A delivery has at most {BODY_LIMIT} bytes."


class Publisher(Protocol):
    """Tells all processes of an event."""

    def has_room(self, event: Event) -> bool:
        """Say whether they can be told of one more like this."""
        ...

    async def publish(self, event: Event) -> str:
        """Return the event's id; raises StoreUnavailable."""
        ...


class Webhook:
    """The endpoint that lexoffice calls; without a key there is none.

    No cookie and no CSRF check, for no browser is part of it: what counts is the signature. A delivery that
    cannot be taken just now is refused with 503, and lexoffice sends it again; never with 410, which would
    end the subscription.
    """

    def __init__(
        self,
        *,
        public_key: RSAPublicKey | None,
        window: int,
        publisher: Publisher,
        vault: Vault,
        audit: Audit,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self._public_key = public_key
        self._window = window
        self._publisher = publisher
        self._vault = vault
        self._audit = audit
        self._metrics = metrics
        self._clock = clock
        self._under_way: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def receive(self, request: Request) -> Response:
        """Answer 204 for a delivery that was taken in or had been before, and for a look at the URL."""
        exchange_of(request.scope).route = PATH
        if self._public_key is None:
            raise RouteUnknown
        if request.method != "POST":
            return Response(status_code=204)
        try:
            event, outcome = await self._take_in(request, self._public_key)
        except GatewayError as error:
            self._note(request, "failure", code=error.code)
            raise
        self._note(request, outcome, event=event)
        return Response(status_code=204)

    async def _take_in(self, request: Request, public_key: RSAPublicKey) -> tuple[Event, str]:
        validate_content_type(request.headers.getlist("content-type"))
        body = await _read_body(request)
        signed = validate_signature(public_key, body, request.headers.getlist(SIGNATURE_HEADER))
        delivery = parse_delivery(signed)
        validate_date(delivery, window=self._window, now=self._clock())
        if delivery.event.type not in LEXOFFICE_TYPES:
            return delivery.event, "unknown"
        if not self._publisher.has_room(delivery.event):
            raise WebhookBusy(log_detail="too many events of one organization", retry_after=_ROOM_SECONDS)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return delivery.event, await self._publish_once(delivery, hashlib.sha256(body).digest())
        except TimeoutError:
            raise StoreUnavailable(
                log_detail="the store took too long for a webhook", retry_after=_RETRY_AFTER
            ) from None

    async def _publish_once(self, delivery: Delivery, digest: bytes) -> str:
        key, now = hashlib.sha256(b"webhook" + digest).digest(), self._clock()
        # Whoever has one delivery could fill the log with it, were it sent a thousand times at once.
        async with self._under_way.setdefault(key, asyncio.Lock()):
            if await self._vault.spent_until(key, now=now) is not None:
                return "repeated"
            await self._publisher.publish(delivery.event)
            # After the event, not before: had the store failed in between, lexoffice's own repetition would
            # be taken for a replay, and nobody would ever hear. Of two processes that are told of it at the
            # same moment both tell the others.
            expires_at = delivery.occurred_at + self._window + FUTURE_SECONDS
            await self._vault.spend_once(key, expires_at=expires_at, now=now)
            return "success"

    def _note(
        self, request: Request, outcome: str, *, event: Event | None = None, code: str | None = None
    ) -> None:
        exchange = exchange_of(request.scope)
        kind = None if event is None else event.type
        self._metrics.count_webhook(kind if kind in LEXOFFICE_TYPES else None, code or outcome)
        self._audit.webhook(
            outcome,
            code=code,
            kind=kind,
            organization=None if event is None else event.organization_id,
            address=exchange.address,
            request_id=exchange.request_id,
        )


async def _read_body(request: Request) -> bytes:
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > BODY_LIMIT:
        raise BodyTooLarge(_TOO_LARGE)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise BodyTooLarge(_TOO_LARGE)
    return bytes(body)
