"""`lexgate webhooks`: a user's event subscriptions, with the user's token and within the budget."""

from __future__ import annotations

import itertools
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from gateway.events.event import LEXOFFICE_TYPES
from gateway.sandbox.accounts import NORDLICHT
from tests.flows.cli.process import run
from tests.support.browser import Browser
from tests.support.running import RunningClock, running_gateway
from tests.support.webhooks import SETTINGS

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.running import Running

SCOPE = "profile.read contacts.read event-subscriptions.read event-subscriptions.write"
EVENTS = ("--event", "contact.changed", "--event", "token.revoked")
AGO = 60.0
"""The sign-in lies so far back that its token may be renewed."""


@contextmanager
def signed_in(folder: Path, **settings: str) -> Iterator[tuple[Running, str]]:
    """Run a gateway with one user; yields the user's subject too."""
    named = {f"LEXGATE_{name.upper()}": value for name, value in settings.items()}
    with (
        running_gateway(
            settings={**SETTINGS, "LEXGATE_SCOPE": SCOPE, "LEXGATE_BUDGET_RATE": "0", **named},
            store=f"sqlite:///{folder / 'sessions.db'}",
            clock=RunningClock(now=time.time() - AGO),
        ) as running,
        Browser(running.public_url) as browser,
    ):
        browser.sign_in()
        yield running, browser.fetch("/auth/session").json()["subject"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, str]]:
    with signed_in(tmp_path_factory.mktemp("webhooks")) as stage:
        yield stage


@pytest.fixture
def running(stage: tuple[Running, str]) -> Running:
    stage[0].sandbox.faults.clear()
    stage[0].sandbox.books[NORDLICHT.id].subscriptions.clear()
    stage[0].sandbox.arrivals.clear()
    return stage[0]


@pytest.fixture
def subject(stage: tuple[Running, str]) -> str:
    return stage[1]


def command(
    running: Running, verb: str, *arguments: str, cwd: Path, **settings: str
) -> subprocess.CompletedProcess[str]:
    named = {f"LEXGATE_{name.upper()}": value for name, value in settings.items()}
    return run("webhooks", verb, *arguments, cwd=cwd, settings={**running.environment, **named})


def subscriptions(running: Running) -> list[tuple[str, str]]:
    rows: Any = running.sandbox.books[NORDLICHT.id].subscriptions.values()
    return sorted((row["eventType"], row["callbackUrl"]) for row in rows)


def test_subscriptions_are_registered_listed_and_removed(
    running: Running, subject: str, tmp_path: Path
) -> None:
    url = f"{running.public_url}/webhooks/lexoffice"
    who = ("--subject", subject)

    done = command(running, "register", *who, *EVENTS, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["contact.changed", "registered"],
        ["token.revoked", "registered"],
    ]
    assert subscriptions(running) == [("contact.changed", url), ("token.revoked", url)]

    again = command(running, "register", *who, *EVENTS, "--event", "invoice.created", cwd=tmp_path)
    assert (again.returncode, again.stdout.count("was there"), again.stdout.count("registered")) == (0, 2, 1)

    listed = command(running, "list", *who, cwd=tmp_path)
    assert listed.returncode == 0
    rows = sorted(line.split()[1:] for line in listed.stdout.splitlines())
    assert rows == [["contact.changed", url], ["invoice.created", url], ["token.revoked", url]]

    removed = command(running, "remove", *who, "--event", "token.revoked", cwd=tmp_path)
    assert (removed.returncode, removed.stdout.split()) == (0, ["token.revoked", "removed"])
    elsewhere = command(running, "remove", *who, "--url", f"{url}/other", cwd=tmp_path)
    assert (elsewhere.returncode, elsewhere.stdout) == (0, f"no such subscriptions for {url}/other\n")
    assert command(running, "remove", *who, cwd=tmp_path).stdout.count("removed") == 2
    assert subscriptions(running) == []
    assert command(running, "list", *who, cwd=tmp_path).stdout == "no subscriptions\n"


