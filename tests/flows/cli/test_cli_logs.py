"""The log of a real process: one JSON line a request, audit lines, and nothing that could be used."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.flows.cli.process import end
from tests.flows.cli.stage import serving, settings_before
from tests.support.browser import Browser
from tests.support.wire import send_raw, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flows.cli.stage import HeldApi, Stage

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
Lines = list[dict[str, Any]]


def lines_of(stage: Stage) -> Lines:
    """End the process and read what it logged."""
    code, output, errors = end(stage.process)
    assert (code, errors) == (0, "")
    return [json.loads(line) for line in output.splitlines()]


def requests(lines: Lines) -> Lines:
    return [line for line in lines if line["logger"] == "gateway.request"]


def audits(lines: Lines, event: str) -> Lines:
    return [line for line in lines if line.get("audit") and line["message"] == event]


def test_each_request_is_one_line_with_its_route_template(stage: Stage) -> None:
    with Browser(stage.public_url) as browser:
        browser.sign_in("/vouchers/4711?tab=pdf")
        browser.fetch("/api/v1/contacts/4711?page=2")
        browser.fetch("/app/main.js")
        browser.fetch("/missing-4711.js")
        browser.fetch("/auth/unknown/4711")
        answered = [answer for answer in browser.received if str(answer.url).startswith(stage.public_url)]
    lines = requests(lines_of(stage))
    assert [line["route"] for line in lines] == [
        "/auth/login",
        "/auth/callback",
        "/*",
        "/api/*",
        "/*",
        "/*",
        "/auth/{name:path}",
    ]
    assert [line["status"] for line in lines] == [answer.status_code for answer in answered]
    assert [line["request_id"] for line in lines] == [answer.headers["x-request-id"] for answer in answered]
    for line, answer in zip(lines, answered, strict=True):
        assert set(line) == {
            *("time", "level", "logger", "message", "route", "method", "status"),
            *("duration_ms", "bytes", "request_id", "trace_id"),
        }
        assert line["bytes"] == int(answer.headers.get("content-length", len(answer.content)))
        assert 0 < line["duration_ms"] < 30_000


def test_nothing_in_the_log_could_be_used(stage: Stage) -> None:
    with Browser(stage.public_url) as browser:
        browser.sign_in()
        browser.fetch("/api/v1/profile")
        browser.fetch(
            "/auth/logout", "POST", headers={"Authorization": "Bearer canary", "X-Canary": "canary"}
        )
        urls = " ".join(str(answer.url) for answer in browser.received)
    text = json.dumps(lines_of(stage))
    secrets = {match for name in ("code", "state") for match in re.findall(rf"{name}=([\w-]+)", urls)}
    secrets |= {cookie.value for jar in browser.cookies.values() for cookie in jar.values()} | {"canary"}
    assert len(secrets) >= 3
    for secret in secrets:
        assert secret not in text
    assert "4711" not in text


def test_a_trace_is_continued_logged_and_passed_on(stage: Stage) -> None:
    # W3C Trace Context §3.2
    with Browser(stage.public_url) as browser:
        browser.sign_in()
        answer = browser.fetch("/api/v1/contacts", headers={"traceparent": TRACEPARENT, "tracestate": "a=1"})
        browser.fetch("/api/v1/contacts", headers={"traceparent": "00-broken-00f067aa0ba902b7-01"})
    continued, broken = requests(lines_of(stage))[-2:]
    request_id = answer.headers["x-request-id"]
    assert (continued["trace_id"], continued["request_id"]) == (TRACE_ID, request_id)
    assert broken["trace_id"] != TRACE_ID
    first, second = stage.api.heard[-2:]
    assert (first["traceparent"], first["tracestate"]) == (f"00-{TRACE_ID}-{request_id}-01", "a=1")
    assert second["traceparent"].split("-")[1] == broken["trace_id"]


def test_the_audit_log_names_a_session_by_a_keyed_hash(stage: Stage) -> None:
    with Browser(stage.public_url) as browser:
        browser.sign_in()
        cookie = browser.cookie(SESSION_COOKIE) or ""
        browser.fetch("/auth/logout", "POST")
    lines = lines_of(stage)
    (signed_in,), (signed_out,) = audits(lines, "sign_in"), audits(lines, "sign_out")
    assert (signed_in["outcome"], signed_out["outcome"]) == ("success", "success")
    assert signed_in["session"] == signed_out["session"]
    assert re.fullmatch(r"[0-9a-f]{16}", signed_in["session"])
    assert signed_in["session"] not in cookie
    assert signed_in["subject"] == signed_out["subject"]
    assert "anna" not in json.dumps(lines).lower(), "a subject is an identifier, no name"


def test_the_audit_log_tells_of_a_sign_in_that_failed(stage: Stage) -> None:
    with Browser(stage.public_url) as browser:
        page = browser.navigate("/auth/login", site="same-origin")
        browser.submit(page, press="user=anna")
        denied = browser.submit(browser.received[-1], press="decision=deny")
    lines = lines_of(stage)
    (failed,) = audits(lines, "sign_in")
    assert (failed["outcome"], failed["code"], failed["level"]) == ("failure", "access_denied", "warning")
    assert failed["request_id"] == denied.headers["x-request-id"]


def test_the_audit_log_tells_of_a_refresh_that_failed(stage: Stage) -> None:
    assert stage.api.app is not None
    sandbox = stage.api.app.state.sandbox
    # Real time cannot be moved on, and a token must be over before a refresh is told to anybody.
    object.__setattr__(sandbox.options, "access_token_lifetime", 2)
    with Browser(stage.public_url) as browser:
        browser.sign_in()
        sandbox.faults.inject("connection_revoked")
        over_at = time.monotonic() + 2
        until(lambda: time.monotonic() > over_at)
        refused = browser.fetch("/api/v1/profile")
    assert (refused.status_code, refused.json()["reason"]) == (401, "grant_ended")
    (failed,) = audits(lines_of(stage), "refresh")
    assert (failed["outcome"], failed["level"]) == ("failure", "warning")
    assert failed["code"]
    assert re.fullmatch(r"[0-9a-f]{16}", failed["session"])


@pytest.mark.parametrize(
    ("trusted", "told", "believed"),
    [
        ("", "198.51.100.7", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.0/8", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.1,198.51.100.0/24", "203.0.113.9, 198.51.100.7", "203.0.113.9"),
        ("10.0.0.0/8", "198.51.100.7", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
    ],
)
def test_only_a_trusted_proxy_is_believed_about_the_client(
    api: HeldApi, tmp_path: Path, trusted: str, told: str, believed: str
) -> None:
    settings = settings_before(api, trusted_proxies=trusted)
    with serving(api, settings, tmp_path) as stage, Browser(stage.public_url) as browser:
        browser.sign_in()
        browser.fetch("/auth/logout", "POST", headers={"X-Forwarded-For": told})
        lines = lines_of(stage)
    (signed_in,), (signed_out,) = audits(lines, "sign_in"), audits(lines, "sign_out")
    assert (signed_in["address"], signed_out["address"]) == ("127.0.0.1", believed)


def test_no_client_can_fill_the_log_with_upgrades(stage: Stage) -> None:
    # RFC 9110 §7.8: the field is ignored, and worth no line of its own
    host = stage.public_url.removeprefix("http://")
    upgrade = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
    assert send_raw(stage.public_url, upgrade.encode()).startswith(b"HTTP/1.1 200 ")
    lines = lines_of(stage)
    assert [line["logger"] for line in lines] == ["gateway.request"]


def test_the_log_level_holds_for_requests_but_not_for_the_audit_log(api: HeldApi, tmp_path: Path) -> None:
    with serving(api, settings_before(api, log_level="error"), tmp_path) as stage:
        with Browser(stage.public_url) as browser:
            browser.sign_in()
        lines = lines_of(stage)
    assert [line["message"] for line in lines] == ["sign_in"]
