"""The outermost layer: whatever happens within, it is one line, and nothing gets past it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.observability.logs import RequestLog
from gateway.observability.metrics import Metrics
from gateway.web.access_log import AccessLog
from gateway.web.api_entry import WebSocketEntry
from gateway.web.guard import Guard
from gateway.web.pages import Pages
from gateway.web.problems import Problems
from tests.support.running import running_app

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send


def wrapped(app: object) -> AccessLog:
    return AccessLog(app, metrics=Metrics("0"), request_log=RequestLog(), trusted_proxies=())  # type: ignore[arg-type]


def entry(app: object) -> WebSocketEntry:
    problems = Problems(pages=Pages("https://app.example"), metrics=Metrics("0"))
    guard = Guard(app, is_secure=True)  # type: ignore[arg-type]
    return WebSocketEntry(app, access_log=wrapped(app), guard=guard, problems=problems)  # type: ignore[arg-type]


def statuses(records: list[logging.LogRecord]) -> list[int]:
    return [record.fields["status"] for record in records if record.name == "gateway.request"]  # type: ignore[attr-defined]


async def breaks_before(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError("a defect")


async def breaks_within(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8")]})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise RuntimeError("a defect")


@pytest.mark.parametrize(("app", "status"), [(breaks_before, 499), (breaks_within, 200)])
def test_a_defect_is_logged_and_ends_the_answer(
    app: object, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "gateway"), running_app(wrapped(app)) as url:
        try:
            answer = httpx.get(url, trust_env=False)
        except httpx.RemoteProtocolError:
            assert status == 200, "a broken answer is never taken for a whole one"
        else:
            assert (answer.status_code, status) == (500, 499)
    assert statuses(caplog.records) == [status]
    failures = [record for record in caplog.records if record.message == "a request failed"]
    assert len(failures) == 1
    assert failures[0].exc_info is not None


async def speaks(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "websocket.accept"})
    for message in ({"text": "über"}, {"text": "a"}, {"bytes": b"abc"}):
        await send({"type": "websocket.send", **message})


async def refuses(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "websocket.http.response.start", "status": 403, "headers": []})
    await send({"type": "websocket.http.response.body", "body": b"no"})


async def is_left(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise ConnectionAbortedError("ASGI: an OSError says that the browser has left")


@pytest.mark.parametrize(
    ("app", "status", "size", "failures"),
    [(speaks, 101, 9, 0), (refuses, 403, 2, 0), (breaks_before, 500, 139, 1), (is_left, 499, 0, 0)],
)
async def test_a_websocket_is_one_line_too(
    app: object, status: int, size: int, failures: int, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    with caplog.at_level(logging.INFO, "gateway"):
        await entry(app)({"type": "websocket", "path": "/api/v1/x", "headers": []}, receive, send)
    assert statuses(caplog.records) == [status]
    assert [record.fields["bytes"] for record in caplog.records if record.name == "gateway.request"] == [size]  # type: ignore[attr-defined]
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == failures
    heads = [message for message in sent if message["type"] == "websocket.http.response.start"]
    assert all(b"x-request-id" in dict(head["headers"]) for head in heads)
