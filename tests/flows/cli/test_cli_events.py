"""Streams of events and a gateway that ends: they end at once, come back, and miss nothing."""

from __future__ import annotations

import re
import signal
import time
from typing import TYPE_CHECKING

from gateway.events.bus import Bus
from gateway.events.event import Event
from gateway.sandbox.accounts import NORDLICHT
from gateway.sessions.keyring import Keyring
from gateway.sessions.redis import RedisStore
from gateway.sessions.sqlite import SqliteStore
from tests.flows.cli.crew import log_of, metrics_of, until, workers_of
from tests.flows.cli.process import SECONDS, end
from tests.flows.cli.stage import serving, settings_before
from tests.flows.cli.test_cli_replicas import redis, replicas
from tests.support.browser import Browser
from tests.support.event_streams import (
    END,
    PATH,
    At,
    connected,
    last_id,
    listening,
    next_event,
    request,
    told,
)
from tests.support.wire import SOON

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.sessions.store import SessionStore
    from tests.flows.cli.stage import HeldApi, Stage

__all__ = ["redis"]  # a fixture

_RETRY = re.compile(rb"retry: (\d+)\n\n")


async def publish(settings: dict[str, str], store: SessionStore, resource: str) -> None:
    """Publish an event as another process on the same store does."""
    await store.open()
    try:
        bus = Bus(store, Keyring([settings["LEXGATE_SECRETS"]]), clock=time.time)
        await bus.publish(
            Event(
                type="invoice.changed", organization_id=NORDLICHT.id, resource_id=resource, date="2026-11-26"
            )
        )
    finally:
        await store.close()


def test_sigterm_ends_streams_at_once_and_says_when_to_come_back(stage: Stage) -> None:
    with Browser(stage.public_url) as browser:
        browser.sign_in()
        with listening(At(stage.public_url), browser) as raw:
            raw.received.clear()
            stage.process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            raw.receive_until(END)
            [pause] = _RETRY.findall(bytes(raw.received))
            assert 200 <= int(pause) < 1000
            assert told(raw) == [], "the session goes on"
            assert time.monotonic() - began < SOON
            output, _ = stage.process.communicate(timeout=SECONDS)
    assert stage.process.returncode == 0
    assert time.monotonic() - began < 2 * SOON
    assert log_of(output, "error") == []


def test_a_stream_that_begins_while_the_gateway_ends_is_a_short_one(stage: Stage) -> None:
    with Browser(stage.public_url) as browser, connected(At(stage.public_url)) as raw:
        browser.sign_in()
        assert raw.ask(request(browser, path="/auth/session")).status == 200
        with listening(At(stage.public_url), browser) as other:
            stage.process.send_signal(signal.SIGTERM)
            other.receive_until(END)
        raw.send(request(browser))
        said = raw.rest()
        assert said.startswith(b"HTTP/1.1 200 "), "an EventSource comes back after no other status"
        assert b"connection: close" in said
        assert (len(_RETRY.findall(said)), said.endswith(END)) == (2, True)
        assert stage.process.wait(SECONDS) == 0


async def test_a_rolling_restart_loses_no_event(api: HeldApi, tmp_path: Path) -> None:
    database = tmp_path / "sessions.sqlite"
    settings = settings_before(api, store=f"sqlite://{database}", workers="2", log_level="warning")
    with serving(api, settings, tmp_path) as stage, Browser(stage.public_url) as browser:
        browser.sign_in()
        with listening(At(stage.public_url), browser) as raw:
            await publish(settings, SqliteStore(database), "before")
            assert next_event(raw).document["resource_id"] == "before"
            known = last_id(raw)
            former = workers_of(stage)
            stage.process.send_signal(signal.SIGHUP)
            raw.receive_until(END)
            await publish(settings, SqliteStore(database), "between")
        until(lambda: not former & workers_of(stage) and len(workers_of(stage)) == 2)
        with listening(At(stage.public_url), browser, {"Last-Event-ID": known}) as raw:
            while not told(raw):
                assert raw.receive()
            await publish(settings, SqliteStore(database), "after")
            assert next_event(raw).document["resource_id"] == "after"
            assert [event.document["resource_id"] for event in told(raw)] == ["between", "after"]
            assert metrics_of(stage)["lexgate_event_streams"] == 1
        code, output, errors = end(stage.process)
    assert (code, errors, log_of(output, "error")) == (0, "", [])


def test_an_open_stream_holds_up_no_restart(api: HeldApi, tmp_path: Path) -> None:
    with serving(api, settings_before(api, store="", workers="2"), tmp_path) as stage:
        with Browser(stage.public_url) as browser:
            browser.sign_in()
            with listening(At(stage.public_url), browser):
                former = workers_of(stage)
                began = time.monotonic()
                stage.process.send_signal(signal.SIGHUP)
                until(lambda: not former & workers_of(stage))
                assert time.monotonic() - began < 15, "less than calls in flight may take"
            assert browser.fetch(PATH, "HEAD").status_code == 405
        assert end(stage.process)[0] == 0


async def test_behind_nginx_a_stream_goes_on_at_the_other_replica(
    api: HeldApi, redis: str, tmp_path: Path
) -> None:
    with replicas(api, redis, tmp_path) as (*stages, settings), Browser(stages[0].public_url) as browser:
        browser.sign_in()
        with listening(At(browser.origin), browser) as raw:
            await publish(settings, RedisStore(redis), "before")
            assert next_event(raw).document["resource_id"] == "before"
            known = last_id(raw)
            [holding] = [each for each in stages if metrics_of(each)["lexgate_event_streams"] == 1]
            [other] = [each for each in stages if each is not holding]
            holding.process.send_signal(signal.SIGTERM)
            raw.receive_until(END)
        await publish(settings, RedisStore(redis), "between")
        with listening(At(browser.origin), browser, {"Last-Event-ID": known}) as raw:
            while not told(raw):
                assert raw.receive()
            assert [event.document["resource_id"] for event in told(raw)] == ["between"]
            assert metrics_of(other)["lexgate_event_streams"] == 1
            raw.reset()
            until(lambda: metrics_of(other)["lexgate_event_streams"] == 0)
        assert holding.process.wait(SECONDS) == 0
