"""Requests that mean two things, and what follows them: one request or none reaches the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.judging import corpus, to_bytes
from tests.support.raw_upstream import OK
from tests.support.wire import statuses

if TYPE_CHECKING:
    from tests.hostile.stage import Stage
    from tests.support.rfc9112 import Request

SENT_BY_GATEWAY = {
    *("host", "authorization", "accept-encoding", "traceparent", "tracestate"),
    *("transfer-encoding", "content-length"),
}
SAID_BY_BROWSER = {
    *("accept", "accept-language", "cache-control", "content-digest", "content-disposition"),
    *("content-encoding", "content-language", "content-type", "idempotency-key", "if-match"),
    *("if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "last-event-id"),
    *("pragma", "prefer", "priority", "range", "user-agent"),
}
SMUGGLED = "GET /api/v1/smuggled HTTP/1.1\\r\\n@@Connection: close\\r\\n\\r\\n"
"""Follows each attack on its connection."""


def build(stage: Stage, line: str) -> bytes:
    """Put a signed-in browser's own fields into a line of a corpus."""
    own = stage.anna.head("POST", "/").partition(b"\r\n")[2].removesuffix(b"\r\n")
    return to_bytes(line).replace(b"@@", own)


def send(stage: Stage, request: bytes) -> bytes:
    """Send it in one write, and return all that comes until the gateway ends the connection."""
    with stage.browser() as browser:
        browser.send(request)
        return browser.rest()


def assert_nothing_forged(stage: Stage, request: Request) -> None:
    """Check that a request is what the gateway may send: nothing of the attacker's but the allow-list."""
    assert {name for name, _ in request.headers} <= SENT_BY_GATEWAY | SAID_BY_BROWSER
    assert b"evil" not in request.raw
    assert request.header("host") == f"127.0.0.1:{stage.upstream.port}".encode()
    assert (request.header("authorization") or b"").startswith(b"Bearer ")
    assert not (request.header("content-length") and request.header("transfer-encoding"))


def assert_in_step(stage: Stage) -> None:
    """Check that the pool and the gateway go on as if nothing had been."""
    stage.upstream.say(OK + b"Content-Length: 3\r\n\r\nown", closes=False)
    assert stage.call("/api/v1/next", method="POST", body=b"abc").body == b"own"
    heard = [request.body for request in stage.upstream.requests if request.target == b"/v1/next"]
    assert heard == [b"abc"]


@pytest.mark.parametrize("line", corpus("requests_refused"))
def test_an_ambiguous_request_is_refused_and_ends_its_connection(stage: Stage, line: str) -> None:
    """RFC 9112 §11.2: what follows an error of framing is never read as the next request."""
    received = send(stage, build(stage, line + SMUGGLED))
    first, *more = statuses(received)
    targets = [request.target for request in stage.upstream.requests]
    if line.startswith("GET /") and "HTTP/1.1\\r\\n@@" in line and "Transfer" not in line and more:
        # The framing was sound, and only the target or a field refused: the next request is the next one.
        assert (first, more, targets) == (400, [200], [b"/v1/smuggled"])
    else:
        assert (first, more, targets) == (400, [], []), received
    for request in stage.upstream.requests:
        assert_nothing_forged(stage, request)
    assert_in_step(stage)


@pytest.mark.parametrize("line", corpus("requests_plain"))
def test_an_odd_request_is_one_request(stage: Stage, line: str) -> None:
    received = send(stage, build(stage, line + SMUGGLED))
    requests = stage.upstream.requests
    if statuses(received)[0] == 400:
        assert (len(statuses(received)), requests) == (1, [])
    else:
        assert statuses(received)[0] == 200, received
        assert requests[0].target == b"/v1/thing"
        assert requests[0].body in {b"", b"hello"}
        assert [request.target for request in requests[1:]] in ([], [b"/v1/smuggled"])
        assert len(statuses(received)) == len(requests)
    for request in requests:
        assert_nothing_forged(stage, request)
    assert_in_step(stage)


@pytest.mark.parametrize(
    "target",
    ["//evil.example/api/v1/thing", "/api@evil.example/", "/api:80@evil.example/", "/api.evil.example/"],
)
def test_a_target_that_looks_like_an_authority_leads_nowhere(stage: Stage, target: str) -> None:
    """It is a path of the app's own origin, where there is a page or nothing."""
    received = send(stage, build(stage, f"GET {target} HTTP/1.1\\r\\n@@\\r\\n{SMUGGLED}"))
    assert statuses(received) in ([200, 200], [400, 200], [404, 200])
    assert [request.target for request in stage.upstream.requests] == [b"/v1/smuggled"]
    assert_nothing_forged(stage, stage.upstream.requests[0])


@pytest.mark.parametrize("length", [3, 8])
def test_a_body_of_another_length_than_stated_is_not_the_next_request(stage: Stage, length: int) -> None:
    """Shorter: the rest is the next request, here garbage. Longer: the request never ends."""
    with stage.browser() as browser:
        head = stage.anna.head("POST", "/api/v1/thing", {"Content-Length": str(length)})
        browser.send(head + b"xyzzy")
        browser.half_close()
        received = browser.rest()
    if length < 5:
        # The browser was gone before the answer, so the call may have ended with it.
        assert [request.body for request in stage.upstream.requests] in ([], [b"xyz"])
        assert statuses(received) in ([], [200], [200, 400], [400])
    else:
        assert stage.upstream.requests == []
        assert statuses(received) in ([], [400])
    assert_in_step(stage)


@pytest.mark.parametrize("place", range(0, 200, 7))
def test_a_request_in_two_parts_is_the_same_request(stage: Stage, place: int) -> None:
    request = stage.anna.head("POST", "/api/v1/thing", {"Transfer-Encoding": "chunked"})
    request += b"3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: a\r\n\r\n"
    place = place * len(request) // 200
    with stage.browser() as browser:
        browser.send(request[:place])
        browser.wait_until_read()
        assert browser.ask(request[place:]).status == 200
    (heard,) = stage.upstream.requests
    assert (heard.target, heard.body) == (b"/v1/thing", b"hello")
    assert_nothing_forged(stage, heard)
