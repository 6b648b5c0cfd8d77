"""Streams are told in order, a portion at a time, and none that leaves or fails disturbs another."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from gateway.errors import TooManyStreams
from gateway.events.event import Event
from gateway.events.server_sent import build_heartbeat
from gateway.events.stream import MAX_UNREAD_BYTES, EventStream
from gateway.events.streams import HEARTBEAT_SECONDS, STREAMS_EACH, Streams
from gateway.observability.logs import RequestLog
from gateway.observability.metrics import Metrics

MANY = 700
"""More than are written to in one turn of the event loop."""


@dataclass
class Socket:
    """Takes options."""

    options: list[tuple[int, int, int]] = field(default_factory=list)

    def setsockopt(self, *option: int) -> None:
        self.options.append(cast("tuple[int, int, int]", option))


@dataclass
class Connection:
    """The server's end of a connection, and its transport; what was written is kept."""

    written: list[bytes] = field(default_factory=list)
    unread: int = 0
    socket: Socket = field(default_factory=Socket)
    state: str = "open"
    fails: bool = False

    @property
    def transport(self) -> Any:  # noqa: ANN401 - it stands for one
        return self

    def get_extra_info(self, _: str) -> Socket:
        return self.socket

    def write(self, data: bytes) -> None:
        if self.fails:
            raise RuntimeError
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def abort(self) -> None:
        self.state = "aborted"

    def close(self) -> None:
        self.state = "closed"

    def stream_ended(self) -> None:
        self.state = f"{self.state} and ended"

    def resources(self) -> list[bytes]:
        return [piece.split(b'"resource_id":"')[1][:2] for piece in self.written if b"resource_id" in piece]


@dataclass
class Watched:
    """A watched session that nobody asks about."""

    key: bytes
    is_watched: bool = True

    def stop(self) -> None:
        self.is_watched = False


class FixedBus:
    """A bus on which somebody else publishes."""

    last_id = "7-1"

    def __init__(self) -> None:
        self.kept: list[Event] = []

    def since(self, event_id: str) -> list[Event] | None:
        return self.kept if event_id.startswith("7-") else None


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("0")


@pytest.fixture
def bus() -> FixedBus:
    return FixedBus()


@pytest.fixture
def streams(bus: FixedBus, metrics: Metrics) -> Streams:
    return Streams(
        cast("Any", bus), metrics=metrics, request_log=RequestLog(), login_url="/login", version="0"
    )


def join(
    streams: Streams, *, key: bytes = b"s", organization: str | None = "o", last_event_id: str = ""
) -> tuple[EventStream, Connection]:
    streams.take_place(key)
    stream = EventStream(
        streams,
        cast("Any", Watched(key)),
        organization=organization,
        started=0,
        request_id="r",
        trace_id="t",
    )
    connection = Connection()
    stream.begin(connection, keep_alive=True, is_chunked=True)
    streams.join(stream, last_event_id=last_event_id)
    return stream, connection


def event(resource: str, number: int = 2, *, organization: str = "o") -> Event:
    return Event(
        type="invoice.changed", organization_id=organization, resource_id=resource, date="d", id=f"7-{number}"
    )


async def test_many_streams_are_told_in_portions_and_each_in_the_order_of_the_events(
    streams: Streams,
) -> None:
    connections = [join(streams, key=b"%d" % number)[1] for number in range(MANY)]
    for number, resource in enumerate(("r1", "r2", "r3"), 2):
        streams.heed(event(resource, number))
    told = sum(bool(connection.resources()) for connection in connections)
    assert 0 < told < MANY, "others had their turn"
    _, late = join(streams, key=b"late")
    for _ in range(20):
        await asyncio.sleep(0)
    assert all(connection.resources() == [b"r1", b"r2", b"r3"] for connection in connections)
    assert late.resources() == [], "it began after them"
    streams.heed(event("r4", 5))
    for _ in range(5):
        await asyncio.sleep(0)
    assert late.resources() == [b"r4"]


async def test_one_that_fails_keeps_nothing_from_the_others(
    streams: Streams, caplog: pytest.LogCaptureFixture
) -> None:
    members = [join(streams)[1] for _ in range(4)]
    members[1].fails = True
    for number, resource in enumerate(("r1", "r2"), 2):
        streams.heed(event(resource, number))
    assert [member.resources() for member in members] == [[b"r1", b"r2"], [], [b"r1", b"r2"], [b"r1", b"r2"]]
    assert caplog.text.count("a stream of events could not be written to") == 2


