"""Opening a stream leaves nothing behind if it comes to nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import SessionRequired, StoreUnavailable
from gateway.events.auth_events import AuthEvents
from gateway.events.bus import Bus
from gateway.events.streams import PATH, STREAMS_EACH, Streams
from gateway.observability.exchange import Exchange, note_exchange
from gateway.observability.logs import RequestLog
from gateway.observability.metrics import Metrics
from gateway.observability.tracing import continue_trace
from gateway.sessions.memory import MemoryStore
from tests.support.opened import CountedStore, Stage, build_opened, id_of
from tests.support.running import Clock
from tests.unit.sessions import sign_ins

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.events.stream import EventStream

SECRET = "a secret for tests, which is long enough by far"


@dataclass
class Connection:
    """A browser that has left, or leaves."""

    has_left: bool = False
    begun: list[EventStream] = field(default_factory=list)

    def begin_stream(self, stream: EventStream, status: int, fields: bytes) -> bool:
        assert (status, b"text/event-stream" in fields) == (200, True)
        self.begun.append(stream)
        return False

    def end_stream_if_draining(self, _: EventStream) -> None:
        raise AssertionError


@dataclass
class Door:
    """One process's endpoint, and the parts that a request must leave as they were."""

    stage: Stage
    store: CountedStore
    connection: Connection | None
    streams: Streams
    app: AuthEvents
    status: int = 0

    async def knock(self) -> None:
        scope: dict[str, Any] = {
            "method": "GET",
            "headers": [(b"cookie", self.stage.cookie())],
            "query_string": b"",
        }
        exchange = Exchange(continue_trace(None, None), lambda: "")
        note_exchange(scope, exchange)
        try:
            await self.app(scope, None, None)  # type: ignore[arg-type] # it uses neither
        finally:
            assert (exchange.route, exchange.status, exchange.is_told_later) == (PATH, 0, False)

    def is_as_before(self) -> bool:
        return not self.stage.opened.lives.is_in_use and not self.streams._places  # noqa: SLF001 - nothing else tells


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    clock, metrics = Clock(sign_ins.NOW), Metrics("0")
    store = MemoryStore()
    await store.open()
    counted = CountedStore(store)
    async with build_opened(counted, SECRET, clock=clock, monotonic=Clock(0)) as stage:
        bus = Bus(store, stage.keyring, clock=clock)
        streams = Streams(bus, metrics=metrics, request_log=RequestLog(), login_url="/login", version="0")
        door = Door(stage, counted, Connection(), streams, app=None)  # type: ignore[arg-type] # follows
        door.app = AuthEvents(
            authentication=stage.opened._authentication,  # noqa: SLF001 - the same one
            opened=stage.opened,
            streams=streams,
            metrics=metrics,
            connection_of=lambda _: door.connection,
            public_origin="https://app.example",
            sibling_origins=frozenset(),
            guard_fields=(),
            clock=clock,
        )
        await sign_ins.begin(stage.vault, id_of("id"))
        yield door
    await store.close()


@pytest.mark.parametrize("has_left", [True, False], ids=["before", "in the same moment"])
async def test_a_browser_that_leaves_while_it_is_let_in_holds_nothing(door: Door, *, has_left: bool) -> None:
    for _ in range(STREAMS_EACH + 1):
        door.connection = Connection(has_left)
        await door.knock()
        assert len(door.connection.begun) == (not has_left)
    assert door.is_as_before()


async def test_a_store_that_is_away_holds_no_place(door: Door) -> None:
    door.store.is_away = True
    for _ in range(STREAMS_EACH + 1):
        with pytest.raises(StoreUnavailable):
            await door.knock()
    assert door.is_as_before()


async def test_a_session_that_has_ended_holds_no_place(door: Door) -> None:
    key = door.stage.opened._authentication.presented_key([(b"cookie", door.stage.cookie())])  # noqa: SLF001 - the same one
    assert key is not None
    await door.stage.vault.end(key, reason="signed_out", now=sign_ins.NOW)
    for _ in range(STREAMS_EACH + 1):
        with pytest.raises(SessionRequired) as refused:
            await door.knock()
        assert refused.value.reason == "signed_out"
    assert door.is_as_before()


async def test_a_server_that_offers_no_connection_is_a_defect(door: Door) -> None:
    door.connection = None
    with pytest.raises(RuntimeError):
        await door.knock()
    assert door.is_as_before()
