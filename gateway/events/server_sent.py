"""The text of the stream that browsers read: server-sent events, each in a chunk of an HTTP/1.1 body."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from gateway.errors import ParameterRepeated, RequestInvalid
from gateway.events.event import LEXOFFICE_TYPES, TOKEN_REVOKED
from gateway.sessions.session_life import Ending, Refreshed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.events.event import Event
    from gateway.sessions.session_life import LifeEvent

PASSED_ON = LEXOFFICE_TYPES - {TOKEN_REVOKED}
"""The types that browsers hear of; an ended connection they notice by the end of the session."""
LAST_CHUNK = b"0\r\n\r\n"
_MAX_ID_CHARACTERS = 64


def build_event(kind: str, document: Mapping[str, object], *, event_id: str = "") -> bytes:
    """Build the chunk of one event; JSON has no line break that could begin another field."""
    place = f"id: {event_id}\n" if event_id else ""
    return frame(f"{place}event: {kind}\ndata: {json.dumps(document, separators=(',', ':'))}\n\n")


def build_lexoffice_event(event: Event) -> bytes:
    """Build the chunk that tells of a change in the books of the session's organization."""
    document = {"type": event.type, "resource_id": event.resource_id, "date": event.date}
    return build_event("lexoffice", document, event_id=event.id)


def build_life_event(event: LifeEvent) -> tuple[str, bytes]:
    """Build the chunk that tells how the session fares, and name its kind."""
    kind = f"session.{type(event).__name__.lower()}"
    if isinstance(event, Refreshed):
        expires_at = datetime.fromtimestamp(event.expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return kind, build_event(kind, {"expires_at": expires_at, "generation": event.generation})
    document: dict[str, object] = {"in_seconds": event.in_seconds}
    if isinstance(event, Ending):
        document["reason"] = event.reason
    return kind, build_event(kind, document)


def build_retry(milliseconds: int) -> bytes:
    """Build the chunk that says how long to wait before connecting again."""
    return frame(f"retry: {milliseconds}\n\n")


def build_heartbeat(event_id: str = "") -> bytes:
    """Build a chunk without an event: it shows that the connection lives, and up to where it is heard.

    With the id a browser that connects again need not ask for what only others were told.
    """
    return frame(f":\nid: {event_id}\n\n" if event_id else ":\n\n")


def frame(text: str) -> bytes:
    """Put text into a chunk (RFC 9112 §7.1)."""
    data = text.encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


def unframe(chunk: bytes) -> bytes:
    """Return what is in a chunk."""
    return chunk[chunk.index(b"\n") + 1 : -2]


def read_last_event_id(headers: Iterable[tuple[bytes, bytes]], query: bytes) -> str:
    """Return after which event the browser goes on, or "" if it begins.

    The header counts more than `last_event_id=` in the query, which an EventSource cannot change when it
    connects again. What cannot be an id is handed back as such: nobody knows it. Raises ParameterRepeated,
    and RequestInvalid for an id that is too long.
    """
    told = [value for name, value in headers if name == b"last-event-id"]
    if not told:
        pairs = (pair.partition(b"=") for pair in query.split(b"&"))
        told = [unquote_to_bytes(value) for name, _, value in pairs if name == b"last_event_id"]
    if len(told) > 1:
        raise ParameterRepeated
    last = told[0].decode("utf-8", "replace") if told else ""
    if len(last) > _MAX_ID_CHARACTERS:
        raise RequestInvalid("The last event id is too long.")
    return last
