"""The attack table of the webhook on a real socket: refused as documented, and nobody hears of it."""

from __future__ import annotations

import http.client
import logging
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

import gateway.http_timely
from tests.support.running import running_gateway
from tests.support.webhooks import (
    LEXOFFICE,
    PATH,
    SETTINGS,
    STRANGER,
    body_of,
    deliver,
    listening,
    written,
)
from tests.support.wire import send_raw, statuses, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running
    from tests.support.webhooks import Ear

TABLE = Path(__file__).parents[1] / "data" / "webhooks_refused"
LINES = [
    line for line in TABLE.read_text(encoding="ascii").splitlines() if line and not line.startswith("# ")
]
WINDOW = 172_800
MEGABYTE = bytes(1_000_000)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_gateway(settings=SETTINGS) as running:
        yield running


@pytest.fixture
def ear(running: Running) -> Iterator[Ear]:
    with listening(running) as ear:
        yield ear


def build_body(text: str, now: float) -> bytes:
    body = text.encode("ascii").decode("unicode_escape").encode("latin-1")
    for name, moment in (("NOW", now), ("AGO", now - WINDOW - 1), ("AHEAD", now + 301)):
        body = body.replace(name.encode(), written(moment).encode())
    return body.replace(b"GENUINE", body_of(now))


def build_signatures(kind: str, body: bytes, now: float) -> list[str]:
    made = {
        "lexoffice": [LEXOFFICE.sign(body)],
        "stranger": [STRANGER.sign(body)],
        "genuine": [LEXOFFICE.sign(body_of(now))],
        "sha256": [LEXOFFICE.sign(body, scheme="sha256")],
        "pss": [LEXOFFICE.sign(body, scheme="pss")],
        "twice": [LEXOFFICE.sign(body)] * 2,
        "none": [],
    }
    return made.get(kind, [kind])


def _head(length: int) -> bytes:
    return (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def assert_nothing_was_heard(running: Running, ear: Ear) -> None:
    """See that a right delivery is heard after the attack, and alone."""
    right = body_of(running.clock(), resourceId=f"after-{time.monotonic_ns()}")
    assert deliver(running, right).status_code == 204
    until(lambda: bool(ear.events))
    assert len(ear.events) == 1
    assert (ear.events[0].resource_id or "").startswith("after-")


def assert_refused(answer: httpx.Response, expected: str) -> None:
    problem = answer.json()
    assert f"{answer.status_code} {problem['code']}" == expected
    assert answer.headers["content-type"] == "application/problem+json"
    assert "an-organization" not in answer.text


@pytest.mark.parametrize("line", LINES, ids=[line.split(" | ")[0] for line in LINES])
def test_an_attack_is_refused_and_nobody_hears_of_it(running: Running, ear: Ear, line: str) -> None:
    """RFC 8017 §8.2, RFC 8259 §8.1: what is not signed so, or is no JSON in UTF-8, is believed in nothing."""
    _, kind, expected, types, text = (part.strip(" ") for part in f"{line} ".split(" | "))
    now = running.clock()
    body = build_body(text, now)
    headers = [("Content-Type", value.strip()) for value in types.split(",") if value]
    headers += [("X-Lxo-Signature", value) for value in build_signatures(kind, body, now)]
    answer = httpx.post(f"{running.url}{PATH}", content=body, headers=headers, trust_env=False)
    assert_refused(answer, expected)
    assert_nothing_was_heard(running, ear)


def test_a_body_that_says_it_is_too_large_is_not_read(running: Running, ear: Ear) -> None:
    body = MEGABYTE * 10
    try:
        answer = deliver(running, body, signature="AAAA")
        assert_refused(answer, "413 body_too_large")
    except httpx.WriteError:
        # The connection was closed under the rest of the body.
        pass
    received = send_raw(running.url, _head(len(body)))
    assert statuses(received) == [413]
    assert_nothing_was_heard(running, ear)


def test_a_body_without_end_is_broken_off(running: Running, ear: Ear) -> None:
    sent = 0
    connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=10)
    connection.putrequest("POST", PATH)
    for name, value in (("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")):
        connection.putheader(name, value)
    connection.endheaders()
    try:
        for _ in range(10):
            connection.send(b"%x\r\n%b\r\n" % (len(MEGABYTE), MEGABYTE))
            sent += 1
        connection.send(b"0\r\n\r\n")
        assert connection.getresponse().status == 413
    except OSError:
        assert sent < 10
    finally:
        connection.close()
    assert_nothing_was_heard(running, ear)


