"""Attacks on the cache: by whom, by which field and by which target a stranger's answer is tried for.

Each answer of the upstream says whose token asked, for which target, with which fields, and which answer of
all it was: whatever is served to a wrong caller, or was made by a wrong field, is seen in it.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.flows.asking_once.scene import KEPT, SHARED, Scene, ok, status_of
from tests.support.raw_upstream import OK
from tests.support.wire import until

if TYPE_CHECKING:
    from tests.support.raw_browser import SignedIn
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Answer, Request

DATA = Path(__file__).parents[2] / "data" / "cache_poisoning"


def table(name: str) -> list[str]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def head_with(who: SignedIn, target: str, fields: str) -> bytes:
    """Build a head with fields of which a name may occur twice."""
    lines = fields.replace(" | ", "\r\n")
    return who.head("GET", target).removesuffix(b"\r\n") + f"{lines}\r\n\r\n".encode()


def ask_with(scene: Scene, who: SignedIn, target: str, fields: str) -> Answer:
    scene.stage.settle()
    with scene.stage.browser() as browser:
        return browser.ask(head_with(who, target, fields))


def caller_of(answer: Answer) -> bytes:
    return answer.body.split(b" ")[1]


def target_of(answer: Answer) -> bytes:
    return answer.body.split(b" ")[2]


@pytest.mark.parametrize("fields", table("fields.txt"))
@pytest.mark.parametrize("attacker", ["anna_too", "jonas"])
def test_no_field_of_one_call_changes_what_another_is_answered(
    scene: Scene, attacker: str, fields: str
) -> None:
    """RFC 9111 §4.1, §7.1: cache poisoning by what is not in the key."""
    evil: SignedIn = getattr(scene, attacker)
    ask_with(scene, evil, KEPT, fields)
    answer = scene.call(scene.anna)
    assert answer.status == 200
    assert b"poison" not in answer.body.lower()
    assert target_of(answer) == b"/v1/kept/thing"
    again = scene.call(scene.anna)
    assert (again.body, status_of(again)) == (answer.body, "hit")
    if attacker == "jonas":
        assert status_of(answer).startswith("fwd=")
        assert caller_of(answer) != caller_of(scene.call(scene.jonas))


@pytest.mark.parametrize("fields", table("fields.txt"))
def test_no_field_of_a_call_under_way_changes_what_who_joins_is_answered(scene: Scene, fields: str) -> None:
    scene.gate.clear()
    with scene.stage.browser() as evil, scene.stage.browser() as victim:
        evil.send(head_with(scene.anna, SHARED, fields))
        evil.wait_until_read()
        victim.send(scene.anna.head("GET", SHARED))
        victim.wait_until_read()
        until(lambda: len(scene.stage.upstream.requests) >= 1)
        scene.gate.set()
        evil.answer()
        answer = victim.answer()
    assert answer.status == 200
    assert b"poison" not in answer.body.lower()


@pytest.mark.parametrize("target", table("targets.txt"))
def test_no_target_is_answered_for_another(scene: Scene, target: str) -> None:
    first = scene.call(scene.anna)
    answer = scene.call(scene.anna, target)
    if answer.status == 200:
        path = target.removeprefix("/api").removesuffix("?").encode()
        assert target_of(answer) == path
        is_same = target.removesuffix("?") == KEPT
        assert (answer.body == first.body) is is_same
    else:
        assert answer.status in {400, 404}
        assert status_of(answer) == ""
    assert scene.call(scene.anna).body == first.body


def test_no_two_targets_are_answered_alike(scene: Scene) -> None:
    answers = {target: scene.call(scene.anna, target) for target in table("targets.txt")[1:]}
    bodies = [answer.body for answer in answers.values() if answer.status == 200]
    assert len(bodies) > 15
    assert len(set(bodies)) == len(bodies)


def test_what_is_kept_for_one_connection_is_served_to_no_other(scene: Scene) -> None:
    mine = scene.call(scene.anna)
    for fields in ({}, {"Cache-Control": "only-if-cached"}, {"Cache-Control": "max-stale, only-if-cached"}):
        answer = scene.call(scene.jonas, fields=fields)
        if fields and answer.status == 504:
            continue
        assert caller_of(answer) != caller_of(mine)
    etag = (mine.header("etag") or b"").decode()
    assert scene.call(scene.jonas, fields={"If-None-Match": etag}).status == 200


def test_only_if_cached_tells_nobody_what_others_have(scene: Scene) -> None:
    scene.call(scene.anna)
    refused = scene.call(scene.jonas, fields={"Cache-Control": "only-if-cached"})
    assert (refused.status, b"not_cached" in refused.body) == (504, True)
    assert status_of(scene.call(scene.anna_too, fields={"Cache-Control": "only-if-cached"})) == "hit"


def test_nobody_joins_the_fill_of_another_connection(scene: Scene) -> None:
    scene.gate.clear()
    heads = [who.head("GET", KEPT) for who in (scene.anna, scene.jonas, scene.anna_too)]
    with scene.calling(*heads) as browsers:
        scene.asked(2)
        scene.gate.set()
        anna, jonas, anna_too = (browser.answer() for browser in browsers)
    assert anna.body == anna_too.body
    assert caller_of(anna) != caller_of(jonas)
    assert status_of(anna_too) == "fwd=uri-miss; collapsed; stored"


@pytest.mark.parametrize(
    "cookie", ["", "lexgate=x", "{jonas}; {anna}", "{anna}x", "X{anna}", "{anna}; {jonas}"]
)
def test_who_is_not_admitted_is_served_nothing(scene: Scene, cookie: str) -> None:
    scene.call(scene.anna)
    sent = cookie.format(anna=scene.anna.cookie, jonas=scene.jonas.cookie)
    with scene.stage.browser() as browser:
        head = f"GET {KEPT} HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: same-origin\r\nCookie: {sent}\r\n\r\n"
        answer = browser.ask(head.encode())
    assert answer.status in {400, 401}
    assert status_of(answer) == ""


def test_a_request_from_another_site_is_served_nothing(scene: Scene) -> None:
    scene.call(scene.anna)
    with scene.stage.browser() as browser:
        head = scene.anna.head("GET", KEPT, {"Sec-Fetch-Site": "cross-site"})
        assert browser.ask(head).status == 403


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_get_is_answered_from_what_is_kept_and_only_get_is_kept(scene: Scene, method: str) -> None:
    other = scene.call(scene.anna, method=method)
    assert status_of(other) == ""
    assert status_of(scene.call(scene.anna)).startswith("fwd=uri-miss")


def test_a_get_with_a_body_is_neither_kept_nor_answered_from_what_is(scene: Scene) -> None:
    """RFC 9110 §9.3.1: what a body of a GET means is the server's own business."""
    assert status_of(scene.call(scene.anna, body=b"poison")) == ""
    first = scene.call(scene.anna)
    assert status_of(first).startswith("fwd=uri-miss")
    assert scene.call(scene.anna, body=b"poison").body != first.body


