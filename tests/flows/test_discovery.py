"""Discovery is fetched once for all who wait, and what was known serves on while it fails."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

from gateway.authorization_server.connection import Connection
from gateway.authorization_server.published import Published
from gateway.errors import AuthorizationServerUnreachable
from tests.support.wire import Heard, Reply, Wire, reply, running_wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture
def wire() -> Iterator[Wire]:
    with running_wire() as wire:
        yield wire


@pytest.fixture
async def connection() -> AsyncIterator[Connection]:
    connection = Connection()
    yield connection
    await connection.close()


def answer_metadata(wire: Wire) -> Reply:
    document = {
        "issuer": wire.url,
        "authorization_endpoint": f"{wire.url}/authorize",
        "token_endpoint": f"{wire.url}/token",
    }
    return reply(200, json.dumps(document).encode())


async def test_who_waits_for_discovery_waits_for_the_same_fetch(wire: Wire, connection: Connection) -> None:
    def fail_late(_heard: Heard) -> Reply:
        threading.Event().wait(0.2)  # long enough for the others to come
        return reply(500)

    wire.script = fail_late
    published = Published(issuer=wire.url, metadata=None, connection=connection, clock=time.time)
    outcomes = await asyncio.gather(*(published.metadata() for _ in range(5)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [AuthorizationServerUnreachable] * 5
    assert len(wire.heard) == 1

    wire.script = lambda _heard: answer_metadata(wire)
    assert (await published.metadata()).token_endpoint == f"{wire.url}/token", "a failure is not remembered"


async def test_known_metadata_serve_on_while_discovery_fails(wire: Wire, connection: Connection) -> None:
    now = [1_790_000_000.0]
    wire.script = lambda _heard: answer_metadata(wire)
    published = Published(issuer=wire.url, metadata=None, connection=connection, clock=lambda: now[0])
    known = await published.metadata()
    wire.script = lambda _heard: reply(503)
    now[0] += 3601
    assert await published.metadata() == known
    assert len(wire.heard) == 2
