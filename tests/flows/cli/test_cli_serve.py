"""`lexgate serve`: quick to answer, and never in a hurry to end."""

from __future__ import annotations

import json
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio.to_thread
import httpx
import pytest

from gateway.sandbox import SandboxOptions, build_sandbox
from tests.flows.cli.process import SECONDS, end, read_until, serve_settings, started
from tests.support.browser import Browser
from tests.support.running import running_app

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass
class HeldApi:
    """The sandbox, but for one path that answers when it is let go."""

    url: str = ""
    app: ASGIApp | None = None
    arrived: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        if scope["path"] != "/v1/held":
            await self.app(scope, receive, send)
            return
        self.arrived.set()
        await anyio.to_thread.run_sync(self.released.wait, SECONDS)
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"done"})


@dataclass
class Stage:
    """A gateway in a process of its own, and its API."""

    process: subprocess.Popen[str]
    api: HeldApi
    public_url: str
    admin_url: str

    def drains(self) -> None:
        """Wait until it says that it is draining."""
        with httpx.Client(base_url=self.admin_url, trust_env=False) as client:
            while (answer := client.get("/readyz")).status_code == 200:
                pass
            assert (answer.status_code, answer.json()["code"]) == (503, "draining")
            assert client.get("/livez").status_code == 200

    def accepts(self) -> bool:
        """Tell whether the public listener takes a new connection."""
        try:
            httpx.get(f"{self.public_url}/auth/session", trust_env=False)
        except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError):
            return False
        return True


@pytest.fixture
def api() -> Iterator[HeldApi]:
    api = HeldApi()
    with running_app(api) as api.url:
        yield api
        api.released.set()


def settings_before(api: HeldApi, **more: str) -> dict[str, str]:
    """Build the settings of a gateway before this API, and register it there."""
    settings = serve_settings(api_url=api.url, authorization_server=api.url, **more)
    api.app = build_sandbox(
        SandboxOptions(
            base_url=api.url,
            client_id=settings["LEXGATE_CLIENT_ID"],
            client_secret=settings["LEXGATE_CLIENT_SECRET"],
            redirect_uris=(f"{settings['LEXGATE_PUBLIC_URL']}/auth/callback",),
        )
    )
    return settings


@contextmanager
def serving(api: HeldApi, settings: dict[str, str], cwd: Path) -> Iterator[Stage]:
    public_url = settings["LEXGATE_PUBLIC_URL"]
    with started("serve", cwd=cwd, settings=settings) as process:
        assert read_until(process.stderr, "\n") == f"lexgate serves {public_url}\n"
        yield Stage(process, api, public_url, f"http://{settings['LEXGATE_ADMIN_BIND']}")


@pytest.fixture
def stage(api: HeldApi, tmp_path: Path) -> Iterator[Stage]:
    with serving(api, settings_before(api), tmp_path) as stage:
        yield stage


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


def test_serve_is_ready_within_a_second(tmp_path: Path) -> None:
    # The best of several: this is about the gateway, not about what else the machine does.
    taken = []
    for _ in range(5):
        settings = serve_settings()
        begun = time.perf_counter()
        with started("serve", cwd=tmp_path, settings=settings) as process:
            read_until(process.stderr, "lexgate serves")
            with httpx.Client(trust_env=False) as client:
                assert client.get(f"{settings['LEXGATE_PUBLIC_URL']}/auth/session").status_code == 200
            taken.append(time.perf_counter() - begun)
            assert end(process)[0] == 0
    assert min(taken) < 1.0, taken


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
