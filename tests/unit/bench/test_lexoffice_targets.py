"""The dashboard's targets are judged by lexgate's rows alone, and by nothing that went wrong."""

from __future__ import annotations

from dataclasses import replace

from bench.lexoffice.arithmetic import Limit
from bench.lexoffice.browser import Fetched
from bench.lexoffice.dashboard import DASHBOARD
from bench.lexoffice.report import build_dashboard_table, build_measured_table
from bench.lexoffice.result import Load, Row, Seen
from bench.lexoffice.scenario import LEXGATE, PLAIN, SCENARIOS
from bench.lexoffice.targets import judge

LIMIT = Limit(2.0, 2)
ONE_TAB = SCENARIOS[0].name


def load(seconds: float, upstream: int, *, status: int = 200) -> Load:
    ends = [seconds] * len(DASHBOARD)
    calls = tuple(
        Seen(asked, asked.path + asked.name, Fetched(status, b"{}", 2, 0.0, end), int(status == 429), 0.0)
        for asked, end in zip(DASHBOARD, ends, strict=True)
    )
    return Load((calls,), upstream)


GOOD = Row(ONE_TAB, LEXGATE, load(9.2, 20), load(1.1, 4))


def missed(*rows: Row) -> list[str]:
    return [verdict.what.partition(": ")[2] for verdict in judge(rows, LIMIT) if not verdict.is_met]


def test_a_row_within_the_limit_meets_every_target() -> None:
    assert missed(GOOD) == []
    assert len(judge([GOOD], LIMIT)) == 5


def test_a_second_load_of_more_than_a_quarter_is_missed() -> None:
    assert missed(replace(GOOD, second=load(2, 6))) == ["upstream calls of the second load / of the first"]


def test_more_than_five_percent_over_the_limit_is_missed() -> None:
    assert missed(replace(GOOD, first=load(9.5, 20))) == ["time / the limit for what must be fetched"]


def test_a_refusal_in_either_load_is_missed_and_its_time_counts_for_nothing() -> None:
    assert missed(replace(GOOD, second=load(1.1, 4, status=429))) == [
        "429 at the browser",
        "calls that brought nothing",
    ]
    assert "time / the limit for what must be fetched" in missed(replace(GOOD, first=load(1, 20, status=503)))


def test_a_session_that_waits_more_than_twice_the_mean_is_missed() -> None:
    quick = load(0.1, 0).sessions[0]
    unfair = Load((*load(9.2, 20).sessions, quick, quick, quick), 20)
    assert "longest / mean wait of a session" in missed(replace(GOOD, first=unfair))


def test_the_plain_proxy_and_the_rows_beyond_the_targets_are_not_judged() -> None:
    others = [scenario.name for scenario in SCENARIOS if not scenario.is_judged]
    assert others
    rows = [replace(GOOD, proxy=PLAIN), *(replace(GOOD, scenario=name) for name in others)]
    assert judge(rows, LIMIT) == []


def test_the_tables_have_a_line_for_each_row_and_each_call() -> None:
    table = build_measured_table([GOOD, replace(GOOD, proxy=PLAIN, second=None)], LIMIT).splitlines()
    assert len(table) == 4
    assert table[2].startswith("| one tab | lexgate | 9.2 s | 9.0 s | 20 | 20 | 0 | 0 |")
    assert table[3].endswith("| - | - | - |")
    assert len(build_dashboard_table().splitlines()) == len(DASHBOARD) + 2
