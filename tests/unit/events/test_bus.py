"""Every replica hears every event once and in order, or is told that it missed some."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StoreUnavailable
from gateway.events.event import CACHE, Event
from gateway.sessions.event_log import EVENTS_KEPT, EVENTS_SECONDS
from gateway.sessions.memory import MemoryStore
from tests.unit.events.listeners import MISSED, SECRET, Heard, listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.sessions.event_log import EventBatch, EventId

NEW_SECRET = "another secret for tests, which is long enough"


class Log(MemoryStore):
    """A store that can be out of reach, and can lose its log."""

    is_down = False
    defects = 0

    async def read_events(self, after: EventId | None, *, wait_seconds: float, limit: int) -> EventBatch:
        if self.is_down:
            raise StoreUnavailable
        if self.defects:
            self.defects -= 1
            raise RuntimeError("a defect")
        return await super().read_events(after, wait_seconds=min(wait_seconds, 0.01), limit=limit)


@asynccontextmanager
async def opened_log() -> AsyncIterator[Log]:
    log = Log()
    await log.open()
    yield log
    await log.close()


async def test_every_replica_hears_an_event_once_and_in_order() -> None:
    async with opened_log() as log, listening(log) as one, listening(log) as other:
        first, second = Heard(one), Heard(other)
        sent = [Event(type=CACHE, data={"n": str(n)}) for n in range(300)]
        ids = [await (one, other)[n % 2].publish(event) for n, event in enumerate(sent)]
        for heard in (first, second):
            await heard.until(300)
            assert [event.data["n"] for event in heard.events] == [str(n) for n in range(300)]
            assert [event.id for event in heard.events] == ids


async def test_a_subscriber_is_called_in_its_turn_and_not_after_its_end() -> None:
    async with opened_log() as log, listening(log) as bus:
        order: list[str] = []
        end = bus.subscribe(lambda _: order.append("cache"), lose=lambda: None)
        heard = Heard(bus)
        bus.subscribe(lambda _: order.append("streams"), lose=lambda: None)
        await bus.publish(Event(type=CACHE))
        await heard.until(1)
        end()
        end()
        await bus.publish(Event(type=CACHE))
        await heard.until(2)
        assert order == ["cache", "streams", "streams"]


async def test_a_subscriber_that_fails_keeps_nothing_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: Event) -> None:
        raise RuntimeError("a defect")

    async with opened_log() as log, listening(log) as bus:
        bus.subscribe(fail, lose=lambda: None)
        heard = Heard(bus)
        await bus.publish(Event(type=CACHE))
        assert await heard.until(1) == [CACHE]
    assert "a subscriber of events failed" in caplog.text


async def test_a_bus_goes_on_where_it_stopped_after_an_outage(caplog: pytest.LogCaptureFixture) -> None:
    async with opened_log() as log, listening(log) as bus:
        heard = Heard(bus)
        log.is_down = True
        for _ in range(3):
            await bus.publish(Event(type=CACHE))
        while "no events are heard" not in caplog.text:
            await log.ping()
            await asyncio.sleep(0)
        assert heard.words == []
        log.is_down = False
        assert await heard.until(3) == [CACHE] * 3
    assert "the store tells of events again" in caplog.text


async def test_a_bus_goes_on_after_a_defect(caplog: pytest.LogCaptureFixture) -> None:
    async with opened_log() as log, listening(log) as bus:
        heard = Heard(bus)
        log.defects = 1
        await bus.publish(Event(type=CACHE))
        assert await heard.until(1) == [CACHE]
    assert "listening for events failed unexpectedly" in caplog.text


async def test_a_log_that_was_lost_is_told_and_then_heard() -> None:
    async with opened_log() as log, listening(log) as bus:
        heard = Heard(bus)
        first = await bus.publish(Event(type="invoice.created"))
        await heard.until(1)
        await log.open()
        await bus.publish(Event(type="contact.created"))
        assert await heard.until(3) == ["invoice.created", MISSED, "contact.created"]
        assert bus.since(first) is None


async def test_events_that_went_before_they_were_heard_are_told() -> None:
    async with opened_log() as log, listening(log) as bus:
        heard = Heard(bus)
        log.is_down = True
        for _ in range(EVENTS_KEPT + 1):
            await bus.publish(Event(type=CACHE))
        log.is_down = False
        words = await heard.until(EVENTS_KEPT + 1)
        assert words[0] == MISSED
        assert words[1:] == [CACHE] * EVENTS_KEPT


async def test_an_event_sealed_with_an_unknown_secret_counts_as_missed() -> None:
    async with opened_log() as log, listening(log) as old, listening(log, secrets=(NEW_SECRET,)) as new:
        heard = Heard(old)
        first = await old.publish(Event(type=CACHE))
        await new.publish(Event(type=CACHE))
        assert await heard.until(2) == [CACHE, MISSED]
        assert old.since(first) is None


async def test_an_event_that_a_store_made_up_is_none() -> None:
    async with opened_log() as log, listening(log) as bus:
        heard = Heard(bus)
        await log.append_event(b'{"type": "token.revoked"}', now=1000.0)
        assert await heard.until(1) == [MISSED]


async def test_rotated_secrets_are_heard_by_those_who_know_both() -> None:
    async with (
        opened_log() as log,
        listening(log, secrets=(SECRET, NEW_SECRET)) as old,
        listening(log, secrets=(NEW_SECRET, SECRET)) as new,
    ):
        heard = Heard(old), Heard(new)
        await old.publish(Event(type=CACHE))
        await new.publish(Event(type=CACHE))
        for each in heard:
            assert await each.until(2) == [CACHE, CACHE]


async def test_events_since_one_are_those_after_it() -> None:
    async with opened_log() as log, listening(log) as bus:
        heard = Heard(bus)
        beginning = bus.last_id
        ids = [await bus.publish(Event(type=CACHE)) for _ in range(4)]
        await heard.until(4)
        assert bus.last_id == ids[-1]
        for number, event_id in enumerate([beginning, *ids]):
            found = bus.since(event_id)
            assert found is not None
            assert [event.id for event in found] == ids[number:]


async def test_events_from_before_a_replica_started_are_known_to_it() -> None:
    async with opened_log() as log, listening(log) as early:
        first = await early.publish(Event(type="invoice.created"))
        second = await early.publish(Event(type="contact.created"))
        async with listening(log) as late:
            found = late.since(first)
            assert found is not None
            assert [event.id for event in found] == [second]


async def test_an_id_beyond_the_end_is_missed() -> None:
    """It is of an event to come, or of one that the store has lost: then another one will have it."""
    async with opened_log() as log, listening(log) as bus:
        epoch, number = bus.last_id.split("-")
        assert bus.since(f"{epoch}-{int(number) + 1}") is None


@pytest.mark.parametrize("event_id", ["", "1", "x-1", "1-1", "-1-1", "1-01", "1-" + "9" * 30, "1-1\n", "²-1"])
async def test_an_id_that_this_log_never_gave_out_is_missed(event_id: str) -> None:
    async with opened_log() as log, listening(log) as bus:
        assert bus.since(event_id) is None


async def test_what_is_older_than_five_minutes_is_missed() -> None:
    now = 1000.0
    async with opened_log() as log, listening(log, clock=lambda: now) as bus:
        heard = Heard(bus)
        beginning = bus.last_id
        first = await bus.publish(Event(type=CACHE))
        await heard.until(1)
        now += EVENTS_SECONDS
        assert bus.since(beginning) is None
        assert bus.since(first) == []


async def test_what_a_replica_remembers_is_bounded() -> None:
    async with opened_log() as log, listening(log) as bus:
        heard = Heard(bus)
        beginning = bus.last_id
        for _ in range(EVENTS_KEPT + 1):
            await bus.publish(Event(type=CACHE))
            await heard.until(len(heard.words) + 1)
        assert bus.since(beginning) is None
        epoch = beginning.split("-")[0]
        assert len(bus.since(f"{epoch}-1") or ()) == EVENTS_KEPT


async def test_a_bus_does_not_start_without_its_store() -> None:
    async with opened_log() as log:
        log.is_down = True
        with pytest.raises(StoreUnavailable):
            async with listening(log):
                pass


async def test_settled_subscribers_are_called_later_and_in_the_same_order() -> None:
    async with opened_log() as log, listening(log, settle_seconds=0.05) as bus:
        at_once, settled = Heard(bus), Heard(bus, settled=True)
        beginning = bus.last_id
        ids = [await bus.publish(Event(type=CACHE)) for _ in range(3)]
        await at_once.until(3)
        assert (settled.words, bus.last_id, bus.since(beginning)) == ([], beginning, [])
        await settled.until(3)
        assert [event.id for event in settled.events] == ids
        assert bus.last_id == ids[-1]
        await bus.publish(Event(type=CACHE))
        await settled.until(4)


async def test_settled_subscribers_are_told_in_their_order_that_something_was_missed() -> None:
    async with opened_log() as log, listening(log, settle_seconds=0.02) as bus:
        at_once, settled = Heard(bus), Heard(bus, settled=True)
        first = await bus.publish(Event(type="invoice.created"))
        await at_once.until(1)
        await log.open()
        await bus.publish(Event(type="contact.created"))
        assert await settled.until(3) == ["invoice.created", MISSED, "contact.created"]
        assert bus.since(first) is None


async def test_a_bus_that_stops_tells_no_more() -> None:
    async with opened_log() as log:
        async with listening(log, settle_seconds=30) as bus:
            at_once, settled = Heard(bus), Heard(bus, settled=True)
            await bus.publish(Event(type=CACHE))
            await at_once.until(1)
        assert settled.words == []
