"""The text of the stream: what an EventSource makes of it, and nothing that becomes a field of its own."""

from __future__ import annotations

import json
import re

import pytest

from gateway.errors import ParameterRepeated, RequestInvalid
from gateway.events.event import CACHE, LEXOFFICE_TYPES, TOKEN_REVOKED, Event
from gateway.events.server_sent import (
    PASSED_ON,
    build_event,
    build_heartbeat,
    build_lexoffice_event,
    build_life_event,
    build_retry,
    frame,
    read_last_event_id,
    unframe,
)
from gateway.sessions.session_life import Ending, Extended, LifeEvent, Refreshed

BREAKS = "\n\r\r\n\0\u2028\u2029\x85\n\ndata: forged\n\nevent: session.ended"


@pytest.mark.parametrize("text", ["", "a", "ä", "x" * 4096])
def test_a_chunk_is_its_length_in_hex_and_what_is_in_it(text: str) -> None:
    # RFC 9112 §7.1
    chunk = frame(text)
    size, _, rest = chunk.partition(b"\r\n")
    assert (int(size, 16), rest) == (len(text.encode()), text.encode() + b"\r\n")
    assert unframe(chunk) == text.encode()


def test_an_event_is_an_id_a_kind_and_one_line_of_json() -> None:
    built = unframe(build_event("hello", {"version": "1"}, event_id="7-1"))
    assert built == b'id: 7-1\nevent: hello\ndata: {"version":"1"}\n\n'
    assert unframe(build_event("hello", {})) == b"event: hello\ndata: {}\n\n"


def test_what_lexoffice_sends_cannot_break_out_of_its_line() -> None:
    event = Event(type="invoice.changed", organization_id="o", resource_id=BREAKS, date=BREAKS, id="7-2")
    built = unframe(build_lexoffice_event(event))
    assert built.count(b"\n") == 4
    assert not re.search(rb"[\r\0]", built)
    assert built.isascii()
    document = json.loads(built.split(b"data: ", 1)[1])
    assert document == {"type": "invoice.changed", "resource_id": BREAKS, "date": BREAKS}


def test_of_an_organization_and_a_connection_nothing_is_told() -> None:
    event = Event(
        type="invoice.changed", organization_id="secret-o", connection="secret-c", data={"a": "secret"}
    )
    assert b"secret" not in build_lexoffice_event(event)


@pytest.mark.parametrize(
    ("event", "kind", "data"),
    [
        (Ending(30, "idle"), "session.ending", {"in_seconds": 30, "reason": "idle"}),
        (Extended(1799), "session.extended", {"in_seconds": 1799}),
        (
            Refreshed(1_800_000_000.9, 3),
            "session.refreshed",
            {"expires_at": "2027-01-15T08:00:00Z", "generation": 3},
        ),
    ],
)
def test_the_life_of_a_session_has_words(event: LifeEvent, kind: str, data: dict[str, object]) -> None:
    named, chunk = build_life_event(event)
    _, told, line, *_ = (b"\n" + unframe(chunk)).split(b"\n")
    assert (named, told) == (kind, f"event: {kind}".encode())
    assert json.loads(line.removeprefix(b"data: ")) == data


def test_heartbeats_and_pauses_are_no_events() -> None:
    assert unframe(build_heartbeat()) == b":\n\n"
    assert unframe(build_heartbeat("7-1")) == b":\nid: 7-1\n\n"
    assert unframe(build_retry(2000)) == b"retry: 2000\n\n"


def test_browsers_hear_of_the_books_alone() -> None:
    assert set(LEXOFFICE_TYPES - PASSED_ON) == {TOKEN_REVOKED}
    assert CACHE not in PASSED_ON


@pytest.mark.parametrize(
    ("headers", "query", "found"),
    [
        ([], b"", ""),
        ([], b"last_event_id=", ""),
        ([], b"a=1&last_event_id=7-1&b", "7-1"),
        ([], b"last_event_id=7%2D1", "7-1"),
        ([(b"last-event-id", b"7-2")], b"last_event_id=7-1", "7-2"),
        ([(b"last-event-id", b"\xff")], b"", "\ufffd"),
        ([(b"other", b"7-2")], b"last_event_idx=7-1", ""),
    ],
)
def test_the_last_event_is_read_from_the_header_or_else_the_query(
    headers: list[tuple[bytes, bytes]], query: bytes, found: str
) -> None:
    assert read_last_event_id(headers, query) == found


@pytest.mark.parametrize(
    ("headers", "query", "error"),
    [
        ([], b"last_event_id=1&last_event_id=1", ParameterRepeated),
        ([(b"last-event-id", b"1"), (b"last-event-id", b"2")], b"", ParameterRepeated),
        ([(b"last-event-id", b"1" * 65)], b"", RequestInvalid),
    ],
)
def test_an_id_that_is_given_twice_or_too_long_is_refused(
    headers: list[tuple[bytes, bytes]], query: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        read_last_event_id(headers, query)
