"""Processes share what one of them fetched; nobody finds another connection's, nor what was changed since."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from gateway.proxy import peer_answers
from gateway.proxy.caching import Freshness
from gateway.proxy.peer_answers import MOST_BYTES, Fetch, PeerAnswers
from gateway.proxy.peer_record import PeerAnswer, pack_answer, unpack_answer
from gateway.proxy.sharing import SharedKey
from gateway.proxy.stored_answer import StoredAnswer
from gateway.sessions.keyring import Keyring
from gateway.sessions.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.sessions.kept_answers import AnswerClaim

_NOW = 1_800_000_000.0
_KEY = SharedKey(b"c" * 32, "/api", b"/v1/contacts?page=0", b"accept: application/json\r\n")
_ORGANIZATION = "nordlicht"


def _stored(body: bytes = b'{"a": 1}') -> StoredAnswer:
    return StoredAnswer(
        fields=[(b"content-language", b"de\xe4"), (b"etag", b'"x"')],
        content_type=b"application/json",
        body=body,
        etag=b'"x"',
        freshness=Freshness(60.0, 2.0, may_be_stale=True),
        wall=_NOW,
        monotonic=5.0,
        number=3,
        searched_for=b"Bearer the-token",
        resource="contacts",
    )


@asynccontextmanager
async def _two() -> AsyncIterator[tuple[PeerAnswers, PeerAnswers, MemoryStore]]:
    store = MemoryStore()
    await store.open()
    keyring = Keyring(["a secret of the operator's"])
    yield (
        PeerAnswers(store, keyring, clock=lambda: _NOW),
        PeerAnswers(store, keyring, clock=lambda: _NOW),
        store,
    )


async def _find(
    peers: PeerAnswers,
    key: SharedKey = _KEY,
    organization: str = _ORGANIZATION,
    connected_at: float = _NOW,
) -> PeerAnswer | Fetch | None:
    return await peers.find(
        key, organization=organization, connected_at=connected_at, resource="contacts", begin=lambda: None
    )


async def _fetch(peers: PeerAnswers, key: SharedKey = _KEY, organization: str = _ORGANIZATION) -> Fetch:
    found = await _find(peers, key, organization)
    assert isinstance(found, Fetch)
    return found


def test_what_is_written_down_is_read_again_and_holds_no_token() -> None:
    packed = pack_answer(_stored(b"\x00\xff\r\n"))
    assert b"the-token" not in packed
    assert unpack_answer(packed) == PeerAnswer(
        fields=[(b"content-language", b"de\xe4"), (b"etag", b'"x"')],
        content_type=b"application/json",
        etag=b'"x"',
        freshness=Freshness(60.0, 2.0, may_be_stale=True),
        wall=_NOW,
        body=b"\x00\xff\r\n",
    )


def test_another_versions_record_is_not_read() -> None:
    head = json.dumps({"v": 2}).encode()
    with pytest.raises(ValueError, match="version"):
        unpack_answer(len(head).to_bytes(4, "big") + head)


async def test_one_fetches_and_the_other_finds_it() -> None:
    async with _two() as (one, other, _):
        fetch = await _fetch(one)
        waiting = asyncio.create_task(_find(other))
        await fetch.keep(_stored(), seconds=60)
        found = await waiting
        assert isinstance(found, PeerAnswer)
        assert found.body == b'{"a": 1}'


async def test_one_that_gives_up_lets_the_other_fetch() -> None:
    async with _two() as (one, other, _):
        fetch = await _fetch(one)
        waiting = asyncio.create_task(_fetch(other))
        await fetch.release()
        await (await waiting).release()


async def test_who_waits_long_holds_on_to_its_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_answers, "_LEASE_SECONDS", 5.0)
    monkeypatch.setattr(peer_answers, "_RENEW_SECONDS", 0.01)
    now = [_NOW]
    store = MemoryStore()
    await store.open()
    peers = PeerAnswers(store, Keyring(["a secret"]), clock=lambda: now[0])
    fetch = await _fetch(peers)
    waiting = asyncio.create_task(_find(peers))
    for _ in range(10):
        now[0] += 4.0
        await asyncio.sleep(0.03)
    assert not waiting.done()
    await fetch.keep(_stored(), seconds=60)
    assert isinstance(await waiting, PeerAnswer)


@pytest.mark.parametrize(
    "key",
    [
        _KEY._replace(owner=b"d" * 32),
        _KEY._replace(target=b"/v1/contacts?page=1"),
        _KEY._replace(lines=b"accept: text/plain\r\n"),
        _KEY._replace(prefix="/api/v1"),
        # The parts of a key do not run into each other.
        _KEY._replace(target=_KEY.target[:-1], lines=_KEY.target[-1:] + _KEY.lines),
    ],
)
async def test_another_key_finds_nothing(key: SharedKey) -> None:
    async with _two() as (one, other, _):
        await (await _fetch(one)).keep(_stored(), seconds=60)
        await (await _fetch(other, key)).release()


async def test_a_connection_that_was_made_anew_finds_nothing_of_before() -> None:
    async with _two() as (one, other, _):
        await (await _fetch(one)).keep(_stored(), seconds=60)
        assert isinstance(await _find(other, connected_at=_NOW + 1), Fetch)


async def test_another_organization_finds_nothing() -> None:
    async with _two() as (one, other, _):
        await (await _fetch(one)).keep(_stored(), seconds=60)
        await (await _fetch(other, organization="rebenhof")).release()


@pytest.mark.parametrize("touched", [None, frozenset({"contacts"}), frozenset({"articles", "contacts"})])
async def test_what_was_touched_is_found_no_more(touched: frozenset[str] | None) -> None:
    async with _two() as (one, other, _):
        await (await _fetch(one)).keep(_stored(), seconds=60)
        await other.forget(touched, organization=_ORGANIZATION)
        await (await _fetch(one)).release()


async def test_what_was_not_touched_stays() -> None:
    async with _two() as (one, other, _):
        await (await _fetch(one)).keep(_stored(), seconds=60)
        await other.forget(frozenset({"articles"}), organization=_ORGANIZATION)
        await other.forget(None, organization="rebenhof")
        assert isinstance(await _find(one), PeerAnswer)


async def test_an_answer_fetched_before_something_was_touched_is_not_found() -> None:
    async with _two() as (one, other, _):
        before = await _fetch(one)
        await other.forget(frozenset({"contacts"}), organization=_ORGANIZATION)
        await before.keep(_stored(), seconds=60)
        await (await _fetch(other)).release()


@pytest.mark.parametrize(("size", "seconds"), [(MOST_BYTES, 60.0), (10, 0.0)])
async def test_what_is_large_or_over_is_for_one_alone(size: int, seconds: float) -> None:
    async with _two() as (one, other, _):
        await (await _fetch(one)).keep(_stored(b"x" * size), seconds=seconds)
        await (await _fetch(other)).release()


async def test_without_the_store_each_fetches_for_itself() -> None:
    async with _two() as (one, _, store):
        fetch = await _fetch(one)
        await store.close()
        assert await _find(one) is None
        await fetch.keep(_stored(), seconds=60)
        await fetch.release()


async def test_a_record_that_was_moved_or_made_elsewhere_is_not_served() -> None:
    async with _two() as (one, _, store):
        await (await _fetch(one)).keep(_stored(), seconds=60)
        foreign = PeerAnswers(store, Keyring(["another secret"]), clock=lambda: _NOW)
        assert await _find(foreign) is None


class _SlowStore:
    """A store whose claims are performed at once, and answered when `gate` is set."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.gate = asyncio.Event()
        self.asked = asyncio.Queue[None]()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any other operation
        return getattr(self._store, name)

    async def claim_answer(self, *values: Any, **named: Any) -> AnswerClaim:  # noqa: ANN401 - as the store's
        claim = await self._store.claim_answer(*values, **named)
        self.asked.put_nowait(None)
        await self.gate.wait()
        return claim