def test_a_body_that_does_not_come_is_not_waited_for(
    running: Running, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.http_timely, "BODY_SECONDS", 0.2)
    received = send_raw(running.url, _head(60_000) + b'{"organizationId"')
    assert statuses(received) == [408]
    assert b'"code": "request_too_slow"' in received
    assert_nothing_was_heard(running, ear)


def test_a_sender_that_leaves_is_no_defect(
    running: Running, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    parts = urlsplit(running.url)
    caplog.set_level(logging.INFO)
    with socket.create_connection(("127.0.0.1", parts.port or 80), timeout=10) as connection:
        connection.sendall(_head(60_000) + b'{"organizationId"')
    until(lambda: "gateway.request" in {record.name for record in caplog.records})
    assert_nothing_was_heard(running, ear)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_chunked_body_of_the_right_size_is_read(running: Running, ear: Ear) -> None:
    body = body_of(running.clock(), resourceId="chunked")
    pieces = iter([body[:10], body[10:]])
    answer = httpx.post(
        f"{running.url}{PATH}",
        content=pieces,
        headers={"Content-Type": "application/json", "X-Lxo-Signature": LEXOFFICE.sign(body)},
        trust_env=False,
    )
    assert answer.status_code == 204
    until(lambda: [event.resource_id for event in ear.events] == ["chunked"])


@pytest.mark.parametrize("size", [65_536, 65_537])
def test_the_limit_is_exact(running: Running, size: int) -> None:
    body = body_of(running.clock(), resourceId=f"limit-{size}", more="")
    body = body_of(running.clock(), resourceId=f"limit-{size}", more="x" * (size - len(body)))
    assert len(body) == size
    assert deliver(running, body).status_code == (204 if size == 65_536 else 413)


def test_json_that_is_nested_deeply_fails_alone(running: Running, ear: Ear) -> None:
    body = b'{"organizationId":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
    assert_refused(deliver(running, body), "400 webhook_invalid")
    assert_nothing_was_heard(running, ear)


def test_a_replay_is_acknowledged_and_does_nothing(running: Running, ear: Ear) -> None:
    body = body_of(running.clock(), resourceId="replayed")
    for _ in range(3):
        assert deliver(running, body).status_code == 204
    running.clock.advance(WINDOW - 1)
    assert deliver(running, body).status_code == 204
    running.clock.advance(2)
    assert_refused(deliver(running, body), "400 webhook_outdated")
    until(lambda: bool(ear.events))
    assert deliver(running, body_of(running.clock(), resourceId="the-last")).status_code == 204
    until(lambda: ear.events[-1].resource_id == "the-last")
    assert [event.resource_id for event in ear.events] == ["replayed", "the-last"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(running: Running, method: str) -> None:
    answer = httpx.request(method, f"{running.url}{PATH}", trust_env=False)
    assert_refused(answer, "405 method_refused")


def test_what_was_refused_is_logged_without_what_it_said(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    body = body_of(running.clock(), resourceId="a-canary")
    with caplog.at_level(logging.DEBUG):
        assert deliver(running, body, signature=STRANGER.sign(body)).status_code == 401
    lines = [vars(record)["fields"] for record in caplog.records if record.name == "gateway.audit"]
    assert [(line["outcome"], line["code"]) for line in lines] == [("failure", "webhook_signature_invalid")]
    assert lines[0]["address"] == "127.0.0.1"
    assert "canary" not in str([vars(record) for record in caplog.records])
