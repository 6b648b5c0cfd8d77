"""Prometheus metrics in a registry of the gateway's own, every label bounded."""

from __future__ import annotations

import contextlib
import platform
import re
from typing import TYPE_CHECKING

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from gateway.observability.metrics_sum import take_snapshot
from gateway.observability.request_counts import RequestCounts

if TYPE_CHECKING:
    from collections.abc import Generator

    from gateway.observability.metrics_sum import Snapshot

SHARED = frozenset({"lexgate_sessions"})
"""What all processes on one store tell alike: of several, one is believed."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ROUTE = re.compile(r"/[\x21-\x7e]{0,99}")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,47}")
_OTHER = "other"


class _Vocabulary:
    """The values that one label may take: the first `limit` that the pattern allows."""

    def __init__(self, pattern: re.Pattern[str], limit: int) -> None:
        self._pattern = pattern
        self._limit = limit
        self._known: set[str] = set()

    def admit(self, value: str) -> str:
        """Return the value, or `other` in its place."""
        if value in self._known:
            return value
        if len(self._known) >= self._limit or not self._pattern.fullmatch(value):
            return _OTHER
        self._known.add(value)
        return value


class _Outcomes:
    """A counter with one label whose values are short constants."""

    def __init__(self, registry: CollectorRegistry, name: str, documentation: str, label: str) -> None:
        self._counter = Counter(name, documentation, (label,), registry=registry)
        self._vocabulary = _Vocabulary(_WORD, 64)

    def count(self, outcome: str, number: int = 1) -> None:
        self._counter.labels(self._vocabulary.admit(outcome)).inc(number)


class Metrics:
    """Everything that the gateway counts; made once a process.

    Labels come from templates, constants and codes. Whatever else is handed in is counted as `other` (a
    status as 0), and so is every value after the first hundred or so: no caller can make the series grow
    without end (a cardinality attack).
    """

    def __init__(self, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # the package leaves it without types
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Info("lexgate_build", "The running build", registry=registry).info(
            {"version": version, "python": platform.python_version()}
        )
        self._requests = RequestCounts(_BUCKETS, self._bound_label)
        registry.register(self._requests)
        self._sign_ins = _Outcomes(registry, "lexgate_sign_ins", "Sign-ins that ended", "outcome")
        self._refreshes = _Outcomes(registry, "lexgate_refreshes", "Token refreshes", "outcome")
        self._refusals = _Outcomes(
            registry, "lexgate_csrf_refusals", "Requests refused as cross-site", "cause"
        )
        self._ended = _Outcomes(registry, "lexgate_sessions_ended", "Sessions that ended", "reason")
        self._webhooks = Counter(
            "lexgate_webhooks", "Deliveries of lexoffice", ("type", "outcome"), registry=registry
        )
        self._webhook_outcomes = _Vocabulary(_WORD, 16)
        self._sessions = Gauge("lexgate_sessions", "Live sessions in the store", registry=registry)
        self._websockets = Gauge("lexgate_websockets", "Open WebSockets", registry=registry)
        self._rate_limited = _Outcomes(
            registry,
            "lexgate_rate_limited",
            "Calls refused for a rate limit, the API's or the budget's",
            "cause",
        )
        self._waiting = Gauge("lexgate_budget_waiting", "Calls that wait for their turn", registry=registry)
        self.event_streams = Gauge("lexgate_event_streams", "Open streams of events", registry=registry)
        """Set by who opens and closes them."""
        self._events = _Outcomes(registry, "lexgate_events_sent", "Events told to browsers", "event")
        self._store_errors = Counter("lexgate_store_errors", "Failures of the store", registry=registry)
        self._cached = _Outcomes(registry, "lexgate_cache_answers", "Answers of cached paths", "outcome")
        self._cache_bytes = Gauge("lexgate_cache_bytes", "Size of the private cache", registry=registry)
        self._shared_calls = Counter(
            "lexgate_shared_calls", "Calls that joined another's call to the API", registry=registry
        )
        self._routes = _Vocabulary(_ROUTE, 128)

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer; `route` is the template, never the path."""
        self._requests.count(route, method, status, seconds)

    def observe_upstream(self, seconds: float) -> None:
        """Count one call to the resource server."""
        self._requests.upstream.observe(seconds)

    def observe_budget_queue(self, seconds: float) -> None:
        """Count one turn, by how long a call waited for it."""
        self._requests.queue.observe(seconds)

    def note_budget_waiting(self, number: int) -> None:
        """Count calls that begin to wait for their turn, or with -1 one that waits no more."""
        self._waiting.inc(number)

    def count_rate_limited(self, cause: str) -> None:
        """Count a call that was refused for a rate limit, by who refused it."""
        self._rate_limited.count(cause)

    def count_sign_in(self, outcome: str) -> None:
        """Count a sign-in: `success`, or the code of the error that ended it."""
        self._sign_ins.count(outcome)

    def count_refresh(self, outcome: str) -> None:
        """Count a refresh: `success`, or the code of the error that ended it."""
        self._refreshes.count(outcome)

    def count_csrf_refusal(self, cause: str) -> None:
        """Count a request that the cross-site check refused, by the check's name."""
        self._refusals.count(cause)

    def count_session_end(self, reason: str) -> None:
        """Count a session's end by the session document's reason."""
        self._ended.count(reason)

    def count_webhook(self, kind: str | None, outcome: str) -> None:
        """Count a delivery: `kind` is one of lexoffice's types, or None where there is no telling."""
        self._webhooks.labels(kind or _OTHER, self._webhook_outcomes.admit(outcome)).inc()

    @contextlib.contextmanager
    def open_websocket(self) -> Generator[None]:
        """Count a WebSocket as open for as long as the block runs."""
        self._websockets.inc()
        try:
            yield
        finally:
            self._websockets.dec()

    def count_events(self, kind: str, number: int) -> None:
        """Count events that were told, each to one browser."""
        self._events.count(kind, number)

    def count_store_error(self) -> None:
        """Count a failure of the store."""
        self._store_errors.inc()

    def count_cached(self, outcome: str) -> None:
        """Count an answer of a cached path: a `hit` here, one of a `peer` process, or a `miss`."""
        self._cached.count(outcome)

    def set_cache_bytes(self, size: int) -> None:
        """Record how much the private cache holds."""
        self._cache_bytes.set(size)

    def count_shared_call(self) -> None:
        """Count a call that was not made because the same one was under way."""
        self._shared_calls.inc()

    def set_sessions(self, number: int) -> None:
        """Record how many live sessions the store holds."""
        self._sessions.set(number)

    def render(self) -> tuple[bytes, str]:
        """Return the page for Prometheus and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def take(self, *, shared: bool) -> Snapshot:
        """Return everything counted so far; without `shared`, what the store tells to every process alike."""
        return take_snapshot(self._registry.collect(), without=frozenset() if shared else SHARED)

    def _bound_label(self, given: tuple[str, str, int]) -> tuple[str, str, int]:
        route, method, status = given
        return (
            self._routes.admit(route),
            method if method in _METHODS else _OTHER,
            status if 100 <= status <= 599 else 0,  # noqa: PLR2004 - the range of RFC 9110 §15
        )