async def _slow_and_other() -> tuple[PeerAnswers, _SlowStore, PeerAnswers]:
    store = MemoryStore()
    await store.open()
    slow, keyring = _SlowStore(store), Keyring(["a secret of the operator's"])
    return (
        PeerAnswers(slow, keyring, clock=lambda: _NOW),
        slow,
        PeerAnswers(store, keyring, clock=lambda: _NOW),
    )


async def test_who_leaves_while_the_store_grants_holds_nobody_up() -> None:
    """The clock stands still: no lease runs out here."""
    one, slow, other = await _slow_and_other()
    leaving = asyncio.create_task(_find(one))
    await slow.asked.get()
    leaving.cancel()
    await asyncio.wait([leaving])
    slow.gate.set()
    await (await asyncio.wait_for(_fetch(other), 5)).release()


async def test_who_is_cancelled_twice_holds_on_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    one, slow, _ = await _slow_and_other()
    slow.gate.set()
    fetch = await _fetch(one)
    monkeypatch.setattr(peer_answers, "_RENEW_SECONDS", 0.0)
    fetch._renewing.cancel()  # noqa: SLF001 - to begin at once with a renewal that is under way
    slow.gate.clear()
    renewing = fetch._renewing = asyncio.create_task(fetch._renew())  # noqa: SLF001 - the same
    await slow.asked.get()
    await slow.asked.get()
    releasing = asyncio.create_task(fetch.release())
    await asyncio.sleep(0)
    releasing.cancel()
    await asyncio.wait([releasing])
    slow.gate.set()
    await asyncio.wait_for(renewing, 5)


async def test_nobody_waits_for_a_fetch_that_is_outdated_however_long_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peer_answers, "_RENEW_SECONDS", 0.01)
    async with _two() as (one, other, _):
        before = await _fetch(one)
        await other.forget(frozenset({"contacts"}), organization=_ORGANIZATION)
        await asyncio.wait_for(before._renewing, 5)  # noqa: SLF001 - it renews no more
        await (await asyncio.wait_for(_fetch(other), 5)).release()
        await before.keep(_stored(), seconds=60)


async def test_nothing_is_found_while_the_store_is_doubted() -> None:
    async with _two() as (one, other, _):
        await (await _fetch(one)).keep(_stored(), seconds=60)
        other.doubt(_ORGANIZATION)
        other.doubt(_ORGANIZATION)
        other.trust(_ORGANIZATION)
        assert await _find(other) is None
        assert isinstance(await _find(one), PeerAnswer)
        other.trust(_ORGANIZATION)
        assert isinstance(await _find(other), PeerAnswer)
