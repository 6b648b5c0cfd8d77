"""Draining has an end: what never answers is cut off, and what never closes is left behind."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import httpx
import pytest

import gateway.serving
from gateway.app import Gateway
from gateway.listener import Listener, bind
from gateway.serving import serve
from gateway.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

ENVIRONMENT = {
    "LEXGATE_PUBLIC_URL": "http://localhost:8000",
    "LEXGATE_SECRETS": "a signing and sealing secret for tests 0123456789",
    "LEXGATE_CLIENT_ID": "lexgate-test",
    "LEXGATE_CLIENT_SECRET": "a client secret",
    "LEXGATE_STORE": "memory://",
}


class NeverDone:
    """Refreshes of which one does not come back."""

    async def drain(self) -> None:
        await asyncio.Event().wait()


async def serve_call_that_never_ends(served: Gateway, *, drain_seconds: int) -> tuple[int, float]:
    """Ask a server to end while a call hangs: what the call got, and after how many seconds all was over."""
    arrived, ending = asyncio.Event(), asyncio.Event()

    async def hang(_scope: Scope, _receive: Receive, _send: Send) -> None:
        arrived.set()
        await asyncio.Event().wait()

    ready = asyncio.Event()
    with bind("127.0.0.1", 0, setting="PORT") as listening, bind("127.0.0.1", 0, setting="PORT") as admin:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        listeners = (Listener(hang, listening), Listener(served.admin, admin))
        serving = asyncio.create_task(
            serve(served, listeners, on_ready=ready.set, ending=ending, drain_seconds=drain_seconds)
        )
        await ready.wait()
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            call = asyncio.create_task(client.get(url))
            await arrived.wait()
            begun = time.monotonic()
            ending.set()
            await serving
            taken = time.monotonic() - begun
            return (await call).status_code, taken


async def test_a_call_that_never_ends_is_cut_off_when_the_drain_is_over(tmp_path: Path) -> None:
    served = Gateway(load_settings(ENVIRONMENT, tmp_path))
    status, taken = await serve_call_that_never_ends(served, drain_seconds=1)
    assert status == 500
    assert 1 <= taken < 4
    assert gateway.serving.DRAIN_SECONDS == 20


async def test_what_never_closes_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway.serving.CLOSE_SECONDS", 0.05)
    served = Gateway(load_settings(ENVIRONMENT, tmp_path))
    monkeypatch.setattr(served, "_refresher", NeverDone())
    with caplog.at_level(logging.WARNING, "gateway.app"):
        _, taken = await serve_call_that_never_ends(served, drain_seconds=0)
    assert taken < 3
    assert "before every call to the authorization server" in caplog.text
    await Gateway.close(served)


async def test_a_listener_that_cannot_start_is_no_gateway_that_hangs(tmp_path: Path) -> None:
    served = Gateway(load_settings(ENVIRONMENT, tmp_path))
    with bind("127.0.0.1", 0, setting="PORT") as listening:
        pass
    serving = serve(
        served, [Listener(served.public, listening)], on_ready=lambda: None, ending=asyncio.Event()
    )
    with pytest.raises(OSError, match="Bad file descriptor"):
        await asyncio.wait_for(serving, timeout=10)
