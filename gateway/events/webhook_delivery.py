"""What lexoffice delivers to a webhook: believed for its signature, then read."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from gateway.errors import WebhookInvalid, WebhookOutdated, WebhookSignatureInvalid
from gateway.events.event import Event
from gateway.oauth.strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BODY_LIMIT = 65_536
SIGNATURE_HEADER = "X-Lxo-Signature"
FUTURE_SECONDS = 300
"""How far lexoffice's clock may be ahead of this one."""

_MIN_KEY_BITS = 2048
_ID = re.compile(r"[\x21-\x7e]{1,255}")
_TYPE = re.compile(r"[a-z]{1,40}(?:[.-][a-z]{1,40}){1,5}")


@dataclass(frozen=True, slots=True)
class SignedBody:
    """A body whose signature was verified; nothing of any other is read."""

    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a signed body says; `occurred_at` is the event's date in seconds since the epoch."""

    event: Event
    occurred_at: float


def parse_public_key(pem: str) -> RSAPublicKey:
    """Return the RSA key of a PEM text; raises ValueError for any other, and for one below 2048 bits."""
    try:
        key = load_pem_public_key(pem.encode())
    except UnsupportedAlgorithm:
        raise ValueError("not a kind of key that is known here") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < _MIN_KEY_BITS:
        raise ValueError("not an RSA key of 2048 bits or more")
    return key


def validate_content_type(values: Sequence[str]) -> None:
    """Raise WebhookInvalid unless this is the one content type of JSON in UTF-8 (RFC 8259 §8.1)."""
    kind, _, parameters = (values[0] if len(values) == 1 else "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in {"", "charset=utf-8"}:
        raise WebhookInvalid("Send application/json in UTF-8.", log_detail="the content type is not JSON's")


def validate_signature(key: RSAPublicKey, body: bytes, signatures: Sequence[str]) -> SignedBody:
    """Return the body if its one signature is lexoffice's: RSASSA-PKCS1-v1_5 with SHA-512 (RFC 8017 §8.2)."""
    if len(signatures) != 1:
        raise WebhookSignatureInvalid(log_detail="not exactly one signature")
    try:
        signature = base64.b64decode(signatures[0].strip(), validate=True)
        key.verify(signature, body, PKCS1v15(), SHA512())
    except (binascii.Error, ValueError):
        raise WebhookSignatureInvalid(log_detail="the signature is not base64") from None
    except InvalidSignature:
        raise WebhookSignatureInvalid(log_detail="the signature is not the body's") from None
    return SignedBody(body)


def parse_delivery(signed: SignedBody) -> Delivery:
    """Read a signed body; raises WebhookInvalid where one of its four members is missing or malformed.

    Members beyond these are passed over: lexoffice may come to send more.
    """
    try:
        document = parse_object(signed.content)
    except ValueError:
        raise WebhookInvalid(log_detail="the body is not a JSON object") from None
    date = _member(document, "eventDate", _ID)
    event = Event(
        type=_member(document, "eventType", _TYPE),
        organization_id=_member(document, "organizationId", _ID),
        resource_id=_member(document, "resourceId", _ID),
        date=date,
    )
    return Delivery(event, _parse_date(date))


def validate_date(delivery: Delivery, *, window: int, now: float) -> None:
    """Raise WebhookOutdated for an event longer ago than `window` seconds, or in the future (replay)."""
    if not now - window <= delivery.occurred_at <= now + FUTURE_SECONDS:
        raise WebhookOutdated(log_detail="the event's date is not of late")


def _member(document: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise WebhookInvalid(log_detail=f"{name} is missing or malformed")
    return value


def _parse_date(text: str) -> float:
    try:
        date = datetime.fromisoformat(text)
        if date.tzinfo is not None:
            return date.timestamp()
    except ValueError:
        pass
    raise WebhookInvalid(log_detail="eventDate is no date with a time zone")
