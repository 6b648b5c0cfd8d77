"""`lexgate serve --workers`: several processes that look like one from outside."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from tests.flows.cli.crew import REQUEST, log_of, metrics_of, sockets_of, until, workers_of
from tests.flows.cli.process import SECONDS, end, run, serve_settings
from tests.flows.cli.stage import serving, settings_before
from tests.flows.cli.test_cli_serve import call_in_flight
from tests.support.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.flows.cli.stage import HeldApi, Stage

CALLS = 'lexgate_requests_total{method="GET",route="/auth/session",status="200"}'


@pytest.fixture
def crew(api: HeldApi, tmp_path: Path) -> Iterator[Stage]:
    """Run a gateway with two workers on one SQLite file."""
    with serving(api, settings_before(api, store="", workers="2"), tmp_path) as stage:
        yield stage


def test_two_workers_say_one_line_and_end_in_order(crew: Stage) -> None:
    assert len(workers_of(crew)) == 2
    with httpx.Client(trust_env=False) as client:
        assert client.get(f"{crew.public_url}/auth/session").status_code == 200
        assert client.get(f"{crew.admin_url}/livez").text == "ok\n"
        assert client.get(f"{crew.admin_url}/readyz").json() == {"ready": True}
    code, output, errors = end(crew.process)
    assert (code, errors) == (0, "")
    assert log_of(output, "error") == []


def test_the_command_line_wins_over_the_setting(tmp_path: Path) -> None:
    done = run("serve", "--workers", "two", cwd=tmp_path, settings=serve_settings(workers="2", store=""))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "lexgate: LEXGATE_WORKERS: must be a whole number from 1 to 99; write e.g. 2\n"


def test_workers_need_a_store_that_they_share(tmp_path: Path) -> None:
    done = run("serve", "--workers", "2", cwd=tmp_path, settings=serve_settings())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lexgate: LEXGATE_WORKERS: must be 1 with LEXGATE_STORE=memory://, for ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("setting", ["LEXGATE_BIND", "LEXGATE_ADMIN_BIND"])
def test_a_busy_port_is_one_clear_error(tmp_path: Path, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = serve_settings(workers="3", store="") | {setting: f"127.0.0.1:{port}"}
        done = run("serve", cwd=tmp_path, settings=settings)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"lexgate: {setting}: port {port} on 127.0.0.1 cannot be used")
    assert done.stderr.count("\n") == 1


def test_it_gives_up_if_no_worker_becomes_ready(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = serve_settings(workers="2", store=f"sqlite://{tmp_path}/file/sessions.db")
    done = run("serve", cwd=tmp_path, settings=settings)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("lexgate: LEXGATE_STORE: ")
    assert done.stderr.count("\n") == 1


def test_new_connections_are_shared_evenly(crew: Stage) -> None:
    port = urlsplit(crew.public_url).port
    before = {pid: sockets_of(pid) for pid in workers_of(crew)}
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), SECONDS))
        until(lambda: sum(sockets_of(pid) - had for pid, had in before.items()) == 60)
        shares = [sockets_of(pid) - had for pid, had in before.items()]
    assert min(shares) >= 20, shares


def test_metrics_are_of_all_workers_and_survive_one(crew: Stage) -> None:
    with Browser(crew.public_url) as browser:
        browser.sign_in()
    for _ in range(30):  # each on a connection of its own, so that both workers have some
        assert httpx.get(f"{crew.public_url}/auth/session", trust_env=False).status_code == 200
    before = metrics_of(crew)
    assert before[CALLS] == 30
    assert before['lexgate_request_duration_seconds_count{route="/auth/session"}'] == 30
    assert (before["lexgate_sessions"], before["lexgate_workers"]) == (1, 2)
    killed = workers_of(crew)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    until(lambda: metrics_of(crew).get("lexgate_workers") == 2 and not workers_of(crew) & killed)
    until(lambda: "lexgate_sessions" in metrics_of(crew))  # what one of the new ones counts, once it has
    after = metrics_of(crew)
    falling = {
        name for name, value in before.items() if "_seconds_" in name and value > after[name] and "{" in name
    }
    assert (after[CALLS], falling) == (30, set())
    assert (after["lexgate_sessions"], after["lexgate_worker_deaths_total"]) == (1, 2)
    code, output, _ = end(crew.process)
    assert (code, log_of(output, "error")) == (0, ["a worker died and is replaced"] * 2)


def test_a_worker_that_is_asked_to_end_is_replaced(crew: Stage) -> None:
    asked = min(workers_of(crew))
    os.kill(asked, signal.SIGTERM)
    until(lambda: asked not in workers_of(crew) and metrics_of(crew)["lexgate_workers"] == 2)
    assert end(crew.process)[0] == 0


def test_workers_end_with_their_supervisor_however_it_died(crew: Stage) -> None:
    orphans = workers_of(crew)
    crew.process.kill()
    crew.process.wait(SECONDS)
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in orphans))  # noqa: PTH110 - no more to it
    until(lambda: not crew.accepts())


def test_sigterm_lets_the_calls_in_flight_end(crew: Stage) -> None:
    with call_in_flight(crew) as answers:
        crew.process.send_signal(signal.SIGTERM)
        crew.drains()
        until(lambda: not crew.accepts())
        assert crew.process.poll() is None
    assert (answers[0].status_code, answers[0].text) == (200, "done")
    assert answers[0].headers["connection"] == "close"
    _, errors = crew.process.communicate(timeout=SECONDS)
    assert (crew.process.returncode, errors) == (0, "")


def test_signals_to_every_process_at_once_cut_nothing_off(crew: Stage) -> None:
    with call_in_flight(crew) as answers:
        for pid in {crew.process.pid, *workers_of(crew)}:
            os.kill(pid, signal.SIGTERM)  # as systemd does, and Ctrl-C
        crew.drains()
    assert (answers[0].status_code, answers[0].text) == (200, "done")
    crew.process.communicate(timeout=SECONDS)
    assert crew.process.returncode == 0


def test_silent_connections_are_closed_and_hold_nobody_up(crew: Stage) -> None:
    with ExitStack() as stack:
        address = ("127.0.0.1", urlsplit(crew.public_url).port)
        silent = [stack.enter_context(socket.create_connection(address, SECONDS)) for _ in range(6)]
        for connection in silent[:3]:
            connection.sendall(REQUEST)
            received = b""
            while not received.endswith(b"}"):
                received += connection.recv(65536)
            assert received.startswith(b"HTTP/1.1 200 ")
        begun = time.perf_counter()
        crew.process.send_signal(signal.SIGTERM)
        assert {connection.recv(1) for connection in silent} == {b""}
        crew.process.communicate(timeout=SECONDS)
    assert (crew.process.returncode, time.perf_counter() - begun < 10) == (0, True)


def test_one_worker_that_cannot_start_is_tried_again(api: HeldApi, tmp_path: Path) -> None:
    settings = settings_before(api, store=f"sqlite://{tmp_path}/state/sessions.db", workers="2")
    with serving(api, settings, tmp_path) as stage:
        state = tmp_path / "state"
        state.rename(tmp_path / "elsewhere")
        state.write_text("in the way of whoever opens it anew")
        killed = min(workers_of(stage))
        os.kill(killed, signal.SIGKILL)
        until(lambda: metrics_of(stage)["lexgate_worker_deaths_total"] >= 2)
        assert httpx.get(f"{stage.admin_url}/readyz", trust_env=False).status_code == 200
        state.unlink()
        (tmp_path / "elsewhere").rename(state)
        until(lambda: metrics_of(stage)["lexgate_workers"] == 2)
        assert end(stage.process)[0] == 0


def test_a_second_signal_ends_all_at_once(crew: Stage) -> None:
    pids = workers_of(crew)
    with socket.create_connection(("127.0.0.1", urlsplit(crew.public_url).port), SECONDS) as half:
        half.sendall(b"GET /auth/session HTTP/1.1\r\n")
        crew.process.send_signal(signal.SIGTERM)
        crew.drains()
        crew.process.send_signal(signal.SIGTERM)
        assert crew.process.wait(SECONDS) == -signal.SIGTERM
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids))  # noqa: PTH110 - no more to it


def test_sighup_to_the_only_worker_is_logged_and_changes_nothing(stage: Stage) -> None:
    stage.process.send_signal(signal.SIGHUP)
    assert stage.accepts()
    code, output, _ = end(stage.process)
    assert code == 0
    assert [line for line in log_of(output, "warning") if line.startswith("SIGHUP changes nothing")]
