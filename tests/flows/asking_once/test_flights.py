"""Identical GETs that are under way are one call to the resource server."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pytest

from tests.flows.asking_once.scene import KEPT, SHARED, Scene, ok, status_of
from tests.support.raw_upstream import OK, in_chunks
from tests.support.wire import until

if TYPE_CHECKING:
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MEBIBYTE = 2**20


def test_calls_that_are_alike_are_asked_once(scene: Scene) -> None:
    scene.gate.clear()
    with scene.calling(*[scene.anna.head("GET", SHARED)] * 5) as browsers:
        scene.asked(1)
        scene.gate.set()
        answers = [browser.answer() for browser in browsers]
    assert {answer.body for answer in answers} == {answers[0].body}
    assert [status_of(answer) for answer in answers] == ["fwd=bypass"] + ["fwd=bypass; collapsed"] * 4
    assert len({answer.header("x-request-id") for answer in answers}) == 5
    scene.asked(1)


@pytest.mark.parametrize(
    "fields",
    [
        {"Accept": "application/xml"},
        {"Accept-Language": "de"},
        {"User-Agent": "other"},
        {"Prefer": "return=minimal"},
        {"Cache-Control": "max-stale"},
    ],
)
def test_what_differs_in_a_field_that_passes_is_another_call(scene: Scene, fields: dict[str, str]) -> None:
    scene.gate.clear()
    with scene.calling(scene.anna.head("GET", SHARED), scene.anna.head("GET", SHARED, fields)) as browsers:
        scene.asked(2)
        scene.gate.set()
        assert {status_of(browser.answer()) for browser in browsers} == {"fwd=bypass"}


@pytest.mark.parametrize("fields", [{"Priority": "u=1"}, {"Prefer": "wait=5"}, {"If-None-Match": '"x"'}])
def test_how_urgent_or_conditional_it_is_makes_no_other_call(scene: Scene, fields: dict[str, str]) -> None:
    """RFC 9218 §4; RFC 9110 §13.1: a 200 is an answer to a conditional request as well."""
    scene.gate.clear()
    with scene.calling(scene.anna.head("GET", SHARED), scene.anna.head("GET", SHARED, fields)) as browsers:
        scene.gate.set()
        assert [browser.answer().status for browser in browsers] == [200, 200]
    scene.asked(1)


def test_a_plain_call_never_joins_a_conditional_one(scene: Scene) -> None:
    def script(connection: Connection, request: Request) -> None:
        scene.gate.wait(5)
        is_conditional = request.header("if-none-match") is not None
        connection.send(b"HTTP/1.1 304 Not Modified\r\n\r\n" if is_conditional else ok(b"{}"))

    scene.stage.upstream.script = script
    scene.gate.clear()
    conditional = scene.anna.head("GET", SHARED, {"If-None-Match": '"x"'})
    with scene.calling(conditional, scene.anna.head("GET", SHARED), conditional) as browsers:
        scene.asked(2)
        scene.gate.set()
        assert [browser.answer().status for browser in browsers] == [304, 200, 200]


@pytest.mark.parametrize("method", ["HEAD", "DELETE", "POST"])
def test_other_methods_are_never_shared(scene: Scene, method: str) -> None:
    scene.gate.clear()
    with scene.stage.browser() as one, scene.stage.browser() as other:
        for browser in (one, other):
            browser.send(scene.anna.head(method, SHARED))
        scene.asked(2)
        scene.gate.set()
        assert [browser.answer(method).status for browser in (one, other)] == [200, 200]


@pytest.mark.parametrize(
    "fields",
    [
        {"Range": "bytes=0-1"},
        {"If-Range": '"x"'},
        {"If-Match": '"x"'},
        {"If-Unmodified-Since": "Mon, 21 Sep 2026 14:13:20 GMT"},
        {"Cache-Control": "no-store"},
        {"Content-Type": "text/plain"},
        {"Last-Event-ID": "1"},
    ],
)
@pytest.mark.parametrize("path", [SHARED, KEPT])
def test_what_is_one_callers_alone_is_never_shared(scene: Scene, path: str, fields: dict[str, str]) -> None:
    """RFC 9110 §13.1, §14.2; RFC 9111 §5.2.1.5."""
    scene.gate.clear()
    with scene.stage.browser() as one, scene.stage.browser() as other:
        for browser in (one, other):
            browser.send(scene.anna.head("GET", path, fields))
        scene.asked(2)
        scene.gate.set()
        answers = [browser.answer() for browser in (one, other)]
    assert [status_of(answer) for answer in answers] == ["", ""]
    assert answers[0].body != answers[1].body


def test_nobody_joins_the_call_of_another_session(scene: Scene) -> None:
    scene.gate.clear()
    heads = [who.head("GET", SHARED) for who in (scene.anna, scene.anna_too, scene.jonas)]
    with scene.calling(*heads) as browsers:
        scene.asked(3)
        scene.gate.set()
        assert {status_of(browser.answer()) for browser in browsers} == {"fwd=bypass"}


def test_a_call_goes_on_when_who_began_it_leaves(scene: Scene) -> None:
    scene.gate.clear()
    with scene.calling(*[scene.anna.head("GET", SHARED)] * 3) as browsers:
        scene.asked(1)
        browsers[0].reset()
        until(lambda: scene.waiting() == 2)
        scene.gate.set()
        assert browsers[1].answer().body == browsers[2].answer().body
    scene.asked(1)


def test_a_call_ends_when_the_last_one_leaves(scene: Scene) -> None:
    def script(connection: Connection, _: Request) -> None:
        assert connection.wait_for_eof()

    scene.stage.upstream.script = script
    with scene.calling(*[scene.anna.head("GET", SHARED)] * 3) as browsers:
        scene.asked(1)
        for browser in browsers:
            browser.reset()
        until(lambda: scene.waiting() == 0)
        until(lambda: not scene.stage.upstream.busy())


def test_who_comes_after_the_answer_asks_anew(scene: Scene) -> None:
    assert scene.call(scene.anna, SHARED).body != scene.call(scene.anna, SHARED).body
    scene.asked(2)


def test_a_reload_joins_no_call_that_was_sent_before_it(scene: Scene) -> None:
    scene.gate.clear()
    reload = scene.anna.head("GET", SHARED, {"Cache-Control": "max-age=0"})
    with scene.calling(reload, reload) as browsers:
        scene.asked(2)
        scene.gate.set()
        assert browsers[0].answer().body != browsers[1].answer().body
    assert {request.header("cache-control") for request in scene.stage.upstream.requests} == {b"max-age=0"}


def test_nobody_joins_a_read_that_began_before_a_write_ended(scene: Scene) -> None:
    scene.gate.clear()
    with scene.calling(scene.anna.head("GET", SHARED)) as browsers:
        scene.asked(1)
        scene.stage.upstream.script = lambda connection, _: connection.send(ok(b"{}"))
        assert scene.call(scene.anna, "/api/v1/other", method="POST", body=b"{}").status == 200
        scene.stage.upstream.script = scene.answer_numbered
        with scene.calling(scene.anna.head("GET", SHARED)) as later:
            scene.asked(3)
            scene.gate.set()
            assert browsers[0].answer().body != later[0].answer().body


def test_a_write_of_another_connection_outdates_nothing_here(scene: Scene) -> None:
    scene.gate.clear()
    with scene.calling(scene.anna.head("GET", SHARED)) as browsers:
        scene.asked(1)
        scene.stage.upstream.script = lambda connection, _: connection.send(ok(b"{}"))
        assert scene.call(scene.jonas, "/api/v1/other", method="POST", body=b"{}").status == 200
        scene.stage.upstream.script = scene.answer_numbered
        with scene.calling(scene.anna.head("GET", SHARED)) as later:
            scene.gate.set()
            assert browsers[0].answer().body == later[0].answer().body


@pytest.mark.parametrize("path", [SHARED, KEPT])
def test_a_shared_answer_that_is_cut_off_is_whole_for_nobody(scene: Scene, path: str) -> None:
    def script(connection: Connection, _: Request) -> None:
        scene.gate.wait(5)
        connection.send_last(OK + b"Content-Length: 100\r\n\r\n" + b"x" * 50)
        assert connection.wait_for_eof()

    scene.stage.upstream.script = script
    scene.gate.clear()
    with scene.calling(*[scene.anna.head("GET", path)] * 3) as browsers:
        scene.gate.set()
        answers = [browser.answer() for browser in browsers]
    if path == KEPT:
        assert [answer.status for answer in answers] == [502] * 3
    else:
        assert [answer.state for answer in answers] == ["cut"] * 3
    assert scene.asking_once.cache._bytes == 0  # noqa: SLF001 - nothing is kept


@pytest.mark.parametrize("path", [SHARED, KEPT])
def test_chunks_trailers_and_codings_reach_everybody(scene: Scene, path: str) -> None:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    packed = packer.compress(b"hello world") + packer.flush()

    def script(connection: Connection, _: Request) -> None:
        scene.gate.wait(5)
        body = in_chunks([packed[:5], packed[5:]], extension=b";a=b", trailers=b"X-Sum: 1\r\nETag: y\r\n")
        connection.send(OK + b"ETag: x\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", body)

    scene.stage.upstream.script = script
    scene.gate.clear()
    with scene.calling(*[scene.anna.head("GET", path)] * 3) as browsers:
        scene.gate.set()
        answers = [browser.answer() for browser in browsers]
    assert [answer.body for answer in answers] == [b"hello world"] * 3
    assert {answer.header("content-encoding") for answer in answers} == {None}
    assert {answer.header("etag") for answer in answers} != {b"x"}
    scene.asked(1)


def test_who_joins_in_the_middle_gets_the_beginning_too(scene: Scene) -> None:
    def script(connection: Connection, _: Request) -> None:
        connection.send(CHUNKED, in_chunks([b"begin"]).removesuffix(b"0\r\n\r\n"))
        scene.gate.wait(5)
        connection.send(in_chunks([b"end"]))

    scene.stage.upstream.script = script
    scene.gate.clear()
    with scene.calling(scene.anna.head("GET", SHARED)) as browsers:
        browsers[0].receive_until(b"begin")
        with scene.calling(scene.anna.head("GET", SHARED)) as later:
            later[0].receive_until(b"begin")
            scene.gate.set()
            assert [each.answer().body for each in (browsers[0], later[0])] == [b"beginend"] * 2
    scene.asked(1)


def test_an_answer_too_large_to_be_kept_for_slow_ones_goes_to_one_alone(scene: Scene) -> None:
    body = b"x" * (9 * MEBIBYTE)

    def script(connection: Connection, _: Request) -> None:
        scene.gate.wait(5)
        connection.sock.sendall(ok(body))

    scene.stage.upstream.script = script
    scene.gate.clear()
    with scene.calling(*[scene.anna.head("GET", SHARED)] * 3) as browsers:
        scene.asked(1)
        scene.gate.set()
        assert [len(browser.answer().body) for browser in browsers] == [len(body)] * 3
    scene.asked(3)


def test_a_stream_of_events_goes_to_one_alone(scene: Scene) -> None:
    def script(connection: Connection, _: Request) -> None:
        scene.gate.wait(5)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.send(head, b"8\r\ndata: 1\n\r\n")
        connection.wait_for_eof()

    scene.stage.upstream.script = script
    scene.gate.clear()
    with scene.calling(*[scene.anna.head("GET", SHARED)] * 2) as browsers:
        scene.asked(1)
        scene.gate.set()
        for browser in browsers:
            browser.receive_until(b"data: 1\n")
        scene.asked(2)


def test_a_slow_browser_holds_up_no_fast_one_and_takes_up_no_more_than_its_bound(scene: Scene) -> None:
    size = 24 * MEBIBYTE
    kept: list[int] = []

    def script(connection: Connection, _: Request) -> None:
        scene.gate.wait(5)
        connection.sock.sendall(CHUNKED)
        for _piece in range(size // 65_536):
            connection.sock.sendall(b"10000\r\n" + bytes(65_536) + b"\r\n")
        connection.sock.sendall(b"0\r\n\r\n")

    def measure() -> int:
        flights = scene.asking_once._aloft  # noqa: SLF001 - what is kept is seen nowhere else
        return int(scene.on_loop(lambda: max((each.shared.kept_bytes for each in flights), default=0)))

    scene.stage.upstream.script = script
    scene.gate.clear()
    with scene.calling(*[scene.anna.head("GET", SHARED)] * 2) as (slow, fast):
        scene.gate.set()
        received = 0
        while b"\r\n0\r\n\r\n" not in fast.received:
            received += len(fast.received)
            del fast.received[:-7]
            assert fast.receive()
            kept.append(measure())
        assert received + len(fast.received) >= size
        assert max(kept) > MEBIBYTE, "the slow one was waited for"
        assert max(kept) <= 9 * MEBIBYTE
        assert slow.answer().state == "cut"
    scene.asked(1)


@pytest.mark.parametrize("path", [SHARED, KEPT])
def test_what_is_under_way_when_the_gateway_ends_is_told_to_be_broken(scene: Scene, path: str) -> None:
    scene.gate.clear()
    with scene.calling(*[scene.anna.head("GET", path)] * 2) as browsers:
        scene.asked(1)
        scene.stage.running.call(scene.asking_once.close())
        assert [browser.answer().status for browser in browsers] == [502, 502]
    scene.gate.set()


def test_a_401_is_met_with_one_refresh_for_all(scene: Scene) -> None:
    def refuse(connection: Connection, _: Request) -> None:
        scene.gate.wait(5)
        connection.send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

    scene.stage.running.clock.advance(20)
    scene.stage.upstream.say_in_turn(refuse, scene.answer_numbered)
    scene.gate.clear()
    with scene.calling(*[scene.jonas.head("GET", SHARED)] * 3) as browsers:
        scene.asked(1)
        scene.gate.set()
        assert len({browser.answer().body for browser in browsers}) == 1
    scene.asked(2)
