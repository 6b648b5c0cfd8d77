"""Every process reads every event once and in order, or is told that some were dropped."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import StoreUnavailable
from gateway.sessions.event_log import (
    BEGINNING,
    EVENT_LOG_SECONDS,
    EVENTS_KEPT,
    EVENTS_SECONDS,
    EventId,
    parse_event_id,
)
from gateway.sessions.redis import RedisStore
from tests.contract.records import NOW
from tests.contract.stores import CALLER_CLOCK_STORES, STORES, opened

if TYPE_CHECKING:
    from pathlib import Path

    from redis.asyncio import Redis

    from gateway.sessions.event_log import EventBatch
    from gateway.sessions.store import SessionStore
    from tests.contract.redis_servers import RedisServer


async def _end(store: SessionStore) -> EventId:
    return (await store.read_events(None, wait_seconds=0, limit=10)).last


async def _read(store: SessionStore, after: EventId | None, *, limit: int = 1000) -> EventBatch:
    return await store.read_events(after, wait_seconds=0, limit=limit)


async def _append(store: SessionStore, *events: bytes, now: float = NOW) -> list[EventId]:
    return [await store.append_event(event, now=now) for event in events]


async def test_an_empty_log_has_an_end_and_no_events(store: SessionStore) -> None:
    batch = await _read(store, None)
    assert (batch.rows, batch.is_whole) == ((), True)
    assert await _read(store, batch.last) == batch
    assert (await _read(store, BEGINNING)).rows == ()


async def test_events_are_read_in_order_from_any_place(store: SessionStore) -> None:
    start = await _end(store)
    first, second, third = await _append(store, b"one", b"\x00\r\n\xff", b"three")
    assert first < second < third
    rows = ((first, b"one"), (second, b"\x00\r\n\xff"), (third, b"three"))
    for number, place in enumerate((start, first, second, third)):
        batch = await _read(store, place)
        assert (batch.rows, batch.last, batch.is_whole) == (rows[number:], third, True)
    assert await _read(store, BEGINNING) == await _read(store, start)
    assert (await _read(store, None)).rows == ()


async def test_places_are_numbered_without_a_gap_whoever_appends(
    peers: tuple[SessionStore, SessionStore],
) -> None:
    start = await _end(peers[0])
    places = await asyncio.gather(*(peers[n % 2].append_event(b"%d" % n, now=NOW) for n in range(60)))
    assert [place.number for place in sorted(places)] == list(range(start.number + 1, start.number + 61))
    found = [(await _read(peer, start)).rows for peer in peers]
    assert found[0] == found[1]
    assert {row for _, row in found[0]} == {b"%d" % n for n in range(60)}


async def test_a_long_log_is_read_in_parts(store: SessionStore) -> None:
    place = await _end(store)
    await _append(store, *(b"%d" % n for n in range(25)))
    read: list[bytes] = []
    for expected in (10, 10, 5, 0):
        batch = await _read(store, place, limit=10)
        assert batch.is_whole
        assert len(batch.rows) == expected
        read += [row for _, row in batch.rows]
        place = batch.last
    assert read == [b"%d" % n for n in range(25)]


async def test_a_place_can_be_written_down_and_read_again(store: SessionStore) -> None:
    (place,) = await _append(store, b"one")
    assert parse_event_id(str(place)) == place


async def _fastest_wake(writer: SessionStore, reader: SessionStore) -> float:
    """Return the shortest of several times from the call of `append_event` to the waiting reader's answer."""
    times: list[float] = []
    for _ in range(5):
        waiting = asyncio.create_task(reader.read_events(await _end(reader), wait_seconds=1, limit=10))
        for _ in range(10):
            await reader.ping()
        began = time.monotonic()
        await writer.append_event(b"one", now=NOW)
        assert [row for _, row in (await waiting).rows] == [b"one"]
        times.append(time.monotonic() - began)
    return min(times)


async def test_who_waits_is_woken_by_its_own_process_at_once(store: SessionStore) -> None:
    assert await _fastest_wake(store, store) < 0.08


async def test_who_waits_is_woken_by_another_process(peers: tuple[SessionStore, SessionStore]) -> None:
    assert await _fastest_wake(*peers) < 0.25


async def test_who_waits_in_vain_goes_on_from_the_same_place(store: SessionStore) -> None:
    (place,) = await _append(store, b"one")
    batch = await store.read_events(place, wait_seconds=0.05, limit=10)
    assert (batch.last, batch.rows, batch.is_whole) == (place, (), True)


async def test_who_waits_may_be_cancelled_and_ask_again(store: SessionStore) -> None:
    start = await _end(store)
    for _ in range(5):
        waiting = asyncio.create_task(store.read_events(start, wait_seconds=1, limit=10))
        await store.ping()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await _append(store, b"one")
    assert [row for _, row in (await _read(store, start)).rows] == [b"one"]


