"""What the private cache holds, for whom, and what makes it forget."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from gateway.observability.metrics import Metrics
from gateway.proxy.caching import Freshness
from gateway.proxy.response_cache import UNSETTLED_SECONDS, Reading, ResponseCache
from gateway.proxy.sharing import SharedKey
from gateway.proxy.stored_answer import StoredAnswer

ANNA, JONAS, STRANGER = b"anna's grant", b"jonas's grant", b"a stranger's grant"
SESSION = b"a session"
LIMIT = 80_000


@dataclass
class Times:
    """Both clocks."""

    wall: float = 1_790_000_000.0
    monotonic: float = 1000.0


@dataclass
class Bench:
    """A cache with clocks that stand still."""

    times: Times = field(default_factory=Times)
    metrics: Metrics = field(default_factory=lambda: Metrics("0"))
    cache: ResponseCache = field(init=False)

    def __post_init__(self) -> None:
        self.cache = ResponseCache(
            limit=LIMIT,
            clock=lambda: self.times.wall,
            monotonic=lambda: self.times.monotonic,
            metrics=self.metrics,
        )

    def read(
        self, owner: bytes = ANNA, *, organization: str | None = "org", session: bytes = SESSION
    ) -> Reading:
        return self.cache.begin_reading(session, owner, organization)

    def keep(
        self,
        owner: bytes = ANNA,
        target: bytes = b"/a",
        *,
        size: int = 100,
        organization: str | None = "org",
        resource: str | None = None,
        session: bytes = SESSION,
        reading: Reading | None = None,
    ) -> bool:
        reading = reading or self.read(owner, organization=organization, session=session)
        stored = build(reading, size=size, resource=resource)
        try:
            return self.cache.store(key(owner, target), stored, reading)
        finally:
            self.cache.end_reading(reading)

    def has(self, owner: bytes = ANNA, target: bytes = b"/a", *, session: bytes = SESSION) -> bool:
        return self.cache.find(key(owner, target), session=session) is not None

    def size(self) -> float:
        page = self.metrics.render()[0].decode()
        (line,) = (line for line in page.splitlines() if line.startswith("lexgate_cache_bytes "))
        return float(line.split()[1])


def key(owner: bytes, target: bytes) -> SharedKey:
    return SharedKey(owner, "/api", target, b"")


def build(reading: Reading, *, size: int = 100, resource: str | None = None) -> StoredAnswer:
    return StoredAnswer(
        fields=[],
        content_type=None,
        body=bytes(size),
        etag=b'"x"',
        freshness=Freshness(60.0, 0.0, may_be_stale=True),
        wall=reading.wall,
        monotonic=reading.monotonic,
        number=reading.number,
        searched_for=b"",
        resource=resource,
    )


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_what_is_stored_is_found_under_its_connection_alone(bench: Bench) -> None:
    assert bench.keep()
    assert bench.has()
    assert not bench.has(JONAS)
    assert not bench.has(target=b"/b")
    bench.cache.close()
    assert not bench.has()
    assert bench.size() == 0


async def test_it_stays_within_its_bound_and_drops_what_was_not_used_for_longest(bench: Bench) -> None:
    targets = [b"/%d" % number for number in range(12)]
    for target in targets:
        assert bench.keep(target=target, size=8000)
        assert bench.has(target=targets[0])
        assert bench.size() <= LIMIT
    assert [bench.has(target=target) for target in targets] == [True] + [False] * 4 + [True] * 7
    bench.cache.close()


async def test_one_answer_takes_an_eighth_at_most(bench: Bench) -> None:
    assert bench.cache.most_bytes == LIMIT // 8
    assert not bench.keep(size=LIMIT // 8)
    assert bench.size() == 0


async def test_of_two_answers_the_one_that_was_asked_for_later_stays(bench: Bench) -> None:
    early, late = bench.read(), bench.read()
    assert bench.keep(reading=late, size=200)
    assert not bench.keep(reading=early)
    assert bench.keep(size=300)
    found = bench.cache.find(key(ANNA, b"/a"), session=SESSION)
    assert found is not None
    assert len(found.body) == 300
    assert bench.size() == found.size
    bench.cache.close()


async def test_what_was_read_before_something_was_forgotten_is_not_stored(bench: Bench) -> None:
    mine, foreign, unknown = (
        bench.read(),
        bench.read(STRANGER, organization="other"),
        bench.read(JONAS, organization=None),
    )
    bench.cache.forget(frozenset({"contacts"}), connection=ANNA, organization="org")
    assert mine.is_outdated
    assert unknown.is_outdated
    assert not foreign.is_outdated
    assert not bench.keep(reading=mine)
    assert bench.keep(reading=bench.read())
    bench.cache.close()


async def test_forgetting_is_of_resources_in_a_connection_or_an_organization(bench: Bench) -> None:
    def fill() -> None:
        bench.keep(ANNA, b"/contacts", resource="contacts")
        bench.keep(ANNA, b"/profile", resource="profile")
        bench.keep(ANNA, b"/other", resource=None)
        bench.keep(JONAS, b"/contacts", resource="contacts")
        bench.keep(STRANGER, b"/contacts", resource="contacts", organization="other")

    def left() -> set[tuple[bytes, bytes]]:
        asked = [(owner, b"/contacts") for owner in (ANNA, JONAS, STRANGER)]
        return {each for each in [*asked, (ANNA, b"/profile"), (ANNA, b"/other")] if bench.has(*each)}

    fill()
    bench.cache.forget(frozenset({"contacts"}), connection=ANNA)
    assert left() == {(ANNA, b"/profile"), (JONAS, b"/contacts"), (STRANGER, b"/contacts")}
    fill()
    bench.cache.forget(frozenset({"contacts"}), organization="org")
    assert left() == {(ANNA, b"/profile"), (STRANGER, b"/contacts")}
    fill()
    bench.cache.forget(frozenset())
    assert left() >= {(ANNA, b"/contacts"), (STRANGER, b"/contacts")}
    fill()
    bench.cache.forget_connection(ANNA)
    assert left() == {(JONAS, b"/contacts"), (STRANGER, b"/contacts")}
    fill()
    bench.cache.forget_everything()
    assert left() == set()


async def test_a_connection_whose_organization_is_unknown_is_of_every_one(bench: Bench) -> None:
    bench.keep(organization=None)
    bench.cache.forget(None, organization="any")
    assert not bench.has()


async def test_after_a_write_that_may_go_on_nothing_is_kept_for_a_while(bench: Bench) -> None:
    bench.cache.doubt(ANNA)
    assert not bench.keep()
    assert bench.keep(JONAS)
    bench.times.monotonic += UNSETTLED_SECONDS
    assert bench.keep()
    bench.cache.close()


async def test_the_end_of_a_session_empties_its_connection_and_outdates_what_it_reads(bench: Bench) -> None:
    bench.keep(session=b"one")
    assert bench.has(session=b"two")
    reading = bench.read(session=b"three")
    bench.cache.heed([b"three", b"nobody"])
    assert reading.is_outdated
    assert bench.has(session=b"two")
    bench.cache.heed(frozenset({b"two"}))
    assert not bench.has()
    bench.keep(session=b"one")
    bench.cache.heed([b"two"])
    assert bench.has()
    bench.cache.close()


async def test_what_a_grant_keeps_outlives_its_refresh_and_not_its_end(bench: Bench) -> None:
    bench.keep(ANNA)
    bench.keep(JONAS)
    bench.cache.heed([ANNA, JONAS])
    assert bench.has(ANNA), "somebody was admitted after the refresh"
    bench.cache._reap()  # noqa: SLF001 - half a minute later
    assert (bench.has(ANNA), bench.has(JONAS)) == (True, False)
    bench.cache.heed(None)
    bench.cache._reap()  # noqa: SLF001 - half a minute later
    assert not bench.has(ANNA)
    bench.cache.close()


@pytest.mark.parametrize("clock", ["wall", "monotonic"])
async def test_what_is_over_by_either_clock_is_dropped(bench: Bench, clock: str) -> None:
    bench.keep()
    found = bench.cache.find(key(ANNA, b"/a"), session=SESSION)
    assert found is not None
    setattr(bench.times, clock, getattr(bench.times, clock) + 59)
    assert bench.cache.age(found) == 59
    bench.cache._reap()  # noqa: SLF001 - half a minute later
    assert bench.has()
    setattr(bench.times, clock, getattr(bench.times, clock) + 1)
    bench.cache._reap()  # noqa: SLF001 - half a minute later
    assert not bench.has()
    bench.cache.close()


async def test_a_clock_that_is_set_back_makes_nothing_younger(bench: Bench) -> None:
    bench.keep()
    reading = bench.read()
    found = bench.cache.find(key(ANNA, b"/a"), session=SESSION)
    assert found is not None
    bench.times.monotonic += 30
    bench.times.wall -= 3600
    assert bench.cache.age(found) == 30
    assert bench.cache.since(reading) == 30
    bench.cache.close()


async def test_no_timer_is_left_for_what_is_not_there(bench: Bench) -> None:
    bench.keep()
    assert bench.cache._reaping is not None  # noqa: SLF001 - a timer is seen nowhere else
    bench.cache.forget_everything()
    bench.cache._reap()  # noqa: SLF001 - as above
    assert bench.cache._reaping is None  # noqa: SLF001 - as above
