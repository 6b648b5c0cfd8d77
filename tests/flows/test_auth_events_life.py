"""What the stream of events tells of the session itself, wherever it happens, and what it survives."""

from __future__ import annotations

import sqlite3
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.contract.redis_servers import RedisServer, free_port
from tests.flows.test_backchannel_logout import logout_token, notify, who
from tests.flows.test_operators_health import metrics
from tests.flows.test_remembered_sessions import stopped
from tests.support.browser import Browser
from tests.support.event_streams import (
    END,
    listening,
    next_event,
    next_events,
    organization_of,
    publish,
    told,
    told_within,
)
from tests.support.running import RunningClock, running_gateway, running_replica
from tests.support.wire import SOON, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.support.running import Running

"""A second, and what the machine is busy with."""


@dataclass
class Stage:
    """Two gateways on one store, and how to take it away."""

    gateways: list[Running]
    outage: Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("events")
    with ExitStack() as stack:
        path = folder / "sessions.sqlite"
        store, outage = f"sqlite:///{path}", partial(unreadable, path)
        if request.param == "redis":
            server = RedisServer(folder, free_port(), "appendonly yes", "appendfsync always")
            stack.callback(server.stop)
            store, outage = f"redis://127.0.0.1:{server.port}", partial(stopped, server)
        first = stack.enter_context(running_gateway("openid", store=store, clock=RunningClock()))
        yield Stage([first, stack.enter_context(running_replica(first))], outage)


@pytest.fixture
def gateways(stage: Stage) -> list[Running]:
    return stage.gateways


@pytest.fixture
def browser(gateways: list[Running]) -> Iterator[Browser]:
    with Browser(gateways[0].public_url) as browser:
        browser.sign_in()
        yield browser


@contextmanager
def unreadable(database: Path) -> Iterator[None]:
    """Take the sessions away until the block ends: every look-up fails."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE sessions RENAME TO away")
        yield
        connection.execute("ALTER TABLE away RENAME TO sessions")


def sign_out(browser: Browser, _: Running) -> str:
    assert browser.fetch("/auth/logout", "POST").status_code == 200
    return "signed_out"


def let_it_idle(_: Browser, gateway: Running) -> str:
    gateway.clock.advance(1801)
    return "idle"


def end_at_the_authorization_server(browser: Browser, gateway: Running) -> str:
    subject, sid = who(gateway, browser)
    assert notify(gateway, logout_token(gateway, sub=subject, sid=sid)).status_code == 200
    return "signed_out_elsewhere"


def end_from_another_browser(browser: Browser, gateway: Running) -> str:
    sessions = browser.fetch("/auth/sessions").json()["sessions"]
    [own] = [each["id"] for each in sessions if each["current"]]
    with Browser(gateway.public_url) as other:
        other.sign_in()
        assert other.fetch(f"/auth/sessions/{own}", "DELETE").status_code == 200
    return "signed_out_elsewhere"


@pytest.mark.parametrize("is_elsewhere", [False, True], ids=["here", "on another replica"])
@pytest.mark.parametrize(
    "end", [sign_out, let_it_idle, end_at_the_authorization_server, end_from_another_browser]
)
def test_a_stream_tells_the_end_of_its_session_within_a_second_and_ends(
    gateways: list[Running], browser: Browser, end: Callable[[Browser, Running], str], *, is_elsewhere: bool
) -> None:
    with listening(gateways[is_elsewhere], browser) as raw:
        began = time.monotonic()
        reason = end(browser, gateways[0])
        raw.receive_until(END)
        assert time.monotonic() - began < SOON
        assert told(raw)[-1] == ("session.ended", {"reason": reason, "login_url": "/auth/login"}, "")
        assert raw.received.endswith(END)
        until(lambda: metrics(gateways[is_elsewhere])["lexgate_event_streams"] == 0)


@pytest.mark.parametrize("is_elsewhere", [False, True], ids=["here", "on another replica"])
def test_a_stream_tells_of_newer_tokens(
    gateways: list[Running], browser: Browser, *, is_elsewhere: bool
) -> None:
    gateways[0].clock.advance(11)
    with listening(gateways[is_elsewhere], browser) as raw:
        tokens = browser.fetch("/auth/session/refresh", "POST").json()["tokens"]
        event = next_event(raw)
    assert event == ("session.refreshed", {"expires_at": tokens["expires_at"], "generation": 2}, "")


def test_a_stream_warns_of_the_end_and_takes_it_back_when_the_user_is_active_elsewhere(
    gateways: list[Running], browser: Browser
) -> None:
    first, second = gateways
    with listening(second, browser) as raw:
        first.clock.advance(1770)
        kind, document, _ = next_event(raw)
        assert (kind, document["reason"]) == ("session.ending", "idle")
        assert 20 <= document["in_seconds"] <= 30
        assert browser.fetch("/auth/session/refresh", "POST").status_code == 200
        events = next_events(raw, 2)
        assert {event.kind for event in events} == {"session.refreshed", "session.extended"}


def test_while_the_store_is_away_nobody_is_told_to_be_signed_out(stage: Stage, browser: Browser) -> None:
    first, second = stage.gateways
    with Browser(first.public_url) as other, listening(first, browser) as raw, ExitStack() as stack:
        other.sign_in(user="jonas")
        bystander = stack.enter_context(listening(second, other))
        with stage.outage():
            until(lambda: other.fetch("/auth/session").status_code == 503)
            first.clock.advance(1801)
            assert other.fetch("/auth/events").status_code == 503
            assert (told_within(raw, seconds=1), told(bystander)) == ([], [])
        assert next_event(raw).document["reason"] == "idle"
        assert next_event(bystander).document["reason"] == "idle"


def test_streams_hear_of_events_again_after_an_outage(stage: Stage, browser: Browser) -> None:
    first, second = stage.gateways
    with listening(first, browser) as raw:
        with stage.outage():
            until(lambda: browser.fetch("/auth/session").status_code == 503)
        until(lambda: browser.fetch("/auth/session").status_code == 200)
        publish(second, organization_of(browser), "afterwards")
        assert next_event(raw).document["resource_id"] == "afterwards"


def test_a_browser_that_does_not_read_is_left_and_holds_up_nobody(
    gateways: list[Running], browser: Browser
) -> None:
    first, _ = gateways
    organization = organization_of(browser)
    large = "r" * 60_000
    with listening(first, browser) as idle, listening(first, browser) as reading:
        until(lambda: metrics(first)["lexgate_event_streams"] == 2)
        for _ in range(200):
            publish(first, organization, large)
            assert next_event(reading).document["resource_id"] == large
            reading.received.clear()
            if metrics(first)["lexgate_event_streams"] == 1:
                break
        assert metrics(first)["lexgate_event_streams"] == 1
        assert not idle.rest().endswith(END), "it is broken off"
