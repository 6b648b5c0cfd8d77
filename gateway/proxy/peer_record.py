"""An answer as one process writes it down for the others, without the token that was sent (PURE)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.proxy.caching import Freshness

if TYPE_CHECKING:
    from gateway.proxy.headers import Headers
    from gateway.proxy.stored_answer import StoredAnswer

_VERSION = 1
_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerAnswer:
    """What a StoredAnswer is made of in another process; `wall` is when it was asked for, in Unix time."""

    fields: Headers
    content_type: bytes | None
    etag: bytes
    freshness: Freshness
    wall: float
    body: bytes = field(repr=False)


def pack_answer(stored: StoredAnswer) -> bytes:
    """Write it down: the length of a JSON head, the head, the body."""
    freshness = stored.freshness
    head: dict[str, Any] = {
        "v": _VERSION,
        "fields": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in stored.fields],
        "type": None if stored.content_type is None else stored.content_type.decode("latin-1"),
        "etag": stored.etag.decode("latin-1"),
        "fresh": [freshness.seconds, freshness.age, freshness.may_be_stale],
        "wall": stored.wall,
    }
    written = json.dumps(head).encode()
    return len(written).to_bytes(_LENGTH_BYTES, "big") + written + stored.body


def unpack_answer(packed: bytes) -> PeerAnswer:
    """Read what `pack_answer` wrote; ValueError for what another version of the gateway wrote."""
    end = _LENGTH_BYTES + int.from_bytes(packed[:_LENGTH_BYTES], "big")
    head: dict[str, Any] = json.loads(packed[_LENGTH_BYTES:end])
    if head.get("v") != _VERSION:
        raise ValueError("written by another version")
    content_type: str | None = head["type"]
    return PeerAnswer(
        fields=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in head["fields"]],
        content_type=None if content_type is None else content_type.encode("latin-1"),
        etag=head["etag"].encode("latin-1"),
        freshness=Freshness(*head["fresh"]),
        wall=head["wall"],
        body=packed[end:],
    )