async def test_one_that_left_before_its_turn_is_not_written_to(streams: Streams, metrics: Metrics) -> None:
    members = [join(streams, key=b"%d" % number) for number in range(MANY)]
    streams.heed(event("r1"))
    waiting = [(stream, connection) for stream, connection in members if not connection.resources()]
    waiting[0][0].leave()
    waiting[0][0].leave()
    for _ in range(20):
        await asyncio.sleep(0)
    assert waiting[0][1].resources() == []
    assert waiting[1][1].resources() == [b"r1"]
    assert f"lexgate_event_streams {MANY - 1}.0" in metrics.render()[0].decode()


async def test_a_browser_that_lets_too_much_pile_up_is_left(streams: Streams) -> None:
    _, connection = join(streams)
    connection.unread = MAX_UNREAD_BYTES
    streams.heed(event("r1"))
    assert connection.state == "open"
    connection.unread += 1
    streams.heed(event("r2", 3))
    assert connection.state == "aborted"


async def test_a_gap_in_the_events_is_told_to_all_who_hear_of_books(streams: Streams) -> None:
    (_, member), (bystander_stream, bystander) = join(streams), join(streams, organization=None)
    streams.lose()
    bystander_stream.leave()
    assert member.written[-1].count(b"id: 7-1\nevent: missed\n") == 1
    assert not any(b"missed" in piece for piece in bystander.written)


async def test_who_cannot_be_told_what_was_missed_goes_on_from_here_once_told_so(streams: Streams) -> None:
    """A connection that ends in between leaves the browser where it was."""
    _, connection = join(streams, last_event_id="6-9")
    greeting = b"".join(connection.written)
    assert greeting.count(b"id: ") == 2
    assert b"\r\nevent: hello\n" in greeting
    assert b"id: 7-1\nevent: missed\n" in greeting


@pytest.mark.parametrize(("number", "is_told"), [(100, True), (500, False)])
async def test_so_much_that_asking_anew_is_less_is_not_told_again(
    streams: Streams, bus: FixedBus, number: int, *, is_told: bool
) -> None:
    bus.kept = [event("r1", 2 + each) for each in range(number)]
    bus.kept += [event("xx", 2000 + each, organization="another") for each in range(500)]
    _, connection = join(streams, last_event_id="7-1")
    assert len(connection.resources()) == (number if is_told else 0)
    assert (b"event: missed" in b"".join(connection.written)) is not is_told


async def test_a_session_has_five_places_and_gets_them_back(streams: Streams) -> None:
    members = [join(streams)[0] for _ in range(STREAMS_EACH)]
    with pytest.raises(TooManyStreams):
        join(streams)
    join(streams, key=b"another")
    members[2].leave()
    join(streams)
    with pytest.raises(TooManyStreams):
        join(streams)


async def test_a_draining_stream_is_whole_and_says_when_to_come_back(streams: Streams) -> None:
    stream, connection = join(streams)
    stream.drain()
    stream.drain()
    stream.session_ended("signed_out")
    assert connection.written[-2].split(b"\r\n")[1].startswith(b"retry: ")
    assert connection.written[-1] == b"0\r\n\r\n"
    assert (connection.state, stream.response_complete) == ("open and ended", True)
    pauses = {streams.choose_pause() for _ in range(50)}
    assert len(pauses) > 10, "not all in the same moment"
    assert min(pauses) >= 200


async def test_an_answer_without_chunks_ends_with_its_connection(streams: Streams) -> None:
    streams.take_place(b"s")
    stream = EventStream(
        streams, cast("Any", Watched(b"s")), organization="o", started=0, request_id="r", trace_id="t"
    )
    connection = Connection()
    stream.begin(connection, keep_alive=True, is_chunked=False)
    streams.join(stream, last_event_id="")
    stream.session_ended("idle")
    assert connection.state == "closed and ended"
    assert b"\r" not in b"".join(connection.written)


async def test_a_peer_that_is_gone_without_a_word_is_noticed(streams: Streams) -> None:
    _, connection = join(streams)
    assert connection.socket.options == [(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 45_000)]


async def test_every_stream_has_a_heartbeat_once_in_its_period_and_few_at_once(streams: Streams) -> None:
    members = [join(streams, key=b"%d" % number)[1] for number in range(HEARTBEAT_SECONDS * 2)]
    greeted = [len(connection.written) for connection in members]
    for _ in range(HEARTBEAT_SECONDS):
        before = sum(len(connection.written) for connection in members)
        streams._beat()  # noqa: SLF001 - a second passes
        assert sum(len(connection.written) for connection in members) == before + 2
    assert [len(connection.written) for connection in members] == [each + 1 for each in greeted]
    assert all(connection.written[-1] == build_heartbeat("7-1") for connection in members)
