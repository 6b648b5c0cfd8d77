"""Answers in every framing, right and wrong: whole, refused, or broken for everybody to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.judging import assert_is_right, corpus, outcome_of, read_corpus, to_bytes
from tests.support.wire import until

if TYPE_CHECKING:
    from tests.hostile.stage import Stage

WRONG = [*read_corpus("answers_refused"), *read_corpus("answers_broken"), *read_corpus("answers_repairable")]


@pytest.mark.parametrize("line", corpus("answers_whole"))
def test_what_is_right_passes(stage: Stage, line: str) -> None:
    """RFC 9112 §6.3: each of the framings."""
    said = to_bytes(line)
    stage.upstream.say(said)
    got = stage.call()
    assert outcome_of(got) == "whole"
    assert_is_right(got, said, method="GET")


@pytest.mark.parametrize("line", corpus("answers_whole"))
def test_an_answer_to_head_ends_with_its_head(stage: Stage, line: str) -> None:
    """RFC 9112 §6.3: whatever its fields say, and nothing of a body that comes nevertheless."""
    said = to_bytes(line)
    stage.upstream.say(said)
    with stage.browser() as browser:
        got = browser.ask(stage.anna.head("HEAD", "/api/v1/thing"), "HEAD")
        assert got.state == "whole"
        assert_is_right(got, said, method="HEAD")
        again = browser.ask(stage.anna.head("GET", "/auth/session"))
        assert again.body.startswith(b'{"active":true'), "what followed the head became the next answer"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("line", corpus("answers_refused"))
def test_what_is_no_answer_is_refused(stage: Stage, line: str, method: str) -> None:
    stage.upstream.say(to_bytes(line))
    got = stage.call(method=method)
    assert (outcome_of(got), got.status) == ("refused", 502), got
    asked = len(stage.upstream.requests)
    assert asked == 1 if method == "POST" else asked <= 2, "what may have been performed was sent again"


@pytest.mark.parametrize("line", corpus("answers_broken"))
def test_what_breaks_off_never_looks_whole(stage: Stage, line: str) -> None:
    """RFC 9112 §8: an incomplete message."""
    said = to_bytes(line)
    stage.upstream.say(said)
    got = stage.call()
    assert outcome_of(got) in {"broken", "refused"}, got
    assert_is_right(got, said, method="GET")


@pytest.mark.parametrize("line", corpus("answers_repairable"))
def test_what_can_be_repaired_has_one_meaning(stage: Stage, line: str) -> None:
    said = to_bytes(line)
    stage.upstream.say(said)
    got = stage.call()
    assert_is_right(got, said, method="GET")
    assert b"forged" not in dict(got.headers).get("x-kept", b"").lower()
    assert "x-forged" not in dict(got.headers)


def test_what_is_wrong_costs_its_own_connection_alone(stage: Stage) -> None:
    """The connection that brought it is not used again, even if the upstream keeps it open."""
    for line in WRONG:
        stage.upstream.reset()
        said: bytes = to_bytes(line)
        # The body's end is announced by the end of the connection, which stays open for requests.
        stage.upstream.say_in_turn(lambda connection, _, said=said: connection.send_last(said))  # type: ignore[misc]
        stage.call(method="POST")
        until(lambda: not stage.upstream.busy())
        assert stage.call(method="POST").status == 200
        assert len(stage.upstream.requests) == 2, line
