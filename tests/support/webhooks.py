"""lexoffice's side of the webhook, and what the subscribers of a gateway's bus hear."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.events.event import Event
    from tests.support.running import Running

PATH = "/webhooks/lexoffice"


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(slots=True)
class Signer:
    """Signs as lexoffice does, with a key of its own."""

    key: rsa.RSAPrivateKey = field(default_factory=_new_key)

    @property
    def pem(self) -> str:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, body: bytes, *, scheme: str = "sha512") -> str:
        """Return the value of X-Lxo-Signature; other schemes than sha512 are those of an attack."""
        chosen: Any = padding.PKCS1v15()
        if scheme == "pss":
            chosen = padding.PSS(padding.MGF1(SHA512()), padding.PSS.MAX_LENGTH)
        return base64.b64encode(
            self.key.sign(body, chosen, SHA256() if scheme == "sha256" else SHA512())
        ).decode()


LEXOFFICE = Signer()
STRANGER = Signer()
SETTINGS = {"LEXGATE_WEBHOOK_PUBLIC_KEY": LEXOFFICE.pem}


def written(moment: float) -> str:
    """Write a time as lexoffice does."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def body_of(moment: float, **changes: object) -> bytes:
    """Return the body of a delivery with some changes; None leaves a member out."""
    right = {
        "organizationId": "an-organization",
        "eventType": "contact.changed",
        "resourceId": "a-contact",
        "eventDate": written(moment),
    }
    members = {name: value for name, value in {**right, **changes}.items() if value is not None}
    return json.dumps(members, separators=(",", ":")).encode()


def deliver(
    running: Running,
    body: bytes | None = None,
    *,
    signature: str | None = None,
    **options: Any,  # noqa: ANN401 - httpx's
) -> httpx.Response:
    """Post as lexoffice does: no cookie, no Origin."""
    body = body_of(running.clock(), **options.pop("changes", {})) if body is None else body
    headers = {
        "Content-Type": "application/json",
        "X-Lxo-Signature": LEXOFFICE.sign(body) if signature is None else signature,
        **options.pop("headers", {}),
    }
    return httpx.post(f"{running.url}{PATH}", content=body, headers=headers, trust_env=False, **options)


@dataclass(slots=True)
class Ear:
    """What one gateway's subscribers were told; the times are on time.monotonic's clock."""

    events: list[Event] = field(default_factory=list)

    def types(self) -> list[str]:
        return [event.type for event in self.events]


@contextmanager
def listening(running: Running) -> Iterator[Ear]:
    """Subscribe to a gateway's bus until the block ends."""
    ear = Ear()
    bus = running.gateway._bus  # noqa: SLF001 - what the gateway's own parts subscribe to

    async def begin() -> Any:  # noqa: ANN401 - how to end it
        return bus.subscribe(ear.events.append, lose=lambda: None)

    stop = running.call(begin())
    try:
        yield ear
    finally:
        running.loop.call_soon_threadsafe(stop)
