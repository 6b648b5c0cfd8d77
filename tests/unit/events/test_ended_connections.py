"""One replica ends the sessions of an ended connection; the others see to it should that one die."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import StoreUnavailable
from gateway.events import ended_connections
from gateway.events.ended_connections import EndedConnections
from gateway.events.event import TOKEN_REVOKED, Event
from gateway.observability.audit import Audit
from gateway.observability.metrics import Metrics
from gateway.sessions.keyring import Keyring
from gateway.sessions.memory import MemoryStore
from gateway.sessions.vault import Ended
from tests.unit.sessions.sign_ins import NOW, OLD, begin, build_vault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.sessions.session import Session
    from gateway.sessions.vault import Vault

CONNECTION = "a-connection"


@pytest.fixture
async def vault() -> AsyncIterator[Vault]:
    store = MemoryStore()
    await store.open()
    yield build_vault(store, OLD)
    await store.close()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_SECOND_SECONDS", "_REST_SECONDS"):
        monkeypatch.setattr(ended_connections, name, 0.001)


@asynccontextmanager
async def replica(vault: Vault) -> AsyncIterator[EndedConnections]:
    ended = EndedConnections(
        issuer="https://as.example",
        vault=vault,
        keyring=Keyring([OLD]),
        audit=Audit(),
        metrics=Metrics("1"),
        clock=lambda: NOW + 10,
    )
    yield ended
    await ended.close()


def event(*, at: float = NOW + 5, **changes: str) -> Event:
    members = {
        "type": TOKEN_REVOKED,
        "id": "7-1",
        "resource_id": CONNECTION,
        "date": datetime.fromtimestamp(at, UTC).isoformat(),
    }
    return Event(**{**members, **changes})  # type: ignore[arg-type] # all are texts


async def sign_in(vault: Vault, name: str, *, now: float = NOW, sid: str = CONNECTION) -> Session:
    session, _ = await begin(vault, name, sid=sid, now=now)
    return session


async def reason(vault: Vault, session: Session) -> str | None:
    found = await vault.read(session.key, now=NOW + 10)
    return found.reason if isinstance(found, Ended) else None


async def done(*replicas: EndedConnections) -> None:
    for each in replicas:
        await asyncio.gather(*each._under_way)  # noqa: SLF001 - nothing else tells when it is done


async def test_each_end_is_logged_once_however_many_replicas_hear(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    sessions = [await sign_in(vault, name) for name in ("a", "b")]
    async with replica(vault) as one, replica(vault) as other, replica(vault) as third:
        with caplog.at_level(logging.INFO, "gateway.audit"):
            for each in (one, other, third):
                each.heed(event())
            await done(one, other, third)
    assert [await reason(vault, session) for session in sessions] == ["grant_ended"] * 2
    assert [record.message for record in caplog.records] == ["session_ended"] * 2


async def test_a_replica_that_dies_is_stood_in_for(vault: Vault) -> None:
    session = await sign_in(vault, "a")
    async with replica(vault) as one, replica(vault) as other:
        one.heed(event())
        other.heed(event())
        await asyncio.sleep(0)
        await one.close()
        await done(other)
    assert await reason(vault, session) == "grant_ended"


async def test_sessions_that_began_later_and_of_others_stay(vault: Vault) -> None:
    later = await sign_in(vault, "a", now=NOW + 6)
    another = await sign_in(vault, "b", sid="another")
    async with replica(vault) as one:
        one.heed(event())
        await done(one)
    assert [await reason(vault, session) for session in (later, another)] == [None, None]


@pytest.mark.parametrize("changes", [{"type": "contact.changed"}, {"resource_id": ""}, {"date": ""}])
async def test_other_events_end_nothing(vault: Vault, changes: Any) -> None:  # noqa: ANN401 - any of an event's members
    session = await sign_in(vault, "a")
    async with replica(vault) as one:
        one.heed(event(**changes))
        assert not one._under_way  # noqa: SLF001 - that is the point
    assert await reason(vault, session) is None


async def test_an_outage_of_the_store_is_waited_out(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    session = await sign_in(vault, "a")
    failures = iter([True, True, False, False])
    listed = MemoryStore.list_sessions

    async def sometimes(self: MemoryStore, index_key: bytes) -> object:
        if next(failures):
            raise StoreUnavailable
        return await listed(self, index_key)

    monkeypatch.setattr(MemoryStore, "list_sessions", sometimes)
    async with replica(vault) as one:
        one.heed(event())
        await done(one)
    assert await reason(vault, session) == "grant_ended"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (StoreUnavailable(), "were not ended: store_unavailable"),
        (RuntimeError("a defect"), "failed unexpectedly"),
    ],
)
async def test_what_cannot_be_done_is_given_up_and_told(
    vault: Vault,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    told: str,
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(ended_connections, "EVENTS_SECONDS", 0.0)
    monkeypatch.setattr(MemoryStore, "spend_once", fail)
    async with replica(vault) as one:
        one.heed(event())
        await done(one)
    assert told in caplog.text
