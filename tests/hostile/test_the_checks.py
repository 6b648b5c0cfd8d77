"""The checks after each test can fail: each of them finds what it is there for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support import raw_browser, wire

if TYPE_CHECKING:
    from tests.hostile.stage import Stage


@pytest.fixture(autouse=True)
def _impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "SECONDS", 0.3)


def test_a_leaked_timer_is_found(stage: Stage) -> None:
    async def leak() -> list[asyncio.TimerHandle]:
        return [asyncio.get_running_loop().call_later(100, print) for _ in range(2)]

    stage.upstream.end()
    leaked = stage.running.call(leak())
    with pytest.raises(AssertionError):
        stage.assert_nothing_is_left()
    for each in leaked:
        stage.running.loop.call_soon_threadsafe(each.cancel)


def test_a_leaked_task_is_found(stage: Stage) -> None:
    async def leak() -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(asyncio.Event().wait())  # type: ignore[arg-type]

    leaked = stage.running.call(leak())
    with pytest.raises(AssertionError):
        stage.assert_nothing_is_left()
    stage.running.loop.call_soon_threadsafe(leaked.cancel)


def test_a_leaked_connection_is_found(stage: Stage) -> None:
    with stage.browser() as browser:
        assert browser.ask(stage.anna.head("GET", "/api/v1/thing")).status == 200
        with pytest.raises(AssertionError):
            stage.assert_nothing_is_left()


def test_a_token_that_got_out_is_found(stage: Stage) -> None:
    stage.call()
    (token,) = stage.upstream.tokens()
    raw_browser.received_by_all.append(b"x" + token[99:150].encode())
    with pytest.raises(AssertionError):
        stage.assert_nothing_is_left()
    raw_browser.received_by_all.clear()
