"""The outermost layer: whatever happens within, it is one line, and nothing gets past it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.observability.logs import RequestLog
from gateway.observability.metrics import Metrics
from gateway.web.access_log import AccessLog
from tests.support.running import running_app

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send


def wrapped(app: object) -> AccessLog:
    return AccessLog(app, metrics=Metrics("0"), request_log=RequestLog(), trusted_proxies=())  # type: ignore[arg-type]


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


async def test_a_websocket_is_refused_where_a_server_offers_one() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    await wrapped(breaks_before)(
        {"type": "websocket", "path": "/api/v1/profile", "headers": []}, receive, send
    )
    assert [message["type"] for message in sent] == ["websocket.close"]
