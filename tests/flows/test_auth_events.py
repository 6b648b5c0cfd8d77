"""The stream of events: who may open one, what it begins with, what comes, and what it goes on after."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.test_operators_health import metrics
from tests.support.browser import Browser
from tests.support.event_streams import (
    END,
    PATH,
    connected,
    last_id,
    listening,
    next_event,
    organization_of,
    publish,
    request,
    told,
)
from tests.support.running import RunningClock, running_gateway, running_replica
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.running import Running

CHANGED = {"type": "invoice.changed", "resource_id": "r1", "date": "2026-11-26T10:00:00.000Z"}


@pytest.fixture(scope="module")
def gateways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Running]]:
    """Two gateways on one store."""
    folder: Path = tmp_path_factory.mktemp("state")
    with ExitStack() as stack:
        store = f"sqlite:///{folder}/sessions.sqlite"
        first = stack.enter_context(running_gateway("lexware", store=store, clock=RunningClock()))
        yield [first, stack.enter_context(running_replica(first))]


@pytest.fixture
def first(gateways: list[Running]) -> Running:
    return gateways[0]


@pytest.fixture
def second(gateways: list[Running]) -> Running:
    return gateways[1]


@pytest.fixture
def anna(first: Running) -> Iterator[Browser]:
    with Browser(first.public_url) as browser:
        browser.sign_in()
        yield browser


@pytest.fixture
def jonas(first: Running) -> Iterator[Browser]:
    with Browser(first.public_url) as browser:
        browser.sign_in(user="jonas")
        yield browser


def open_streams(running: Running) -> float:
    return metrics(running)["lexgate_event_streams"]


def test_a_stream_greets_its_browser_at_once_and_lets_nobody_keep_it(first: Running, anna: Browser) -> None:
    with listening(first, anna) as raw:
        head = bytes(raw.received).partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")
        assert head[0] == "http/1.1 200 ok"
        assert {"content-type: text/event-stream", "cache-control: no-store", "x-accel-buffering: no"} <= set(
            head
        )
        assert {"x-content-type-options: nosniff", "transfer-encoding: chunked"} <= set(head)
        assert any(line.startswith("x-request-id: ") for line in head)
        assert b"retry: 2000\n\n" in raw.received
        assert b"event: hello\n" in raw.received
        assert told(raw) == []


def test_an_event_reaches_the_streams_of_its_organization_on_every_replica(
    first: Running, second: Running, anna: Browser
) -> None:
    with listening(first, anna) as here, listening(second, anna) as there:
        place = publish(first, organization_of(anna))
        for raw in (here, there):
            assert next_event(raw) == ("lexoffice", CHANGED, place)


def test_another_organization_s_events_never_arrive(first: Running, anna: Browser, jonas: Browser) -> None:
    with listening(first, anna) as raw:
        for kind in ("invoice.changed", "contact.created"):
            publish(first, organization_of(jonas), "foreign", kind=kind)
        publish(first, organization_of(anna))
        assert next_event(raw).document == CHANGED
        assert b"foreign" not in raw.received


def test_what_replicas_tell_each_other_is_not_for_browsers(first: Running, anna: Browser) -> None:
    with listening(first, anna) as raw:
        for kind in ("cache", "token.revoked", "unheard.of"):
            publish(first, organization_of(anna), "internal", kind=kind)
        publish(first, organization_of(anna))
        assert next_event(raw).document == CHANGED
        assert b"internal" not in raw.received


@pytest.mark.parametrize("where", ["header", "query"])
@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_what_was_missed_is_told_to_who_comes_back_to_any_replica(
    first: Running, second: Running, anna: Browser, jonas: Browser, *, is_elsewhere: bool, where: str
) -> None:
    with listening(first, anna) as raw:
        publish(first, organization_of(anna), "seen")
        known = next_event(raw).id
    missed = [publish(first, organization_of(anna), f"missed {number}") for number in (1, 2)]
    publish(first, organization_of(jonas), "foreign")
    other = second if is_elsewhere else first
    until(lambda: other.gateway._bus.since(missed[-1]) is not None)  # noqa: SLF001 - nothing else tells
    until(lambda: len(other.gateway._bus.since(known) or ()) == 3)  # noqa: SLF001 - as above
    fields = {"Last-Event-ID": known} if where == "header" else {}
    path = PATH if where == "header" else f"{PATH}?last_event_id={known}"
    with listening(other, anna, fields, path=path) as raw:
        assert [(event.document["resource_id"], event.id) for event in told(raw)] == [
            ("missed 1", missed[0]),
            ("missed 2", missed[1]),
        ]
        assert b"foreign" not in raw.received
        publish(first, organization_of(anna), "live")
        assert next_event(raw).document["resource_id"] == "live"


def test_the_header_counts_more_than_the_query_which_an_event_source_cannot_change(
    first: Running, anna: Browser
) -> None:
    with listening(first, anna) as raw:
        known = last_id(raw)
    publish(first, organization_of(anna), "old")
    with listening(first, anna, {"Last-Event-ID": known}) as raw:
        newer = told(raw)[-1].id
    with listening(first, anna, {"Last-Event-ID": newer}, path=f"{PATH}?last_event_id={known}") as raw:
        assert told(raw) == []


def test_who_comes_with_an_id_beyond_the_end_is_told_so_and_hears_everything_from_here_on(
    first: Running, anna: Browser
) -> None:
    """This replica is behind, or the store has lost the end of its log: nobody knows which."""
    with listening(first, anna) as raw:
        epoch, _, number = last_id(raw).partition("-")
    ahead = f"{epoch}-{int(number) + 9}"
    with listening(first, anna, {"Last-Event-ID": ahead}) as raw:
        assert told(raw) == [("missed", {}, f"{epoch}-{number}")]
        assert publish(first, organization_of(anna), "new") == f"{epoch}-{int(number) + 1}"
        assert next_event(raw).document["resource_id"] == "new"


@pytest.mark.parametrize("unknown", ["17-4", "no id at all", "9" * 64, "0-0-0"])
def test_who_cannot_be_told_what_was_missed_is_told_so(first: Running, anna: Browser, unknown: str) -> None:
    publish(first, organization_of(anna), "before")
    with listening(first, anna, {"Last-Event-ID": unknown}) as raw:
        here = first.gateway._bus.last_id  # noqa: SLF001 - to compare
        assert told(raw) == [("missed", {}, here)], "from here on it can go on"
        publish(first, organization_of(anna), "live")
        assert next_event(raw).document["resource_id"] == "live"


def test_a_heartbeat_says_up_to_where_everything_was_told(
    first: Running, anna: Browser, jonas: Browser
) -> None:
    with listening(first, anna) as raw:
        place = publish(first, organization_of(jonas))
        raw.received.clear()
        raw.sock.settimeout(20)
        raw.receive_until(b":\nid: %b\n\n" % place.encode())
        assert told(raw) == []


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403, "cross_site_refused"),
        ({"Sec-Fetch-Site": "same-site"}, 403, "cross_site_refused"),
        ({"Origin": "https://evil.example"}, 403, "cross_site_refused"),
        ({"Cookie": "a=b"}, 401, "session_required"),
        ({"Last-Event-ID": "9" * 65}, 400, "request_invalid"),
        ({"Content-Length": "3"}, 400, "request_invalid"),
    ],
)
def test_a_stream_is_refused_with_the_reason(
    first: Running, anna: Browser, fields: dict[str, str], status: int, code: str
) -> None:
    before = open_streams(first)
    with connected(first) as raw:
        raw.send(request(anna, fields) + (b"abc" if "Content-Length" in fields else b""))
        answer = raw.answer()
    assert (answer.status, f'"code": "{code}"'.encode() in answer.body) == (status, True)
    assert open_streams(first) == before


def test_two_ids_are_refused_because_nobody_knows_which_one_is_meant(first: Running, anna: Browser) -> None:
    answer = anna.fetch(f"{PATH}?last_event_id=1-1&last_event_id=1-2")
    assert (answer.status_code, answer.json()["code"]) == (400, "parameter_repeated")
    assert first.url == anna.origin


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE"])
def test_only_reading_opens_a_stream(anna: Browser, method: str) -> None:
    answer = anna.fetch(PATH, method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_who_was_signed_out_is_told_why(first: Running, anna: Browser) -> None:
    said = request(anna)
    anna.fetch("/auth/logout", "POST")
    with connected(first) as raw:
        answer = raw.ask(said)
    assert (answer.status, b'"reason": "signed_out"' in answer.body) == (401, True)


def test_five_streams_of_a_session_are_allowed_and_a_place_is_free_again_when_one_ends(
    first: Running, second: Running, anna: Browser, jonas: Browser
) -> None:
    with ExitStack() as stack:
        raws = [stack.enter_context(listening(first, anna)) for _ in range(5)]
        answer = anna.fetch(PATH)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_streams")
        assert int(answer.headers["retry-after"]) > 0
        stack.enter_context(listening(first, jonas))
        stack.enter_context(listening(second, anna))
        raws[0].reset()
        until(lambda: open_streams(first) == 5)
        stack.enter_context(listening(first, anna))


def test_a_stream_never_slides_the_session(first: Running, anna: Browser) -> None:
    before = anna.fetch("/auth/session").json()["session"]["idle_at"]
    first.clock.advance(200)
    with listening(first, anna) as raw:
        publish(first, organization_of(anna))
        next_event(raw)
        assert anna.fetch("/auth/session").json()["session"]["idle_at"] == before


def test_a_stream_is_one_line_in_the_log_when_it_is_over_and_counted_when_it_begins(
    first: Running, anna: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    series = 'lexgate_requests_total{method="GET",route="/auth/events",status="200"}'
    before = metrics(first)
    with caplog.at_level(logging.INFO, "gateway.request"), listening(first, anna) as raw:
        publish(first, organization_of(anna))
        next_event(raw)
        assert metrics(first)[series] == before.get(series, 0) + 1
        assert open_streams(first) == before["lexgate_event_streams"] + 1
        told_so_far = 'lexgate_events_sent_total{event="lexoffice"}'
        assert metrics(first)[told_so_far] == before.get(told_so_far, 0) + 1
        assert not lines_of(caplog)
        name = next(line for line in raw.received.split(b"\r\n") if line.startswith(b"x-request-id: "))
        size = len(raw.received)
        raw.reset()
        until(lambda: bool(lines_of(caplog)))
    [line] = lines_of(caplog)
    assert (line["status"], line["request_id"]) == (200, name.decode().partition(": ")[2])
    assert 100 < line["bytes"] < size
    assert open_streams(first) == before["lexgate_event_streams"]


def lines_of(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    fields = [vars(record)["fields"] for record in caplog.records if record.name == "gateway.request"]
    return [each for each in fields if each["route"] == PATH]


def test_a_stream_of_http_1_0_ends_with_its_connection(first: Running, anna: Browser) -> None:
    with connected(first) as raw:
        raw.send(request(anna).replace(b"HTTP/1.1", b"HTTP/1.0"))
        raw.receive_until(b"\n:\n")
        assert b"chunked" not in raw.received
        anna.fetch("/auth/logout", "POST")
        body = raw.rest().partition(b"\r\n\r\n")[2]
        assert (raw.end, b"\r" in body) == ("eof", False)
        assert told(raw)[-1].kind == "session.ended"


def test_a_request_behind_a_stream_is_answered_when_the_stream_has_ended(
    first: Running, anna: Browser
) -> None:
    with connected(first) as raw:
        raw.send(request(anna))
        raw.receive_until(b"\n:\n")
        raw.send(request(anna, path="/auth/session") + request(anna, path="/api/v1/profile"))
        raw.wait_until_read()
        publish(first, organization_of(anna))
        next_event(raw)
        anna.fetch("/auth/logout", "POST")
        raw.receive_until(END)
        del raw.received[: raw.received.index(END) + len(END)]
        assert b'"reason":"signed_out"' in raw.answer().body
        assert raw.answer().status == 401


def test_a_connection_serves_on_after_a_stream(first: Running, anna: Browser) -> None:
    with listening(first, anna) as raw:
        anna.fetch("/auth/logout", "POST")
        raw.receive_until(END)
        raw.received.clear()
        assert raw.ask(request(anna, path="/auth/session")).status == 200
        anna.sign_in()
        raw.send(request(anna))
        raw.receive_until(b"\n:\n")


def test_a_session_hears_of_the_books_that_its_id_token_names_the_organization_of() -> None:
    with running_gateway("openid") as running, Browser(running.public_url) as browser:
        browser.sign_in()
        with listening(running, browser) as raw:
            publish(running, "another", "foreign")
            publish(running, organization_of(browser))
            assert next_event(raw).document == CHANGED
