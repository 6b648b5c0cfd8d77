"""Writes told to other processes, and what they and lexoffice tell heeded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from gateway import cache_events
from gateway.cache_events import CacheEvents, pack_written
from gateway.errors import StoreUnavailable
from gateway.events.event import CACHE, Event
from gateway.proxy.response_cache import Written

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

GRANT = b"\x01" * 32


class WrittenDown:
    """Stands for cache and bus, and writes down what they are told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.published: list[Event] = []
        self.failures = 0

    def forget(self, resources: object, *, connection: object = None, organization: object = None) -> None:
        self.told.append((resources, connection, organization))

    def forget_everything(self) -> None:
        self.told.append(("everything",))

    def doubt(self, connection: bytes) -> None:
        self.told.append(("doubt", connection))

    def subscribe(self, heed: Callable[[Event], None], *, lose: Callable[[], None]) -> None:
        self.heed, self.lose = heed, lose

    async def publish(self, event: Event) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable
        self.published.append(event)


def build() -> tuple[CacheEvents, WrittenDown]:
    told = WrittenDown()
    return CacheEvents(cast("Any", told), cast("Any", told), None), told


def test_what_lexoffice_tells_of_is_forgotten_in_its_organization() -> None:
    _, told = build()
    told.heed(Event(type="article.changed", organization_id="org"))
    told.heed(Event(type="unheard.of", organization_id="org"))
    told.heed(Event(type="token.revoked", organization_id="org"))
    assert told.told == [
        (frozenset({"articles"}), None, "org"),
        (None, None, "org"),
        (frozenset(), None, "org"),
    ]


def test_what_was_missed_means_everything() -> None:
    _, told = build()
    told.lose()
    assert told.told == [("everything",)]


async def test_a_write_reaches_the_others_and_not_itself() -> None:
    here, told = build()
    written = Written(GRANT, "org", frozenset({"articles", "files"}), is_open=False)
    here.announce(written)
    await asyncio.gather(*here._telling)  # noqa: SLF001 - what it began
    (event,) = told.published
    told.heed(event)
    assert told.told == []
    _, there = build()
    there.heed(event)
    assert there.told == [(frozenset({"articles", "files"}), GRANT, "org")]


async def test_a_write_that_may_go_on_is_doubted_everywhere() -> None:
    there, told = build()
    told.heed(pack_written(Written(GRANT, None, None, is_open=True), sender="other"))
    await asyncio.gather(*there._telling)  # noqa: SLF001 - what it began
    assert told.published == []
    assert told.told == [("doubt", GRANT), (None, GRANT, None)]


def test_a_message_of_another_version_means_everything() -> None:
    _, there = build()
    there.heed(Event(type=CACHE))
    assert there.told == [(None, None, None)]


async def test_it_is_told_once_the_store_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_events, "_AGAIN_SECONDS", 0)
    here, told = build()
    told.failures = 3
    here.announce(Written(GRANT, None, None, is_open=False))
    await asyncio.gather(*here._telling)  # noqa: SLF001 - what it began
    assert len(told.published) == 1


async def test_it_is_told_however_long_the_store_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One message of a kind is enough: who writes while the store is away takes up no memory."""
    monkeypatch.setattr(cache_events, "_AGAIN_SECONDS", 0)
    monkeypatch.setattr(cache_events, "_LATER_SECONDS", 0)
    here, told = build()
    told.failures = 1000
    for _ in range(5):
        here.announce(Written(GRANT, None, None, is_open=False))
    other = here.announce(Written(GRANT, None, frozenset({"articles"}), is_open=False))
    for _ in range(200):
        await asyncio.sleep(0)
    assert len(here._telling) == 2  # noqa: SLF001 - what it began
    assert caplog.text.count("cannot be told") == 2
    await other
    await asyncio.gather(*here._telling)  # noqa: SLF001 - the same
    assert len(told.published) == 2
    assert here._owed == set()  # noqa: SLF001 - the same


async def test_closing_ends_what_could_not_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_events, "_AGAIN_SECONDS", 1000)
    here, told = build()
    told.failures = 1000
    here.announce(Written(GRANT, None, None, is_open=False))
    await here.close()
    assert told.published == []


class Peers:
    """Stands for the second level, and writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    async def forget(self, resources: object, *, organization: str) -> None:
        self.told.append((resources, organization))

    def doubt(self, organization: str) -> None:
        self.told.append(("doubt", organization))

    def trust(self, organization: str) -> None:
        self.told.append(("trust", organization))


async def test_the_store_is_doubted_from_the_write_until_it_is_forgotten_there() -> None:
    peers = Peers()
    here = CacheEvents(cast("Any", WrittenDown()), cast("Any", WrittenDown()), cast("Any", peers))
    telling = here.announce(Written(GRANT, "org", frozenset({"articles"}), is_open=False))
    assert peers.told == [("doubt", "org")]
    await telling
    await asyncio.sleep(0)
    assert peers.told == [("doubt", "org"), (frozenset({"articles"}), "org"), ("trust", "org")]


async def test_what_was_fetched_here_before_an_open_write_was_told_is_forgotten_in_the_store() -> None:
    peers = Peers()
    there = CacheEvents(cast("Any", WrittenDown()), cast("Any", WrittenDown()), cast("Any", peers))
    there.heed(pack_written(Written(GRANT, "org", None, is_open=True), sender="other"))
    await asyncio.gather(*there._telling)  # noqa: SLF001 - what it began
    assert (None, "org") in peers.told
