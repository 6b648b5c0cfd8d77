"""What the load generators print is read to the last error."""

from __future__ import annotations

import json

import pytest

from bench.reading import Load, UnreadableReport, parse_steady, parse_wrk, quantile

WRK = """Running 2s test @ http://127.0.0.1:8000/api/v1/1k
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   636.06us    1.00ms  18.63ms   97.89%
    Req/Sec    50.12k     1.90k   52.21k    85.00%
  997 requests in 2.00s, 1.24MB read
Requests/sec:    498.50
"""


def report(**told: int) -> str:
    line = {
        "requests": 1000,
        "microseconds": 2_000_000,
        "status": 0,
        "broken": 0,
        "p50": 500,
        "p99": 1500,
    }
    return f"{WRK}bench {json.dumps(line | told)}\n"


def test_wrk_is_read_from_the_line_of_the_script() -> None:
    load = parse_wrk(report())
    assert load == Load(requests=1000, seconds=2.0, errors=0, p50=0.0005, p99=0.0015)
    assert load.per_second == 500


@pytest.mark.parametrize(
    ("told", "errors"), [({}, 0), ({"status": 7}, 7), ({"broken": 3}, 3), ({"status": 7, "broken": 3}, 10)]
)
def test_every_refusal_and_every_broken_connection_is_an_error(told: dict[str, int], errors: int) -> None:
    assert parse_wrk(report(**told)).errors == errors


@pytest.mark.parametrize(
    ("refused", "served", "errors"),
    [(0, 1000, 0), (0, 1031, 0), (0, 990, 10), (0, 0, 1000), (20, 990, 20), (20, 0, 1000)],
    ids=["all", "some under way at the end", "ten redirected", "all redirected", "passed on", "none"],
)
def test_an_answer_that_the_resource_server_did_not_serve_is_an_error(
    refused: int, served: int, errors: int
) -> None:
    assert parse_wrk(report(status=refused)).backed_by(served).errors == errors


@pytest.mark.parametrize("text", ["", WRK, f"{WRK}bench {{", f'{WRK}bench {{"requests": 1}}'])
def test_wrk_without_its_script_is_no_report(text: str) -> None:
    with pytest.raises(UnreadableReport):
        parse_wrk(text)


def test_steady_load_is_read_with_its_quantiles() -> None:
    taken = [number / 1000 for number in range(100, 0, -1)]
    load = parse_steady(json.dumps({"taken": taken, "errors": 2, "seconds": 4}))
    assert load == Load(requests=100, seconds=4, errors=2, p50=0.05, p99=0.099)


@pytest.mark.parametrize("text", ["", "{}", '{"taken": [], "errors": 0, "seconds": 1}', "Traceback"])
def test_steady_load_without_answers_is_no_report(text: str) -> None:
    with pytest.raises(UnreadableReport):
        parse_steady(text)


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.25, 1.0), (0.5, 2.0), (0.51, 3.0), (0.99, 4.0), (1.0, 4.0)]
)
def test_a_quantile_is_a_value_that_was_seen(share: float, value: float) -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0], share) == value
