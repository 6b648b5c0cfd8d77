"""`lexgate serve`: quick to answer, and never in a hurry to end."""

from __future__ import annotations

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.flows.cli.process import SECONDS, end, read_until, serve_settings, started
from tests.flows.cli.stage import serving, settings_before
from tests.support.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.flows.cli.stage import HeldApi, Stage


@contextmanager
def call_in_flight(stage: Stage) -> Iterator[list[httpx.Response]]:
    """Hold a call of a signed-in person; its answer is in the list after the block."""
    answers: list[httpx.Response] = []
    with Browser(stage.public_url) as browser, ThreadPoolExecutor(1) as pool:
        assert browser.sign_in().status_code == 200
        call = pool.submit(browser.fetch, "/api/v1/held")
        try:
            assert stage.api.arrived.wait(SECONDS)
            yield answers
        finally:
            stage.api.released.set()
        answers.append(call.result(SECONDS))


def test_serve_answers_once_it_says_so(tmp_path: Path) -> None:
    settings = serve_settings()
    with started("serve", cwd=tmp_path, settings=settings) as process:
        read_until(process.stderr, "lexgate serves")
        with httpx.Client(trust_env=False) as client:
            assert client.get(f"{settings['LEXGATE_PUBLIC_URL']}/auth/session").status_code == 200
        assert end(process)[0] == 0


def test_serve_prints_one_line_with_the_public_url_and_logs_json(stage: Stage) -> None:
    with Browser(stage.public_url) as browser:
        browser.fetch("/auth/session")
    code, output, errors = end(stage.process)
    assert (code, errors) == (0, "")
    lines = [json.loads(line) for line in output.splitlines()]
    assert [line["route"] for line in lines if line["message"] == "request"] == ["/auth/session"]


def test_sigterm_lets_the_call_in_flight_end(stage: Stage) -> None:
    with call_in_flight(stage) as answers:
        stage.process.send_signal(signal.SIGTERM)
        stage.drains()
        while stage.accepts():  # the listener closes a moment after readiness ends
            pass
        assert stage.process.poll() is None
        begun = time.perf_counter()
    assert (answers[0].status_code, answers[0].text) == (200, "done")
    output, errors = stage.process.communicate(timeout=SECONDS)
    assert (stage.process.returncode, errors) == (0, "")
    assert time.perf_counter() - begun < 5, "nothing is waited for once the last call is over"
    assert "/api/*" in {json.loads(line).get("route") for line in output.splitlines()}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_gateway_at_once(stage: Stage, number: signal.Signals) -> None:
    begun = time.perf_counter()
    assert end(stage.process, number) == (0, "", "")
    assert time.perf_counter() - begun < 5


def test_a_second_signal_ends_what_drains(stage: Stage) -> None:
    with Browser(stage.public_url) as browser, ThreadPoolExecutor(1) as pool:
        browser.sign_in()
        call = pool.submit(browser.fetch, "/api/v1/held")
        assert stage.api.arrived.wait(SECONDS)
        stage.process.send_signal(signal.SIGTERM)
        stage.drains()
        stage.process.send_signal(signal.SIGTERM)
        assert stage.process.wait(SECONDS) == -signal.SIGTERM
        assert isinstance(call.exception(SECONDS), httpx.RemoteProtocolError | httpx.ReadError)


def test_sessions_survive_a_restart(api: HeldApi, tmp_path: Path) -> None:
    settings = settings_before(api, store="")
    with Browser(settings["LEXGATE_PUBLIC_URL"]) as browser:
        with serving(api, settings, tmp_path) as stage:
            browser.sign_in()
            assert end(stage.process)[0] == 0
        with serving(api, settings, tmp_path) as stage:
            assert browser.fetch("/auth/session").json()["active"] is True
            assert browser.fetch("/api/v1/profile").status_code == 200
            assert end(stage.process)[0] == 0
    assert (tmp_path / ".lexgate" / "sessions.db").stat().st_mode & 0o077 == 0