async def test_no_more_than_so_many_events_are_kept(store: SessionStore) -> None:
    start = await _end(store)
    (first,) = await _append(store, b"first")
    for _ in range(EVENTS_KEPT // 64):
        await asyncio.gather(*(store.append_event(b"more", now=NOW) for _ in range(64)))
    late = await _read(store, start, limit=2 * EVENTS_KEPT)
    assert not late.is_whole
    assert len(late.rows) == EVENTS_KEPT
    after_first = await _read(store, first, limit=2 * EVENTS_KEPT)
    assert (after_first.rows, after_first.is_whole) == (late.rows, True)


@pytest.mark.parametrize("name", CALLER_CLOCK_STORES)
async def test_events_are_dropped_after_their_time(name: str, tmp_path: Path) -> None:
    async with opened(STORES[name](tmp_path)) as store:
        start = await _end(store)
        (first,) = await _append(store, b"first")
        (second,) = await _append(store, b"second", now=NOW + 1)
        (third,) = await _append(store, b"third", now=NOW + EVENTS_SECONDS)
        late = await _read(store, start)
        assert (late.rows, late.is_whole) == (((second, b"second"), (third, b"third")), False)
        assert (await _read(store, first)).is_whole
        await _append(store, b"fourth", now=NOW + 3 * EVENTS_SECONDS)
        assert len((await _read(store, BEGINNING)).rows) == 1


@pytest.mark.parametrize("name", CALLER_CLOCK_STORES)
async def test_a_clock_that_runs_ahead_drops_nothing_from_the_middle(name: str, tmp_path: Path) -> None:
    async with opened(STORES[name](tmp_path)) as store:
        (ahead,) = await _append(store, b"ahead", now=NOW + 2 * EVENTS_SECONDS)
        await _append(store, b"behind")
        await _append(store, b"late", now=NOW + EVENTS_SECONDS + 1)
        batch = await _read(store, ahead)
        assert batch.is_whole
        assert [row for _, row in batch.rows] == [b"behind", b"late"]


async def test_a_place_of_another_log_is_told_that_it_is(store: SessionStore) -> None:
    await _append(store, b"one", b"two")
    last = await _end(store)
    for foreign in (
        EventId(last.epoch + 1, 1),
        EventId(last.epoch - 1, last.number),
        EventId(last.epoch, last.number + 1),
    ):
        batch = await _read(store, foreign)
        assert not batch.is_whole
        assert [row for _, row in batch.rows] == [b"one", b"two"]
        assert batch.last == last


async def test_a_place_of_another_log_is_not_waited_at(store: SessionStore) -> None:
    batch = await store.read_events(EventId(5, 5), wait_seconds=1, limit=10)
    assert not batch.is_whole
    again = await store.read_events(batch.last, wait_seconds=0, limit=10)
    assert (again.rows, again.is_whole) == ((), True)


async def test_who_waits_while_the_store_closes_is_told(closed_store: SessionStore) -> None:
    await closed_store.open()
    start = await _end(closed_store)
    waiting = asyncio.create_task(closed_store.read_events(start, wait_seconds=0.15, limit=10))
    await closed_store.ping()
    await closed_store.close()
    with pytest.raises(StoreUnavailable):
        await waiting
    for operation in (
        closed_store.append_event(b"one", now=NOW),
        closed_store.read_events(start, wait_seconds=1, limit=10),
    ):
        with pytest.raises(StoreUnavailable):
            await operation


async def test_a_redis_that_lost_everything_began_another_log(redis_server: RedisServer) -> None:
    async with opened(RedisStore(redis_server.url)) as store:
        (place, _) = await _append(store, b"one", b"two")
        redis_server.stop()
        with pytest.raises(StoreUnavailable):
            await _read(store, place)
        with pytest.raises(StoreUnavailable):
            await store.append_event(b"lost", now=NOW)
        redis_server.start()
        await store.ping()
        await _append(store, b"three")
        batch = await store.read_events(place, wait_seconds=1, limit=10)
        assert not batch.is_whole
        assert [row for _, row in batch.rows] == [b"three"]


async def test_a_redis_that_lost_the_end_of_its_log_gives_out_no_id_twice(redis_server: RedisServer) -> None:
    """As a file that lacks its last second, or a replica that takes over: as many may come as were lost."""
    async with opened(RedisStore(redis_server.url)) as store:
        await _append(store, b"kept")
        assert redis_server.ask("save") == "OK"
        (lost,) = await _append(store, b"lost")
        redis_server.stop()
        with pytest.raises(StoreUnavailable):
            await _read(store, lost)
        redis_server.start()
        await store.ping()
        assert await _append(store, b"new") != [lost]
        batch = await store.read_events(lost, wait_seconds=0.1, limit=10)
        assert ([row for _, row in batch.rows], batch.is_whole) == ([b"new"], False)
        await _append(store, b"one more")
        batch = await store.read_events(batch.last, wait_seconds=0.1, limit=10)
        assert ([row for _, row in batch.rows], batch.is_whole) == ([b"one more"], True)


async def test_a_redis_log_forgets_by_itself(redis_store: RedisStore, redis_client: Redis) -> None:
    (place,) = await _append(redis_store, b"one")
    (name,) = await redis_client.keys("*events")
    assert 0 < await redis_client.pttl(name) <= 1000 * EVENT_LOG_SECONDS
    # As an event of ten minutes ago would stand there.
    old: Any = await redis_client.xrange(name)
    await redis_client.delete(name)
    for number in (1, 2, 3):
        aged = {**old[0][1], b"a": repr(time.time() - 2 * EVENTS_SECONDS)}
        await redis_client.xadd(name, aged, id=f"{place.epoch}-{number}")
    await _append(redis_store, b"new")
    batch = await _read(redis_store, place)
    assert ([row for _, row in batch.rows], batch.is_whole) == ([b"new"], False)


async def test_a_stream_of_somebody_elses_is_not_taken_for_the_log(
    redis_store: RedisStore, redis_client: Redis
) -> None:
    await redis_client.set("lexgate:{00}:events", "something else")
    with pytest.raises(StoreUnavailable):
        await redis_store.append_event(b"one", now=NOW)
    with pytest.raises(StoreUnavailable):
        await _end(redis_store)