def test_without_types_every_documented_one_is_registered(
    running: Running, subject: str, tmp_path: Path
) -> None:
    done = command(running, "register", "--subject", subject, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert {kind for kind, _ in subscriptions(running)} == LEXOFFICE_TYPES


def test_a_url_that_does_not_answer_is_told_with_lexoffices_words(
    running: Running, subject: str, tmp_path: Path
) -> None:
    url = f"{running.public_url}/auth/nowhere"
    done = command(running, "register", "--subject", subject, "--url", url, *EVENTS, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"contact.changed was not registered for {url}: lexoffice answers 406" in done.stderr
    assert "HEAD" in done.stderr


def test_an_access_token_that_died_is_renewed(running: Running, subject: str, tmp_path: Path) -> None:
    before = running.refreshes()
    running.sandbox.grants.kill_access_tokens()
    done = command(running, "register", "--subject", subject, *EVENTS, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert running.refreshes() == before + 1


def test_a_refused_rate_is_waited_for(running: Running, subject: str, tmp_path: Path) -> None:
    running.sandbox.faults.inject("api_429", times=2)
    done = command(running, "register", "--subject", subject, *EVENTS, cwd=tmp_path)
    assert (done.returncode, done.stdout.count("registered")) == (0, 2)


def test_a_refused_rate_slows_the_budget_down(running: Running, subject: str, tmp_path: Path) -> None:
    running.sandbox.faults.inject("api_429", times=1)
    done = command(running, "list", "--subject", subject, cwd=tmp_path, budget_rate="50")
    assert (done.returncode, done.stdout) == (0, "no subscriptions\n")
    assert [call.status for call in running.sandbox.arrivals] == [429, 200]


def test_an_answer_that_breaks_off_is_asked_for_again(running: Running, subject: str, tmp_path: Path) -> None:
    running.sandbox.faults.inject("api_abort", times=1)
    done = command(running, "list", "--subject", subject, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "no subscriptions\n")


def test_a_write_that_breaks_off_is_told_and_not_repeated(
    running: Running, subject: str, tmp_path: Path
) -> None:
    running.sandbox.faults.inject("api_dropped", {"method": "POST"}, times=1)
    done = command(running, "register", "--subject", subject, *EVENTS, cwd=tmp_path)
    assert done.returncode == 1
    assert "resource_server_broken" in done.stderr
    assert [call.method for call in running.sandbox.arrivals] == ["GET", "POST"]
    again = command(running, "register", "--subject", subject, *EVENTS, cwd=tmp_path)
    assert (again.returncode, again.stdout.count("was there")) == (0, 1)


def test_a_token_that_is_refused_for_good_is_told(running: Running, subject: str, tmp_path: Path) -> None:
    running.sandbox.faults.inject("api_401")
    done = command(running, "list", "--subject", subject, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "takes the user's token for dead" in done.stderr


def test_a_token_that_lexoffice_quotes_is_not_told(running: Running, subject: str, tmp_path: Path) -> None:
    running.sandbox.faults.inject("api_403_echo")
    done = command(running, "list", "--subject", subject, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    for connection in running.sandbox.grants.connections():
        assert connection.access_token not in done.stderr


def test_an_api_that_is_down_is_told(running: Running, subject: str, tmp_path: Path) -> None:
    done = command(
        running, "list", "--subject", subject, cwd=tmp_path, api_url="http://127.0.0.1:1", budget_rate="0"
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "resource_server_unreachable" in done.stderr


def test_an_unknown_type_is_told_with_those_that_there_are(
    running: Running, subject: str, tmp_path: Path
) -> None:
    done = command(running, "register", "--subject", subject, "--event", "contact.moved", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no event 'contact.moved'" in done.stderr
    assert "contact.changed" in done.stderr


def test_a_user_who_is_not_signed_in_is_told(running: Running, tmp_path: Path) -> None:
    done = command(running, "list", "--subject", "nobody", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr == "lexgate: nobody is signed in as 'nobody': have that user sign in and stay signed in\n"
    )


def test_a_store_that_nobody_else_sees_is_told(running: Running, subject: str, tmp_path: Path) -> None:
    done = command(running, "list", "--subject", subject, cwd=tmp_path, store="memory://")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lexgate: LEXGATE_STORE: must not be memory://")


def test_a_user_must_be_named(tmp_path: Path) -> None:
    done = run("webhooks", "list", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--subject" in done.stderr


def test_a_missing_scope_is_told_without_the_token(tmp_path: Path) -> None:
    with signed_in(tmp_path, scope="profile.read") as (running, subject):
        done = command(running, "list", "--subject", subject, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert "event-subscriptions.write; put them into LEXGATE_SCOPE" in done.stderr
        for connection in running.sandbox.grants.connections():
            assert connection.access_token not in done.stderr


def test_the_commands_keep_to_the_budget(running: Running, subject: str, tmp_path: Path) -> None:
    budget = {"budget_rate": "8", "budget_burst": "1"}
    done = command(running, "register", "--subject", subject, *EVENTS, cwd=tmp_path, **budget)
    assert done.returncode == 0
    arrivals = [call.at for call in running.sandbox.arrivals if call.path.startswith("/v1/event-sub")]
    assert len(arrivals) == 3
    assert all(later - earlier > 0.12 for earlier, later in itertools.pairwise(arrivals))
