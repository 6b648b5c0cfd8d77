"""What the rate limit allows, and how many calls must be made."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.lexoffice.arithmetic import Limit, count_needed
from bench.lexoffice.browser import Fetched
from bench.lexoffice.dashboard import CACHE, DASHBOARD, Asked
from bench.lexoffice.result import Load, Seen
from gateway.sandbox.limits import Limits

TWO_A_SECOND = Limit(2.0, 2)
LIST = next(asked for asked in DASHBOARD if asked.kind == "list")
SINGLE = next(asked for asked in DASHBOARD if asked.kind == "single")


def seen(asked: Asked, begin: float, end: float, path: str = "/api/v1/one", status: int = 200) -> Seen:
    return Seen(asked, path, Fetched(status, b"{}", 2, begin, end), 0, begin)


def load(*sessions: tuple[Seen, ...]) -> Load:
    return Load(sessions, upstream=0)


def test_the_dashboard_has_twenty_calls_and_eight_of_them_are_reference_data() -> None:
    kinds = [asked.kind for asked in DASHBOARD]
    assert len(kinds) == 20
    assert kinds.count("reference") == 8
    assert len({asked.path + asked.name for asked in DASHBOARD}) == 20


def test_the_dashboard_caches_what_the_presets_and_its_own_setting_name_and_nothing_else() -> None:
    named = (*CACHE, *(f"/api/v1/{name}" for name in ("profile", "countries", "payment-conditions")))
    named += tuple(f"/api/v1/{name}" for name in ("posting-categories", "print-layouts"))
    for asked in DASHBOARD:
        assert asked.is_cached == asked.path.partition("?")[0].startswith(named), asked


def test_no_more_than_a_quarter_of_the_dashboard_must_be_fetched_again() -> None:
    assert sum(not asked.is_cached for asked in DASHBOARD) <= len(DASHBOARD) / 4


def test_every_call_that_follows_another_follows_one_of_the_dashboards_lists() -> None:
    lists = {asked.name for asked in DASHBOARD if asked.kind == "list"}
    assert {asked.after for asked in DASHBOARD if asked.after} <= lists
    assert all(asked.after for asked in DASHBOARD if "{" in asked.path)


@pytest.mark.parametrize(
    ("calls", "seconds"), [(1, 0.0), (2, 0.0), (3, 0.5), (20, 9.0), (47, 22.5), (62, 30.0)]
)
def test_the_burst_is_free_and_every_further_call_takes_its_part_of_a_second(
    calls: int, seconds: float
) -> None:
    assert TWO_A_SECOND.seconds(calls) == seconds


def test_a_minute_has_room_for_rate_times_time_and_the_burst() -> None:
    assert TWO_A_SECOND.calls(60.0) == 122


@pytest.mark.parametrize(
    ("arrivals", "excess"),
    [
        ((0.0, 0.0, 0.5, 1.0), 0.0),
        ((0.0, 0.0, 0.4), 0.1),
        ((0.0, 0.6, 1.1, 1.6), -0.5),
        ((0.0, 0.0, 5.0, 5.0, 5.2), 0.3),
        ((5.2, 0.0, 5.0, 0.0, 5.0), 0.3),
    ],
    ids=["exact", "third too early", "slack", "a later window", "in any order"],
)
def test_an_arrival_is_too_early_if_any_window_up_to_it_holds_too_many(
    arrivals: tuple[float, ...], excess: float
) -> None:
    later = tuple(at + 100 for at in arrivals)
    assert TWO_A_SECOND.excess(later) == pytest.approx(excess)


def test_what_the_arithmetic_lets_through_the_sandbox_lets_through_too() -> None:
    limits, at = Limits(2.0, 2), [100.0, 100.0, 100.5, 103.0, 103.0, 103.5]
    assert TWO_A_SECOND.excess(at) <= 0
    assert all(limits.allows("one", now=moment) for moment in at)
    assert not limits.allows("one", now=103.9)
    assert TWO_A_SECOND.excess([*at, 103.9]) > 0


def test_what_is_cached_must_be_fetched_once_for_all_sessions() -> None:
    assert count_needed(load((seen(LIST, 0, 1), seen(LIST, 5, 6)), (seen(LIST, 9, 10),))) == 1


def test_calls_of_one_session_that_overlap_are_one() -> None:
    together = (seen(SINGLE, 0, 2), seen(SINGLE, 1, 2), seen(SINGLE, 2, 3))
    assert count_needed(load(together)) == 1
    assert count_needed(load((*together, seen(SINGLE, 3.1, 4)))) == 2
    assert count_needed(load((*together, seen(SINGLE, 0, 2, "/api/v1/other")))) == 2


def test_calls_of_two_sessions_are_never_one_unless_they_are_cached() -> None:
    assert count_needed(load((seen(SINGLE, 0, 2),), (seen(SINGLE, 0, 2),))) == 2


def test_a_load_knows_what_is_missing_and_how_long_it_took() -> None:
    slow, fast = seen(LIST, 1, 5), seen(SINGLE, 2, 3)
    refused = replace(seen(SINGLE, 2, 2.5, status=429), refusals=1)
    whole = load((slow, fast), (refused,))
    assert (whole.missing, whole.refusals, whole.seconds, whole.sent_bytes) == (1, 1, 4, 6)
    assert whole.longest_wait == 4


def test_a_session_that_waits_longer_than_the_others_is_told_by_its_calls_and_by_its_end() -> None:
    even = load((seen(LIST, 0, 2),), (seen(LIST, 1, 3),))
    assert even.unfairness == 1
    late_end = load((seen(LIST, 0, 1), seen(SINGLE, 0, 1)), (seen(LIST, 0, 0), seen(SINGLE, 0, 3)))
    assert late_end.unfairness == pytest.approx(1.5)
    all_late = load((seen(LIST, 0, 0), seen(SINGLE, 0, 3)), (seen(LIST, 0, 3), seen(SINGLE, 0, 3)))
    assert all_late.unfairness == pytest.approx(4 / 3)
