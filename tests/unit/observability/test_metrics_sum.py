"""Several processes' counts on one page, read back with Prometheus's own parser."""

from __future__ import annotations

import json

from prometheus_client.parser import text_string_to_metric_families

from gateway.observability.metrics import SHARED, Metrics
from gateway.observability.metrics_sum import MetricsSum, Snapshot


def _values(total: MetricsSum) -> dict[str, float]:
    page, content_type = total.render()
    assert content_type.startswith("text/plain; version=")
    return {
        sample.name
        + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def _note(total: MetricsSum, process: int, metrics: Metrics, *, shared: bool = False) -> None:
    total.note(process, json.loads(json.dumps(metrics.take(shared=shared))))


def test_counters_and_histograms_are_added_up() -> None:
    total, first, second = MetricsSum(SHARED), Metrics("1"), Metrics("1")
    first.count_request("/a", "GET", 200, 0.004)
    second.count_request("/a", "GET", 200, 0.2)
    second.count_request("/b", "GET", 404, 0.2)
    _note(total, 1, first)
    _note(total, 2, second)
    values = _values(total)
    assert values["lexgate_requests_total method=GET route=/a status=200"] == 2
    assert values["lexgate_requests_total method=GET route=/b status=404"] == 1
    assert values["lexgate_request_duration_seconds_bucket le=0.005 route=/a"] == 1
    assert values["lexgate_request_duration_seconds_count route=/a"] == 2
    assert [value for name, value in values.items() if name.startswith("lexgate_build_info")] == [1]


def test_a_newer_snapshot_takes_the_older_one_s_place() -> None:
    total, metrics = MetricsSum(SHARED), Metrics("1")
    for expected in (1, 2, 3):
        metrics.count_store_error()
        _note(total, 1, metrics)
        assert _values(total)["lexgate_store_errors_total"] == expected


def test_what_the_store_tells_to_all_is_told_once() -> None:
    total, first, second = MetricsSum(SHARED), Metrics("1"), Metrics("1")
    first.set_sessions(7)
    _note(total, 1, first, shared=True)
    _note(total, 2, second)
    assert _values(total)["lexgate_sessions"] == 7
    second.set_sessions(8)
    _note(total, 2, second, shared=True)
    assert _values(total)["lexgate_sessions"] == 8, "the newest is believed"


def test_what_an_ended_process_counted_stays() -> None:
    total = MetricsSum(SHARED)
    for process in (1, 2, 3):
        metrics = Metrics("1")
        metrics.count_store_error()
        metrics.observe_upstream(0.01)
        _note(total, process, metrics)
        total.retire(process)
    total.retire(4)
    values = _values(total)
    assert values["lexgate_store_errors_total"] == 3
    assert values["lexgate_upstream_duration_seconds_count"] == 3
    assert values["process_cpu_seconds_total"] > 0
    assert "process_resident_memory_bytes" not in values, "its memory is free"


def test_memory_is_added_up_and_the_oldest_start_is_told() -> None:
    total = MetricsSum(SHARED)
    gauges = {
        "process_resident_memory_bytes": (10.0, 20.0, 30.0),
        "process_start_time_seconds": (5.0, 4.0, 4.0),
    }
    for process in (0, 1):
        families: Snapshot = [
            (name, "gauge", "", [(name, {}, values[process])]) for name, values in gauges.items()
        ]
        total.note(process, families)
    assert {name: _values(total)[name] for name in gauges} == {name: each[2] for name, each in gauges.items()}
