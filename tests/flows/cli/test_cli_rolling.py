"""SIGHUP: new settings, new workers, and no caller who notices."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.flows.cli.crew import calling, log_of, metrics_of, until, workers_of
from tests.flows.cli.process import end, read_until
from tests.flows.cli.stage import serving, settings_before
from tests.flows.cli.test_cli_serve import call_in_flight
from tests.support.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.flows.cli.stage import HeldApi, Stage


@contextmanager
def crew(api: HeldApi, folder: Path) -> Iterator[Stage]:
    """Run a gateway whose number of workers and idle time are written in lexgate.toml.

    Nobody reads its log meanwhile, so that there must not be much of it.
    """
    write(folder, workers=2, session_idle=1000)
    with serving(api, settings_before(api, store="", log_level="warning"), folder) as stage:
        yield stage


def write(folder: Path, **settings: object) -> None:
    lines = [f"{name} = {value!r}".replace("'", '"') for name, value in settings.items()]
    (folder / "lexgate.toml").write_text("\n".join(lines) + "\n")


def roll(stage: Stage, *, workers: int = 2) -> None:
    """Roll out what is written, and wait until all former workers are gone."""
    former = workers_of(stage)
    stage.process.send_signal(signal.SIGHUP)
    until(lambda: not former & workers_of(stage) and len(workers_of(stage)) == workers)
    until(lambda: metrics_of(stage)["lexgate_workers"] == workers)


def test_a_rolling_restart_loses_no_call_and_refuses_no_connection(api: HeldApi, tmp_path: Path) -> None:
    with crew(api, tmp_path) as stage:
        with calling(stage) as callers:
            for _ in range(2):
                answered = callers.answered
                roll(stage)
                until(lambda so_far=answered: callers.answered > so_far + 100)  # type: ignore[misc]
        assert callers.failures == []
        assert callers.announced > 0, "nobody was asked to come again"
        counted = metrics_of(stage)['lexgate_requests_total{method="GET",route="/auth/session",status="200"}']
        assert counted == callers.answered, "workers that have ended still count"
        code, output, errors = end(stage.process)
    assert (code, errors) == (0, "")
    assert (log_of(output, "warning"), log_of(output, "error")) == ([], [])


def test_a_call_in_flight_outlives_its_worker_s_replacement(api: HeldApi, tmp_path: Path) -> None:
    with crew(api, tmp_path) as stage:
        with call_in_flight(stage) as answers:
            former = workers_of(stage)
            stage.process.send_signal(signal.SIGHUP)
            until(lambda: len(workers_of(stage)) == 3 and len(workers_of(stage) & former) == 1)
        assert (answers[0].status_code, answers[0].text) == (200, "done")
        until(lambda: not workers_of(stage) & former)
        assert end(stage.process)[0] == 0


def test_settings_are_read_again_and_sessions_stay(api: HeldApi, tmp_path: Path) -> None:
    with crew(api, tmp_path) as stage, Browser(stage.public_url) as browser:
        browser.sign_in()
        assert browser.fetch("/auth/session").json()["session"]["idle_in_seconds"] <= 1000
        write(tmp_path, workers=2, session_idle=2000)
        roll(stage)
        with Browser(stage.public_url) as other:
            other.sign_in()
            assert 1000 < other.fetch("/auth/session").json()["session"]["idle_in_seconds"] <= 2000
        assert browser.fetch("/api/v1/profile").status_code == 200
        assert end(stage.process)[0] == 0


def test_there_can_be_more_workers_or_fewer(api: HeldApi, tmp_path: Path) -> None:
    with crew(api, tmp_path) as stage, calling(stage) as callers:
        for number in (4, 1, 2):
            write(tmp_path, workers=number)
            roll(stage, workers=number)
    assert callers.failures == []


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"session_idle": "soon"}, "LEXGATE_SESSION_IDLE: must be a whole number"),
        ({"bind": "127.0.0.1:1"}, "LEXGATE_BIND: cannot change while the gateway runs"),
        ({"store": "sqlite:///proc/sessions.db"}, "LEXGATE_STORE: "),
    ],
)
def test_settings_that_cannot_be_used_leave_everything_as_it_was(
    api: HeldApi, tmp_path: Path, written: dict[str, object], told: str
) -> None:
    settings = settings_before(api, store="", workers="2")
    usable = {"bind": settings.pop("LEXGATE_BIND")}
    write(tmp_path, **usable)
    with serving(api, settings, tmp_path) as stage:
        former = workers_of(stage)
        write(tmp_path, **(usable | written))
        stage.process.send_signal(signal.SIGHUP)
        said = read_until(stage.process.stdout, '"level":"error"')
        assert told in said
        assert stage.accepts()
        assert metrics_of(stage)["lexgate_workers"] == 2
        assert workers_of(stage) == former
        assert end(stage.process)[0] == 0
