"""A delivery of lexoffice is taken in once, answered at once, and heard by all who subscribed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.errors import StoreUnavailable
from gateway.sessions.memory import MemoryStore
from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.webhooks import PATH, SETTINGS, body_of, deliver, listening, written
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running


@pytest.fixture(scope="module", params=["lexware", "openid"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    with running_gateway(request.param, settings=SETTINGS) as running:
        yield running


def state(browser: Browser) -> str:
    document = browser.fetch("/auth/session").json()
    return "active" if document["active"] else document["reason"]


def revoke(running: Running, connection_id: str, *, at: float) -> None:
    """Let lexoffice tell that a connection was ended."""
    changes = {"eventType": "token.revoked", "resourceId": connection_id, "eventDate": written(at)}
    assert deliver(running, changes=changes).status_code == 204


def connection_of(running: Running) -> str:
    return running.sandbox.grants.connections()[-1].id


def test_an_event_is_heard_as_lexoffice_told_it(running: Running) -> None:
    with listening(running) as ear:
        moment = running.clock() - 60
        answer = deliver(running, body_of(moment, eventType="invoice.status.changed", resourceId="heard"))
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["cache-control"] == "no-store"
        until(lambda: bool(ear.events))
    (event,) = ear.events
    assert (event.type, event.organization_id, event.resource_id, event.date) == (
        "invoice.status.changed",
        "an-organization",
        "heard",
        written(moment),
    )
    assert event.id


def test_the_url_can_be_looked_at(running: Running) -> None:
    for method in ("HEAD", "GET"):
        answer = httpx.request(method, f"{running.url}{PATH}", trust_env=False)
        assert (answer.status_code, answer.content) == (204, b"")


def test_without_a_key_there_is_no_webhook() -> None:
    with running_gateway() as running:
        for method in ("HEAD", "GET", "POST"):
            answer = httpx.request(method, f"{running.url}{PATH}", trust_env=False)
            assert answer.status_code == 404
        assert deliver(running).json()["code"] == "route_unknown"


def test_an_unknown_type_is_taken_in_and_nobody_hears_of_it(running: Running) -> None:
    with listening(running) as ear:
        for kind in ("time-travel.began", "invoice.paid.twice"):
            assert deliver(running, changes={"eventType": kind}).status_code == 204
        assert deliver(running, changes={"resourceId": "known"}).status_code == 204
        until(lambda: bool(ear.events))
        assert [event.resource_id for event in ear.events] == ["known"]


def test_members_that_lexoffice_may_add_are_passed_over(running: Running) -> None:
    with listening(running) as ear:
        changes = {"resourceId": "more", "version": 7, "links": [{"rel": "self"}]}
        assert deliver(running, changes=changes).status_code == 204
        until(lambda: bool(ear.events))


def test_a_charset_may_be_stated(running: Running) -> None:
    """RFC 8259 §8.1: there is but one."""
    for kind in ("application/json; charset=UTF-8", 'Application/JSON;charset="utf-8"', "application/json;"):
        body = body_of(running.clock(), resourceId=f"charset-{len(kind)}")
        assert deliver(running, body, headers={"Content-Type": kind}).status_code == 204


def test_a_delivery_is_logged_and_counted(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    body = body_of(running.clock(), eventType="payment.changed", resourceId="counted")
    with caplog.at_level(logging.INFO, "gateway.audit"):
        for _ in range(2):
            assert deliver(running, body).status_code == 204
        assert deliver(running, changes={"eventType": "time-travel.ended"}).status_code == 204
    lines = [vars(record)["fields"] for record in caplog.records if record.message == "webhook"]
    assert [(line["outcome"], line["type"]) for line in lines] == [
        ("success", "payment.changed"),
        ("repeated", "payment.changed"),
        ("unknown", "time-travel.ended"),
    ]
    assert {line["organization"] for line in lines} == {"an-organization"}
    page = httpx.get(f"{running.admin_url}/metrics", trust_env=False).text
    assert 'lexgate_webhooks_total{outcome="success",type="payment.changed"} 1.0' in page
    assert 'lexgate_webhooks_total{outcome="repeated",type="payment.changed"} 1.0' in page
    assert "time-travel" not in page
    assert f'lexgate_requests_total{{method="POST",route="{PATH}",status="204"}}' in page


def test_while_the_store_is_away_a_delivery_is_refused_and_taken_in_later(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = body_of(running.clock(), resourceId="later")

    async def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable

    with listening(running) as ear:
        for operation in ("append_event", "spent_until", "spend_once"):
            with monkeypatch.context() as patch:
                patch.setattr(MemoryStore, operation, fail)
                answer = deliver(running, body)
            assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
            assert int(answer.headers["retry-after"]) > 0
        assert deliver(running, body).status_code == 204
        assert deliver(running, body).status_code == 204
        until(lambda: len(ear.events) == 2)
        # The last of the failures came after it was told: better twice than never.
        assert {event.resource_id for event in ear.events} == {"later"}


def test_a_store_that_hangs_delays_no_answer_beyond_a_second(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(MemoryStore, "spent_until", hang)
        answer = deliver(running, changes={"resourceId": "slow"})
    assert answer.elapsed.total_seconds() < 2  # 0.8 s, and what a busy machine adds
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")


def test_a_connection_that_lexoffice_ended_is_signed_out(caplog: pytest.LogCaptureFixture) -> None:
    with running_gateway(settings=SETTINGS) as running, Browser(running.public_url) as browser:
        browser.sign_in()
        connection = connection_of(running)
        with Browser(running.public_url) as other, caplog.at_level(logging.INFO, "gateway.audit"):
            other.sign_in(user="jonas")
            revoke(running, connection, at=running.clock())
            until(lambda: state(browser) == "grant_ended")
            call = browser.fetch("/api/v1/profile")
            assert (call.status_code, call.json()["reason"]) == (401, "grant_ended")
            assert other.fetch("/api/v1/profile").status_code == 200
        ended = [vars(record)["fields"] for record in caplog.records if record.message == "session_ended"]
        assert [line["outcome"] for line in ended] == ["grant_ended"]
        # Its tokens are dead: nothing is revoked, now or later.
        running.call(running.gateway._revocation.drain())  # noqa: SLF001 - nothing else tells when it is done
        running.call(running.gateway._sweep.sweep())  # noqa: SLF001 - the same
        assert running.sandbox.counters.events["revoked_tokens"] == 0
        assert connection in {each.id for each in running.sandbox.grants.connections()}


def test_only_sessions_from_before_the_end_of_a_connection_end() -> None:
    with running_gateway(settings=SETTINGS) as running, Browser(running.public_url) as browser:
        ended_at = running.clock()
        running.clock.advance(5)
        browser.sign_in()
        connection = connection_of(running)
        revoke(running, connection, at=ended_at)
        revoke(running, "unknown", at=running.clock())
        wait_for_subscribers(running)
        assert state(browser) == "active"
        revoke(running, connection, at=running.clock() + 1)
        until(lambda: state(browser) == "grant_ended")


def test_a_connection_is_ended_once_the_store_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable

    with running_gateway(settings=SETTINGS) as running, Browser(running.public_url) as browser:
        browser.sign_in()
        under_way = running.gateway._ended_connections._under_way  # noqa: SLF001 - nothing else tells
        with monkeypatch.context() as patch:
            patch.setattr(MemoryStore, "list_sessions", fail)
            revoke(running, connection_of(running), at=running.clock())
            until(lambda: bool(under_way))
        until(lambda: state(browser) == "grant_ended")


def wait_for_subscribers(running: Running) -> None:
    """Wait until every event that was published was seen to."""
    gateway = running.gateway
    end = running.call(gateway._store.read_events(None, wait_seconds=0, limit=1)).last  # noqa: SLF001 - nothing else tells
    until(lambda: gateway._bus.last_id == str(end))  # noqa: SLF001 - the same
    until(lambda: not gateway._ended_connections._under_way)  # noqa: SLF001 - the same
