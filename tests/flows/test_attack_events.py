"""What must not come of streams and of deliveries, whoever sends what, and whatever a store forgets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from gateway.events import delivery_pace
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
from tests.support.running import RunningClock, running_gateway
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
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever has lexoffice can have it sign what they change there, and send us all of it at once."""
    monkeypatch.setattr(delivery_pace, "AT_ONCE", 5)
    with running_gateway(settings=SETTINGS) as running, hearing(running) as ear:

        def send(resource: str, organization: str = "a-stranger", kind: str = "contact.changed") -> int:
            changes = {"resourceId": resource, "organizationId": organization, "eventType": kind}
            answer = deliver(running, changes=changes)
            if answer.status_code == 429:
                assert answer.json()["code"] == "webhook_busy"
                assert int(answer.headers["retry-after"]) > 0
            return answer.status_code

        assert [send(f"flood-{number}") for number in range(7)] == [204] * 5 + [429] * 2
        assert send("ours", "another-organization") == 204
        revoked = [send(f"connection-{number}", kind="token.revoked") for number in range(6)]
        assert revoked == [204] * 5 + [429]
        assert send("unheard-of", kind="a.b") == 204
        running.clock.advance(1 / delivery_pace.A_SECOND)
        assert [send("flood-5"), send("flood-6")] == [204, 429]
        running.clock.advance(-3600)  # a clock that is set back keeps nobody out for an hour
        assert send("set-back") == 204
        until(lambda: len(ear.events) == 13)


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