SAID = {
    "no-store": ok(b"{}", "Cache-Control: no-store"),
    "no-cache": ok(b"{}", "Cache-Control: private, no-cache"),
    "max-age=0": ok(b"{}", "Cache-Control: max-age=0"),
    "expired": ok(b"{}", "Expires: 0"),
    "vary: *": ok(b"{}", "Vary: *"),
    "vary: user-agent": ok(b"{}", "Vary: User-Agent"),
    "pragma": ok(b"{}", "Pragma: no-cache"),
    "too large": ok(b"x" * 100_000),
    "too large, unstated": OK
    + b"Transfer-Encoding: chunked\r\n\r\n186a0\r\n"
    + b"x" * 100_000
    + b"\r\n0\r\n\r\n",
    "events": ok(b"data: 1\n\n", "Cache-Control: no-cache").replace(
        b"application/json", b"text/event-stream"
    ),
    **{
        f"{status}": ok(b"{}", "Cache-Control: max-age=60").replace(b" 200 OK", b" %d X" % status)
        for status in (201, 202, 203, 301, 302, 400, 402, 403, 404, 406, 410, 500, 501, 502, 503)
    },
    "204": b"HTTP/1.1 204 X\r\nCache-Control: max-age=60\r\n\r\n",
    "206": ok(b"{}", "Content-Range: bytes 0-1/9").replace(b" 200 OK", b" 206 X"),
    "200 with a range": ok(b"{}", "Content-Range: bytes 0-1/9"),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_an_error_or_forbids_it_is_not_kept(scene: Scene, name: str) -> None:
    """RFC 9111 §3, §5.2.2.4, §5.2.2.5, §5.3: no error is served to anybody but who met it."""
    scene.stage.upstream.script = lambda connection, _: connection.send(SAID[name])
    first = scene.call(scene.anna)
    assert "stored" not in status_of(first)
    assert first.status == (int(name) if name.isdigit() else 200)
    scene.stage.upstream.script = scene.answer_numbered
    assert status_of(scene.call(scene.anna)) == "fwd=uri-miss; stored"


@pytest.mark.parametrize(
    "said",
    [
        OK + b"Content-Length: 100\r\n\r\nhalf",
        OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nz\r\n",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf",
    ],
)
def test_an_answer_that_is_not_whole_is_neither_served_nor_kept(scene: Scene, said: bytes) -> None:
    """RFC 9111 §3.3: an incomplete answer."""
    scene.stage.upstream.say(said)
    assert scene.call(scene.anna).status == 502
    scene.stage.upstream.script = scene.answer_numbered
    assert status_of(scene.call(scene.anna)) == "fwd=uri-miss; stored"


def test_the_token_is_in_no_answer_that_is_kept(scene: Scene) -> None:
    def echo(connection: Connection, request: Request) -> None:
        token = (request.header("authorization") or b"").removeprefix(b"Bearer ")
        connection.send(ok(b'{"seen": "%b"}' % token, "X-Seen: " + token.decode()))

    scene.stage.upstream.script = echo
    first = scene.call(scene.anna)
    assert b"[redacted]" in first.body
    for who in (scene.anna, scene.anna_too):
        answer = scene.call(who)
        assert (answer.body, status_of(answer)) == (first.body, "hit")
        assert (answer.header("x-seen") or b"").startswith(b"[redacted]")


def test_a_newer_token_than_what_is_kept_was_searched_for_is_not_given_away(scene: Scene) -> None:
    """Should an answer have foreseen it, the next call is asked for anew."""
    running = scene.stage.running
    tokens = running.sandbox.grants.issued
    scene.stage.upstream.script = lambda connection, _: connection.send(ok(b"x" * 4000))
    scene.call(scene.jonas)
    owner = next(iter(scene.asking_once.cache._connections.values()))  # noqa: SLF001 - a body that cannot come
    known = len(tokens)
    with scene.stage.browser() as browser:
        browser.ask(scene.jonas.head("GET", "/auth/session"))
    running.clock.advance(20)
    scene.stage.upstream.say_in_turn(_refuse, scene.answer_numbered)
    scene.call(scene.jonas, SHARED)
    assert len(tokens) > known
    newest = [token for token in tokens if token.encode() in _sent(scene)][-1]
    (stored,) = owner.stored.values()
    stored.body = newest.encode().ljust(4000)
    scene.stage.upstream.script = scene.answer_numbered
    answer = scene.call(scene.jonas)
    assert status_of(answer) == "fwd=miss; stored"
    assert newest.encode() not in answer.body


def _refuse(connection: Connection, _: Request) -> None:
    connection.send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")


def _sent(scene: Scene) -> bytes:
    return (scene.stage.upstream.requests[-1].header("authorization") or b"").removeprefix(b"Bearer ")


def test_after_a_write_nothing_older_is_served(scene: Scene) -> None:
    for method, body in itertools.product(("POST", "PUT", "PATCH", "DELETE"), (b"", b"{}")):
        before = scene.call(scene.anna)
        scene.call(scene.anna_too, "/api/v1/other", method=method, body=body)
        assert status_of(scene.call(scene.anna)) == "fwd=uri-miss; stored", (method, body)
        assert scene.call(scene.anna).body != before.body


@pytest.mark.parametrize("status", [200, 400, 404, 409, 500])
def test_a_write_counts_whatever_is_answered(scene: Scene, status: int) -> None:
    """RFC 9111 §4.4 asks it of those that succeed."""
    scene.call(scene.anna)
    scene.stage.upstream.say(ok(b"{}").replace(b" 200 OK", b" %d X" % status), closes=False)
    assert scene.call(scene.anna, "/api/v1/other", method="POST", body=b"{}").status == status
    scene.stage.upstream.script = scene.answer_numbered
    assert status_of(scene.call(scene.anna)) == "fwd=uri-miss; stored"


def test_a_read_that_began_before_a_write_ended_is_not_kept(scene: Scene) -> None:
    scene.gate.clear()
    with scene.calling(scene.anna.head("GET", KEPT)) as browsers:
        scene.asked(1)
        scene.stage.upstream.script = lambda connection, _: connection.send(ok(b"{}"))
        scene.call(scene.anna_too, "/api/v1/other", method="POST", body=b"{}")
        scene.stage.upstream.script = scene.answer_numbered
        scene.gate.set()
        assert status_of(browsers[0].answer()) == "fwd=uri-miss"
    assert status_of(scene.call(scene.anna)) == "fwd=uri-miss; stored"


def test_while_a_write_may_still_be_performed_nothing_is_kept(scene: Scene) -> None:
    scene.stage.upstream.script = lambda connection, _: connection.close()
    assert scene.call(scene.anna, "/api/v1/other", method="POST", body=b"{}").status == 502
    scene.stage.upstream.script = scene.answer_numbered
    assert [status_of(scene.call(scene.anna)) for _ in range(2)] == ["fwd=uri-miss"] * 2
    assert status_of(scene.call(scene.jonas)) == "fwd=uri-miss; stored"


def test_a_write_that_its_browser_leaves_counts_as_one(scene: Scene) -> None:
    scene.call(scene.anna)
    scene.gate.clear()
    with scene.stage.browser() as browser:
        browser.send(scene.anna.head("POST", "/api/v1/other", {"Content-Length": "2"}) + b"{}")
        scene.asked(2)
        browser.reset()
        until(lambda: scene.asking_once.cache._bytes == 0)  # noqa: SLF001 - it is forgotten at once
    scene.gate.set()
    assert [status_of(scene.call(scene.anna)) for _ in range(2)] == ["fwd=uri-miss"] * 2


def test_the_end_of_a_session_empties_its_connection(scene: Scene) -> None:
    scene.call(scene.jonas)
    assert status_of(scene.call(scene.jonas)) == "hit"
    with scene.stage.browser() as browser:
        gone = browser.ask(scene.jonas.head("POST", "/auth/logout"), "POST")
    assert gone.status == 200
    assert b'"cache"' in (gone.header("clear-site-data") or b"")
    assert scene.asking_once.cache._bytes == 0  # noqa: SLF001 - what is kept is seen nowhere else
    assert scene.call(scene.jonas).status == 401
