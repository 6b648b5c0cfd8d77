"""What must not come of streams and of deliveries, whoever sends what, and whatever a store forgets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from gateway.events import recent_events
from gateway.sessions.event_log import EVENTS_SECONDS
from tests.contract.redis_servers import RedisServer, free_port
from tests.support.browser import Browser
from tests.support.event_streams import (
    END,
    listening,
    next_event,
    next_events,
    organization_of,
    publish,
    request,
    told,
)
from tests.support.running import RunningClock, running_gateway, running_replica
from tests.support.webhooks import SETTINGS, body_of, deliver
from tests.support.webhooks import listening as hearing
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.running import Running


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path, free_port())
    yield server
    server.stop()


@pytest.fixture
def running(redis: RedisServer) -> Iterator[Running]:
    with running_gateway("lexware", store=redis.url, clock=RunningClock()) as running:
        yield running


@pytest.fixture
def anna(running: Running) -> Iterator[Browser]:
    with Browser(running.public_url) as browser:
        browser.sign_in()
        yield browser


def test_streams_hear_on_after_redis_has_lost_the_end_of_the_log(
    redis: RedisServer, running: Running, anna: Browser
) -> None:
    """As many events come as were lost: none of them is taken for one that was heard."""
    organization = organization_of(anna)
    with listening(running, anna) as raw:
        publish(running, organization, "kept")
        next_event(raw)
        assert redis.ask("save") == "OK"
        publish(running, organization, "lost")
        known = next_event(raw).id
    with listening(running, anna, {"Last-Event-ID": known}) as raw:
        redis.stop()
        redis.start()
        until(lambda: anna.fetch("/auth/session").status_code == 200)
        publish(running, organization, "new")
        assert [event.kind for event in next_events(raw, 2)] == ["missed", "lexoffice"]
        publish(running, organization, "newer")
        assert next_event(raw).document["resource_id"] == "newer"
    with listening(running, anna, {"Last-Event-ID": known}) as raw:
        assert [event.kind for event in told(raw)] == ["missed"]


def test_a_delivery_that_comes_many_times_at_once_is_told_once(tmp_path: Path) -> None:
    with ExitStack() as stack:
        running = stack.enter_context(
            running_gateway(settings=SETTINGS, store=f"sqlite:///{tmp_path}/sessions.sqlite")
        )
        ear = stack.enter_context(hearing(running))
        body = body_of(running.clock(), resourceId="once")
        with ThreadPoolExecutor(16) as pool:
            answers = [pool.submit(deliver, running, body) for _ in range(64)]
            assert {answer.result().status_code for answer in answers} == {204}
        assert deliver(running, changes={"resourceId": "afterwards"}).status_code == 204
        until(lambda: bool(ear.events) and ear.events[-1].resource_id == "afterwards")
        assert [event.resource_id for event in ear.events] == ["once", "afterwards"]


def test_a_flood_of_one_organization_s_deliveries_leaves_room_for_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever has lexoffice can have it sign what they change there, and send us all of it at once."""
    monkeypatch.setattr(recent_events, "KEPT_OF_ONE", 5)
    with ExitStack() as stack:
        store = f"sqlite:///{tmp_path}/sessions.sqlite"
        first = stack.enter_context(running_gateway(settings=SETTINGS, store=store))
        second = stack.enter_context(running_replica(first))
        ears = [stack.enter_context(hearing(running)) for running in (first, second)]
        heard = 0

        def send(resource: str, *, by: Running, of: str = "a-stranger", kind: str = "contact.changed") -> int:
            nonlocal heard
            changes = {"resourceId": resource, "organizationId": of, "eventType": kind}
            answer = deliver(by, changes=changes)
            if answer.status_code == 204:
                heard += kind != "a.b"
                until(lambda: [len(ear.events) for ear in ears] == [heard] * 2)
            else:
                assert (answer.json()["code"], answer.headers["retry-after"]) == ("webhook_busy", "60")
            return answer.status_code

        flood = [send(f"flood-{number}", by=(first, second)[number % 2]) for number in range(7)]
        assert flood == [204] * 5 + [429] * 2
        assert send("ours", by=first, of="another-organization") == 204
        revoked = [send(f"connection-{number}", by=second, kind="token.revoked") for number in range(6)]
        assert revoked == [204] * 5 + [429]
        assert send("unheard-of", by=first, kind="a.b") == 204
        first.clock.advance(EVENTS_SECONDS)
        assert send("flood-5", by=second) == 204


@pytest.mark.parametrize("part", ["heads", "bodies"])
def test_large_requests_behind_a_stream_are_not_kept_for_as_long_as_it_lasts(part: str) -> None:
    """Five streams of a session with sixteen requests of 64 KB behind each would be 5 MB for hours."""
    with running_gateway() as running, Browser(running.public_url) as browser:
        browser.sign_in()
        fields = {f"X-{number}": "x" * 7000 for number in range(8)} if part == "heads" else {}
        body = "" if part == "heads" else "x" * 60_000
        one = request(browser, {**fields, "Content-Length": str(len(body))}, path="/auth/session")
        with listening(running, browser) as raw:
            raw.send((one + body.encode()) * 16)
            raw.wait_until_read()
            publish(running, organization_of(browser))
            assert next_event(raw).kind == "lexoffice"
            browser.fetch("/auth/logout", "POST")
            raw.receive_until(END)
            del raw.received[: raw.received.index(END) + len(END)]
            raw.rest()
        assert raw.received.count(b'"reason":"signed_out"') == 2
        assert raw.end == "eof"
