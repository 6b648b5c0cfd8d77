"""More than an answer: what follows it on the connection is never given to anybody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support.raw_upstream import OK, in_chunks
from tests.support.wire import until

if TYPE_CHECKING:
    from tests.hostile.stage import Stage
    from tests.support.raw_browser import RawBrowser, SignedIn
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Answer, Request

SMUGGLED = OK + b"Content-Length: 8\r\n\r\nsmuggled"
FIRST = {
    "after a length": OK + b"Content-Length: %d\r\n\r\n%b",
    "after the last chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n",
    "after trailers": OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nX-Sum: 1\r\n\r\n",
    "after an interim answer": b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK + b"Content-Length: %d\r\n\r\n%b",
}
BODILESS = {
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", "GET"),
    "no content with a length": (b"HTTP/1.1 204 No Content\r\nContent-Length: 8\r\n\r\n", "GET"),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 8\r\n\r\n", "GET"),
    "not modified in chunks": (b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", "GET"),
    "head": (OK + b"Content-Length: 8\r\n\r\n", "HEAD"),
    "head in chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", "HEAD"),
}


def caller_of(request: Request) -> bytes:
    """Tell whose call it is: the path says so."""
    return request.target.rpartition(b"/")[2]


def call(stage: Stage, browser: RawBrowser, person: SignedIn, name: str) -> Answer:
    """Call the API in somebody's name, for a body that carries it."""
    _ = stage
    return browser.ask(person.head("GET", f"/api/v1/{name}"))


@pytest.mark.parametrize("together", [True, False], ids=["in one write", "later"])
@pytest.mark.parametrize("name", FIRST)
def test_a_smuggled_second_answer_reaches_nobody(stage: Stage, name: str, together: bool) -> None:  # noqa: FBT001 - a case
    """RFC 9112 §11.1: response splitting; the pool is shared by everybody."""

    def script(connection: Connection, request: Request) -> None:
        caller = caller_of(request)
        said = FIRST[name] % (len(caller), caller)
        connection.sock.sendall(said + SMUGGLED if together else said)
        if not together:
            connection.wait_until_read()
            connection.sock.sendall(SMUGGLED)

    stage.upstream.script = script
    with stage.browser() as annas, stage.browser() as jonass:
        for number in range(10):
            for person, browser in ((stage.anna, annas), (stage.jonas, jonass)):
                caller = f"{person.name}-{number}"
                answer = call(stage, browser, person, caller)
                assert (answer.status, answer.body) == (200, caller.encode())
                assert browser.received == b""
                # Once the next request is written, no client can tell its answer from what came late.
                until(lambda: not stage.upstream.busy())


@pytest.mark.parametrize("name", BODILESS)
def test_the_body_of_an_answer_that_has_none_is_no_answer(stage: Stage, name: str) -> None:
    """RFC 9112 §6.3: 204, 304 and what answers HEAD end with their heads."""
    said, method = BODILESS[name]
    stage.upstream.say(said + SMUGGLED, closes=False)
    with stage.browser() as browser:
        first = browser.ask(stage.anna.head(method, "/api/v1/first"), method)
        assert first.is_whole
        assert first.body == b"" or first.status == 502
        stage.upstream.say(OK + b"Content-Length: 3\r\n\r\nown", closes=False)
        for person in (stage.jonas, stage.anna):
            assert browser.ask(person.head("GET", "/api/v1/next")).body == b"own"


def test_an_answer_before_its_request_is_nobodys(stage: Stage) -> None:
    """What an idle connection says belongs to no request; the connection is not used again."""
    assert stage.call().status == 200
    (idle,) = stage.upstream.idle()
    idle.send(SMUGGLED)
    stage.upstream.say(OK + b"Content-Length: 3\r\n\r\nown", closes=False)
    for _ in range(3):
        answer = stage.call(method="POST")
        assert (answer.status, answer.body) == (200, b"own")
    assert [request.method for request in stage.upstream.requests] == ["GET", "POST", "POST", "POST"]


def test_an_answer_on_a_new_connection_before_any_request_is_nobodys(stage: Stage) -> None:
    stage.upstream.end()
    stage.upstream.accept = lambda connection: connection.sock.sendall(SMUGGLED)
    stage.upstream.script = lambda connection, _: connection.sock.sendall(
        OK + b"Content-Length: 3\r\n\r\nown"
    )
    first = stage.call(method="POST")
    # It may have come before the request or just behind it: if it passes, then as the answer to that one.
    assert first.body in {b"own", b"smuggled"} or first.status == 502
    stage.upstream.accept = None
    for _ in range(2):
        assert stage.call(method="POST").body == b"own"


def test_everybody_gets_their_own_answer_at_once(stage: Stage) -> None:
    """Two sessions, forty calls at once, each connection saying more than it was asked for."""

    def script(connection: Connection, request: Request) -> None:
        caller = caller_of(request)
        connection.send(
            OK + b"Transfer-Encoding: chunked\r\n\r\n", in_chunks([caller[:3], caller[3:]]) + SMUGGLED
        )

    def work(worker: int) -> list[tuple[bytes, bytes]]:
        person = stage.people[worker % 2]
        with stage.browser() as browser:
            names = [f"{person.name}-{worker}-{number}" for number in range(5)]
            return [(name.encode(), call(stage, browser, person, name).body) for name in names]

    stage.upstream.script = script
    with ThreadPoolExecutor(8) as threads:
        for answers in threads.map(work, range(8)):
            for expected, got in answers:
                assert got == expected
    tokens = {
        (caller_of(request).partition(b"-")[0], request.header("authorization"))
        for request in stage.upstream.requests
    }
    assert len(tokens) == 2, "a call went out with somebody else's token"


def test_a_broken_answer_is_not_continued_by_the_next(stage: Stage) -> None:
    """Half an answer, and then the rest when somebody else asks."""
    half = OK + b"Content-Length: 20\r\n\r\nhalf of it"

    def script(connection: Connection, request: Request) -> None:
        if caller_of(request) == b"anna":
            connection.send(half)
            connection.wait_for_eof()
        else:
            connection.send(OK + b"Content-Length: 3\r\n\r\nown")

    stage.upstream.script = script
    with stage.browser() as browser:
        browser.send(stage.anna.head("GET", "/api/v1/anna"))
        browser.receive_until(b"half of it")
    with stage.browser() as browser:
        assert browser.ask(stage.jonas.head("GET", "/api/v1/jonas")).body == b"own"
