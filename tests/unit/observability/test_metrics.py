"""The page for Prometheus, read back with Prometheus's own parser."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from gateway.observability.metrics import Metrics


def _samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    page, content_type = metrics.render()
    assert content_type.startswith("text/plain; version=")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def _labels(metrics: Metrics, name: str, label: str) -> set[str]:
    return {dict(labels)[label] for sample, labels in _samples(metrics) if sample == name}


def test_requests_are_counted_by_template_method_and_status() -> None:
    metrics = Metrics("1.2.3")
    metrics.count_request("/api/{path}", "GET", 200, 0.004)
    metrics.count_request("/api/{path}", "GET", 200, 0.2)
    metrics.count_request("/api/{path}", "POST", 401, 0.001)
    samples = _samples(metrics)
    get = (("method", "GET"), ("route", "/api/{path}"), ("status", "200"))
    post = (("method", "POST"), ("route", "/api/{path}"), ("status", "401"))
    assert samples["lexgate_requests_total", get] == 2
    assert samples["lexgate_requests_total", post] == 1
    route = ("route", "/api/{path}")
    assert samples["lexgate_request_duration_seconds_count", (route,)] == 3
    assert samples["lexgate_request_duration_seconds_bucket", (("le", "0.005"), route)] == 2


def test_an_invented_method_is_counted_as_other() -> None:
    metrics = Metrics("1")
    for number in range(1000):
        metrics.count_request("/", f"BREW{number}", 405, 0)
    assert _labels(metrics, "lexgate_requests_total", "method") == {"other"}


def test_a_status_outside_http_is_counted_as_nought() -> None:
    metrics = Metrics("1")
    # RFC 9110 §15: three digits, the first from 1 to 5
    for status in (99, 600, -1):
        metrics.count_request("/", "GET", status, 0)
    assert _labels(metrics, "lexgate_requests_total", "status") == {"0"}


def test_routes_cannot_grow_without_bound() -> None:
    metrics = Metrics("1")
    for number in range(1000):
        metrics.count_request(f"/{number}", "GET", 200, 0)
    routes = _labels(metrics, "lexgate_requests_total", "route")
    assert len(routes) == 129
    assert "other" in routes


def test_a_route_that_is_no_template_is_counted_as_other() -> None:
    metrics = Metrics("1")
    for route in ("", "no-slash", "/line\nfeed", "/ä", "/" + "x" * 100):
        metrics.count_request(route, "GET", 200, 0)
    assert _labels(metrics, "lexgate_requests_total", "route") == {"other"}


def test_outcomes_are_counted_by_their_code() -> None:
    metrics = Metrics("1")
    metrics.count_sign_in("success")
    metrics.count_sign_in("state_unknown")
    metrics.count_refresh("invalid_grant")
    metrics.count_csrf_refusal("csrf_header_missing")
    metrics.count_session_end("idle")
    samples = _samples(metrics)
    assert samples["lexgate_sign_ins_total", (("outcome", "success"),)] == 1
    assert samples["lexgate_sign_ins_total", (("outcome", "state_unknown"),)] == 1
    assert samples["lexgate_refreshes_total", (("outcome", "invalid_grant"),)] == 1
    assert samples["lexgate_csrf_refusals_total", (("cause", "csrf_header_missing"),)] == 1
    assert samples["lexgate_sessions_ended_total", (("reason", "idle"),)] == 1


def test_outcomes_cannot_grow_without_bound() -> None:
    metrics = Metrics("1")
    for number in range(1000):
        metrics.count_csrf_refusal(f"cause_{number}")
    metrics.count_csrf_refusal('evil"} 1\n')
    assert len(_labels(metrics, "lexgate_csrf_refusals_total", "cause")) == 65


def test_gauges_and_plain_counters_are_shown() -> None:
    metrics = Metrics("1.2.3")
    metrics.set_sessions(7)
    metrics.count_store_error()
    metrics.observe_upstream(0.03)
    samples = _samples(metrics)
    assert samples["lexgate_sessions", ()] == 7
    assert samples["lexgate_store_errors_total", ()] == 1
    assert samples["lexgate_upstream_duration_seconds_count", ()] == 1
    assert _labels(metrics, "lexgate_build_info", "version") == {"1.2.3"}


def test_two_registries_do_not_share_counts() -> None:
    first, second = Metrics("1"), Metrics("1")
    first.count_store_error()
    assert _samples(second)["lexgate_store_errors_total", ()] == 0


def test_no_creation_times_double_the_page() -> None:
    metrics = Metrics("1")
    metrics.count_request("/", "GET", 200, 0)
    assert b"_created" not in metrics.render()[0]
