"""What is written down of an event is read again as it was."""

from __future__ import annotations

import pytest

from gateway.events.event import CACHE, LEXOFFICE_TYPES, Event, pack_event, unpack_event


@pytest.mark.parametrize(
    "event",
    [
        Event(type=CACHE),
        Event(type=CACHE, connection="00ff", data={"resources": "contacts"}),
        Event(
            type="invoice.created", organization_id="ö", resource_id="r", date="2026-11-26T10:00:00.000+01:00"
        ),
    ],
)
def test_an_event_is_read_as_it_was_written(event: Event) -> None:
    read = unpack_event(pack_event(event), event_id="7-1")
    assert read.id == "7-1"
    assert pack_event(read) == pack_event(event)
    assert (read.type, read.organization_id, read.connection) == (
        event.type,
        event.organization_id,
        event.connection,
    )
    assert (read.resource_id, read.date, dict(read.data)) == (event.resource_id, event.date, dict(event.data))


def test_the_types_are_those_that_lexoffice_documents() -> None:
    assert len(LEXOFFICE_TYPES) == 4 * 3 + 7 * 4 + 2
    assert {"invoice.status.changed", "payment.changed", "token.revoked"} <= LEXOFFICE_TYPES
    assert "contact.status.changed" not in LEXOFFICE_TYPES
    assert CACHE not in LEXOFFICE_TYPES


def test_the_key_of_a_grant_is_not_shown() -> None:
    assert "00ff" not in repr(Event(type=CACHE, connection="00ff"))
