"""The second listener: alive, ready, measured; for operators alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.errors import StoreUnavailable
from gateway.observability.metrics import Metrics
from gateway.sessions.keyring import Keyring
from gateway.sessions.memory import MemoryStore
from gateway.sessions.vault import Vault
from gateway.web.health import Health, build_admin_app
from tests.support.browser import Browser
from tests.support.running import SECRET, running_app, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

NAMES = {
    "lexgate_build_info",
    "lexgate_requests_total",
    "lexgate_request_duration_seconds_bucket",
    "lexgate_upstream_duration_seconds_bucket",
    "lexgate_sign_ins_total",
    "lexgate_refreshes_total",
    "lexgate_csrf_refusals_total",
    "lexgate_sessions",
    "lexgate_sessions_ended_total",
    "lexgate_store_errors_total",
    "process_cpu_seconds_total",
}


class ClockedStore(MemoryStore):
    """A store that keeps a time of its own."""

    async def ping(self) -> None:
        pass

    async def time(self) -> float | None:
        return 0.0


class BrokenStore(MemoryStore):
    """A store that is down."""

    async def ping(self) -> None:
        raise StoreUnavailable

    async def count_sessions(self, now: float) -> int:  # noqa: ARG002 - the store's own signature
        raise StoreUnavailable


@pytest.fixture
def running() -> Iterator[Running]:
    with running_gateway() as running:
        yield running


def ask(url: str, method: str = "GET") -> httpx.Response:
    return httpx.request(method, url, trust_env=False)


def metrics(running: Running) -> dict[str, float]:
    """Read the metrics, each with its labels as its name."""
    text = ask(f"{running.admin_url}/metrics").text
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def total(values: dict[str, float], name: str) -> float:
    return sum(value for series, value in values.items() if series.startswith(f"{name}{{"))


def test_alive_and_ready(running: Running) -> None:
    assert ask(f"{running.admin_url}/livez").text == "ok\n"
    ready = ask(f"{running.admin_url}/readyz")
    assert (ready.status_code, ready.json()) == (200, {"ready": True})


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_what_operators_ask_is_not_public(running: Running, path: str) -> None:
    private, public = ask(f"{running.admin_url}{path}"), ask(f"{running.public_url}{path}")
    assert private.status_code == 200
    assert public.headers["content-type"] == "text/html; charset=utf-8", "a path of the app, as any other"
    assert private.text not in public.text


@pytest.mark.parametrize(
    "path", ["/", "/auth/session", "/auth/login", "/api/v1/profile", "/index.html", "/docs"]
)
def test_what_is_public_is_not_on_the_operators_listener(running: Running, path: str) -> None:
    assert ask(f"{running.admin_url}{path}").status_code == 404


def test_the_operators_listener_is_only_read(running: Running) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        assert ask(f"{running.admin_url}{path}", "HEAD").status_code == 200
        assert ask(f"{running.admin_url}{path}", "POST").status_code == 405


def test_the_metrics_have_their_names(running: Running) -> None:
    with Browser(running.public_url) as browser:
        browser.sign_in()
        browser.fetch("/api/v1/profile")
        browser.fetch("/auth/session/refresh", "POST", headers={"Origin": "https://evil.example"})
        running.clock.advance(60)
        browser.fetch("/auth/session/refresh", "POST")
        browser.fetch("/auth/logout", "POST")
    page = ask(f"{running.admin_url}/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=")
    assert {re.split(r"[{ ]", name)[0] for name in metrics(running)} >= NAMES


def test_the_metrics_move_when_something_happens(running: Running) -> None:
    with Browser(running.public_url) as browser:
        browser.sign_in()
        assert metrics(running)["lexgate_sessions"] == 1
        for _ in range(3):
            browser.fetch("/api/v1/contacts")
        cross_site = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
        assert browser.fetch("/api/v1/contacts", "POST", headers=cross_site).status_code == 403
        assert browser.fetch("/api/v1/contacts", "POST", headers={"X-CSRF": ""}).status_code == 403
        running.clock.advance(60)
        browser.fetch("/auth/session/refresh", "POST")
        browser.fetch("/auth/logout", "POST")
        browser.navigate("/auth/callback?state=unknown&code=x", site="cross-site")
    now = metrics(running)
    assert now['lexgate_requests_total{method="GET",route="/api/*",status="200"}'] == 3
    assert now['lexgate_requests_total{method="POST",route="/api/*",status="403"}'] == 2
    assert now['lexgate_request_duration_seconds_count{route="/api/*"}'] == 5
    assert now["lexgate_upstream_duration_seconds_count"] == 3
    assert now['lexgate_sign_ins_total{outcome="success"}'] == 1
    assert now['lexgate_sign_ins_total{outcome="state_unknown"}'] == 1
    assert total(now, "lexgate_refreshes_total") == 1
    assert total(now, "lexgate_csrf_refusals_total") == 2
    assert now['lexgate_csrf_refusals_total{cause="csrf_header_missing"}'] == 1
    assert now['lexgate_sessions_ended_total{reason="signed_out"}'] == 1
    assert now["lexgate_sessions"] == 0


def test_no_caller_makes_a_series_of_its_own(running: Running) -> None:
    before = len(metrics(running))
    for number in range(50):
        ask(f"{running.public_url}/path/{number}")
        ask(f"{running.public_url}/auth/{number}")
    # three of counter and histogram, with the buckets, for each of two routes
    assert len(metrics(running)) - before < 50


async def test_a_machine_whose_clock_is_wrong_is_alive_but_not_ready() -> None:
    vault = Vault(ClockedStore(), Keyring([SECRET]), idle_seconds=60, max_seconds=60)
    health = Health(vault=vault, metrics=Metrics("0"), clock=lambda: 3600.0)
    with running_app(build_admin_app(health)) as url:
        assert ask(f"{url}/livez").status_code == 200
        ready = ask(f"{url}/readyz")
        assert (ready.status_code, ready.json()) == (503, {"ready": False, "code": "clock_skewed"})


async def test_a_store_that_is_down_is_alive_but_not_ready() -> None:
    vault = Vault(BrokenStore(), Keyring([SECRET]), idle_seconds=60, max_seconds=60)
    health = Health(vault=vault, metrics=Metrics("0"), clock=lambda: 0.0)
    with running_app(build_admin_app(health)) as url:
        assert ask(f"{url}/livez").status_code == 200
        ready = ask(f"{url}/readyz")
        assert (ready.status_code, ready.json()) == (503, {"ready": False, "code": "store_unavailable"})
        page = ask(f"{url}/metrics")
        assert page.status_code == 200, "what is known without the store is still told"
        assert "lexgate_store_errors_total 2.0" in page.text
        health.is_draining = True
        assert ask(f"{url}/readyz").json()["code"] == "draining"
