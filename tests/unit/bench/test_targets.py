"""The targets are judged by what was measured, and by nothing that went wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.reading import Load
from bench.report import build_measured_table, build_verdict_table
from bench.result import Alone, Burst, Row
from bench.targets import (
    APACHE,
    ENVOY,
    EXPRESS,
    LOGGING,
    NGINX,
    OAUTH2_PROXY,
    RATIOS,
    REDIS,
    SQLITE,
    Verdict,
    judge,
)

FIGURES = {
    SQLITE: (22_000, 10_000),
    REDIS: (21_000, 9_900),
    LOGGING: (17_600, 9_000),
    NGINX: (88_000, 16_000),
    ENVOY: (20_000, 10_000),
    APACHE: (9_000, 4_000),
    EXPRESS: (2_000, 1_900),
    OAUTH2_PROXY: (4_000, 3_000),
}
ALONE = Alone(
    direct_p50=0.2e-3,
    proxied_p50=0.6e-3,
    few=[],
    many=[],
    many_resident_bytes=120_000_000,
    idle_resident_bytes=60_000_000,
    ready_seconds=0.6,
)


def burst(per_cpu_second: float, errors: int = 0) -> Burst:
    load = Load(requests=int(per_cpu_second * 2), seconds=2, errors=errors, p50=0.001, p99=0.004)
    return Burst(load, cpu_seconds=2)


def row(name: str, *, errors: int = 0, p99: float = 0.004) -> Row:
    small, large = FIGURES[name]
    # The median is asked for: a bad and a good round change nothing.
    bursts = {
        document: [burst(figure / 3), burst(figure, errors), burst(figure * 2)]
        for document, figure in (("1k", small), ("100k", large))
    }
    half = [Load(requests=100, seconds=2, errors=0, p50=0.001, p99=p99)]
    return Row(name, "1.0", bursts, half, 50_000_000)


def alone(*, few: float = 20_000, many: float = 16_000, errors: int = 0) -> Alone:
    return replace(ALONE, few=[burst(few)], many=[burst(many, errors)])


def rows() -> dict[str, Row]:
    return {name: row(name) for name in FIGURES}


def verdicts(measured: dict[str, Row], by_itself: Alone | None = None) -> dict[str, Verdict]:
    return {verdict.what: verdict for verdict in judge(measured, by_itself)}


def test_the_issues_ratios_are_the_targets() -> None:
    assert {(document, peer): factor for document, peer, factor in RATIOS} == {
        ("1k", ENVOY): 1.1,
        ("1k", APACHE): 2,
        ("1k", EXPRESS): 6,
        ("1k", OAUTH2_PROXY): 4,
        ("1k", NGINX): 0.25,
        ("100k", ENVOY): 1,
        ("100k", APACHE): 1.3,
        ("100k", NGINX): 0.6,
    }


def test_a_ratio_is_met_from_its_target_on() -> None:
    judged = verdicts(rows())
    met = judged[f"1k: {SQLITE} / {ENVOY}"]
    assert (met.measured, met.is_met) == ("1.10", True)
    missed = judged[f"1k: {REDIS} / {ENVOY}"]
    assert (missed.measured, missed.is_met) == ("1.05", False)
    assert judged[f"1k: {SQLITE} / {NGINX}"].is_met is True
    assert judged[f"1k: {LOGGING} / without"].is_met is True


@pytest.mark.parametrize("broken", [SQLITE, ENVOY])
def test_a_row_with_errors_is_compared_with_nothing(broken: str) -> None:
    judged = verdicts(rows() | {broken: row(broken, errors=1)})
    assert judged[f"1k: {SQLITE} / {ENVOY}"].is_met is None
    assert judged[f"1k: {REDIS} / {APACHE}"].is_met is True


def test_a_row_with_errors_is_marked_in_the_table() -> None:
    table = build_measured_table(rows() | {ENVOY: row(ENVOY, errors=3)})
    (line,) = (line for line in table.splitlines() if ENVOY in line)
    assert "**invalid**" in line
    assert line.count(" - ") == 2, "its ratios are withheld"
    assert line.endswith("| 6 |")


def test_a_peer_that_is_not_there_is_not_judged() -> None:
    measured = rows()
    del measured[OAUTH2_PROXY]
    judged = verdicts(measured)
    assert judged[f"1k: {SQLITE} / {OAUTH2_PROXY}"] == Verdict(
        f"1k: {SQLITE} / {OAUTH2_PROXY}", ">= 4", "not measured", None
    )


def test_the_slowest_hundredth_is_not_above_any_peers() -> None:
    judged = verdicts(rows() | {SQLITE: row(SQLITE, p99=0.0041), EXPRESS: row(EXPRESS, p99=0.0041)})
    assert judged[f"p99 at half of its capacity: {SQLITE}, {ENVOY}"].is_met is False
    assert judged[f"p99 at half of its capacity: {SQLITE}, {EXPRESS}"].is_met is True


def test_what_lexgate_does_by_itself_is_judged() -> None:
    judged = list(judge({}, alone()))[-5:]
    assert [verdict.measured for verdict in judged] == ["0.40 ms", "120 MB", "0.80", "60 MB", "0.60 s"]
    assert all(verdict.is_met for verdict in judged)
    worse = replace(
        alone(many=15_000),
        proxied_p50=0.7e-3,
        many_resident_bytes=150_000_000,
        idle_resident_bytes=70_000_000,
    )
    assert [verdict.is_met for verdict in list(judge({}, worse))[-5:]] == [False, False, False, False, True]


def test_errors_with_many_connections_are_no_throughput() -> None:
    assert verdicts({}, alone(errors=4))[
        "requests per CPU second with 2,000 connections / with 32"
    ] == Verdict("requests per CPU second with 2,000 connections / with 32", ">= 0.8", "4 errors", None)


def test_the_table_says_of_every_target_whether_it_was_met() -> None:
    judged = [Verdict("a", ">= 1", "", is_met=met) for met in (True, False, None)]
    lines = build_verdict_table(judged).splitlines()[2:]
    assert [line.rpartition("| ")[2] for line in lines] == ["yes |", "**no** |", "- |"]
