"""Shared calls in the queue of the budget: whose wishes count, and who is told that it takes too long."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.flows.asking_once.conftest import SETTINGS
from tests.flows.asking_once.scene import KEPT, Scene, status_of
from tests.hostile.stage import running_stage, sign_in
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator

BUDGET = {"LEXGATE_BUDGET_RATE": "2", "LEXGATE_BUDGET_BURST": "1"}
INTERVAL = 0.61
"""Seconds after which the next call may go: half a second, and the margin of a first one."""
FIRST, SECOND = "/api/v1/first", "/api/v1/second"


@pytest.fixture(scope="module")
def _paced() -> Iterator[Scene]:
    with running_stage(SETTINGS | BUDGET, people=("anna", "anna", "jonas")) as stage:
        yield Scene(stage)


@pytest.fixture
def paced(_paced: Scene) -> Iterator[Scene]:
    """Give a scene in which Anna's budget is used up until the clock is advanced."""
    _paced.reset()
    _paced.stage.running.clock.advance(60)
    assert _paced.call(_paced.anna, "/api/v1/warm").status == 200
    _paced.stage.upstream.requests.clear()
    yield _paced
    _paced.stage.running.clock.advance(60)
    _paced.stage.assert_nothing_is_left()


def let_go(scene: Scene, count: int) -> None:
    """Let time pass for the budget until the upstream was asked so often."""
    for number in range(1, count + 1):
        scene.stage.running.clock.advance(INTERVAL)
        scene.asked(number)


def test_a_reload_joins_what_has_not_been_sent_yet(paced: Scene) -> None:
    """Five tabs that hear of a change ask once: nothing can be newer than what is still to be asked."""
    head = paced.anna.head("GET", KEPT, {"Cache-Control": "max-age=0"})
    others = [paced.anna_too.head("GET", KEPT, {"Cache-Control": "no-cache"}), paced.anna.head("GET", KEPT)]
    with paced.calling(*[head] * 3, *others) as browsers:
        assert paced.targets() == []
        let_go(paced, 1)
        answers = [browser.answer() for browser in browsers]
    assert len({answer.body for answer in answers}) == 1
    told = [status_of(answer).split("; ", maxsplit=1)[1] for answer in answers]
    assert told == ["stored"] + ["collapsed; stored"] * 4
    paced.asked(1)
    for answer in answers:
        assert b"queue;dur=" in (answer.header("server-timing") or b"")


def test_a_write_that_ends_before_a_call_is_sent_outdates_nothing(paced: Scene) -> None:
    with paced.calling(paced.anna.head("GET", FIRST)) as browsers:
        paced.on_loop(paced.asking_once.cache.forget_everything)
        with paced.calling(paced.anna.head("GET", FIRST)) as later:
            let_go(paced, 1)
            assert browsers[0].answer().body == later[0].answer().body
    paced.asked(1)


def test_a_call_is_as_urgent_as_who_wants_it_most(paced: Scene) -> None:
    """RFC 9218 §4.1: the lower, the more urgent."""
    first, second = (
        paced.anna.head("GET", path, {"Priority": urgency})
        for path, urgency in ((FIRST, "u=5"), (SECOND, "u=3"))
    )
    with paced.calling(first, second, paced.anna.head("GET", FIRST, {"Priority": "u=1"})) as browsers:
        let_go(paced, 2)
        assert [browser.answer().status for browser in browsers] == [200] * 3
    assert paced.targets() == [b"/v1/first", b"/v1/second"]


def wishes(scene: Scene) -> list[bytes]:
    """Return what Anna's one session wants first, second and, behind that, as the other does."""
    urgent, other = {"Priority": "u=1"}, {"Priority": "u=5"}
    return [
        scene.anna.head("GET", FIRST, urgent),
        scene.anna.head("GET", SECOND, urgent),
        scene.anna.head("GET", KEPT, other),
        scene.anna_too.head("GET", KEPT, other),
    ]


def test_what_several_sessions_wait_for_is_asked_in_the_turn_of_whichever_comes_first(paced: Scene) -> None:
    with paced.calling(*wishes(paced)) as browsers:
        let_go(paced, 3)
        assert [browser.answer().status for browser in browsers] == [200] * 4
    assert paced.targets() == [b"/v1/first", b"/v1/kept/thing", b"/v1/second"]


def test_a_session_that_leaves_gives_no_turn_to_what_it_waited_for(paced: Scene) -> None:
    with paced.calling(*wishes(paced)) as browsers:
        (flight,) = {each for each in paced.asking_once._aloft if len(each.shared.readers) == 2}  # noqa: SLF001 - who waits for it is seen nowhere else
        browsers[3].reset()
        until(lambda: len(flight.shared.readers) == 1)
        let_go(paced, 3)
        assert [browser.answer().status for browser in browsers[:3]] == [200] * 3
    assert paced.targets() == [b"/v1/first", b"/v1/second", b"/v1/kept/thing"]


def test_what_others_still_wait_for_is_asked_in_their_turns_alone(paced: Scene) -> None:
    kept, other = (who.head("GET", KEPT, {"Priority": "u=5"}) for who in (paced.anna, paced.anna_too))
    with paced.calling(
        kept, other, paced.anna_too.head("GET", FIRST), paced.anna.head("GET", SECOND)
    ) as browsers:
        (flight,) = {each for each in paced.asking_once._aloft if len(each.shared.readers) == 2}  # noqa: SLF001 - who waits for it is seen nowhere else
        browsers[0].reset()
        until(lambda: len(flight.shared.readers) == 1)
        let_go(paced, 3)
        assert [browser.answer().status for browser in browsers[1:]] == [200] * 3
    assert sorted(paced.targets()[:2]) == [b"/v1/first", b"/v1/second"]
    assert paced.targets()[2] == b"/v1/kept/thing"


@pytest.mark.parametrize("path", [FIRST, KEPT])
def test_who_would_not_wait_at_all_is_served_where_nobody_waits(paced: Scene, path: str) -> None:
    paced.stage.running.clock.advance(60)
    assert paced.call(paced.anna, path, {"Prefer": "wait=0"}).status == 200
    assert paced.call(paced.anna, SECOND, {"Prefer": "wait=0"}).status == 429


def test_who_joins_is_told_when_its_own_patience_is_over(paced: Scene) -> None:
    patient, impatient = (paced.anna.head("GET", FIRST, {"Prefer": f"wait={wait}"}) for wait in (20, 1))
    with paced.calling(patient, impatient) as (waiting, leaving):
        answer = leaving.answer()
        assert (answer.status, json.loads(answer.body)["code"]) == (429, "budget_exhausted")
        assert answer.header("retry-after") == b"1"
        assert answer.header("ratelimit-policy") is not None
        let_go(paced, 1)
        assert waiting.answer().status == 200


def test_who_joins_is_told_at_once_that_it_takes_too_long(paced: Scene) -> None:
    """Nothing moves while the clock stands still: there would be no other reason for a refusal."""
    with ExitStack() as stack:
        for number in range(8):
            head = paced.anna.head("GET", f"/api/v1/before/{number}", {"Prefer": "wait=25"})
            stack.enter_context(paced.calling(head))
        stack.enter_context(paced.calling(paced.anna.head("GET", FIRST, {"Prefer": "wait=25"})))
        began = time.monotonic()
        answer = paced.call(paced.anna, FIRST, {"Prefer": "wait=2"})
        assert time.monotonic() - began < 2
        assert (answer.status, answer.header("retry-after")) == (429, b"3")
        assert (answer.header("ratelimit") or b"").endswith(b";r=0;t=3")


def test_a_call_is_as_patient_as_its_most_patient_reader(paced: Scene) -> None:
    impatient, patient = (paced.anna.head("GET", FIRST, {"Prefer": f"wait={wait}"}) for wait in (1, 20))
    with paced.calling(impatient, patient) as (leaving, waiting):
        assert leaving.answer().status == 429
        let_go(paced, 1)
        assert waiting.answer().status == 200


def test_who_joined_the_call_of_a_session_that_ended_asks_anew(paced: Scene) -> None:
    leaving = sign_in(paced.stage.running.public_url, "anna")
    with paced.calling(leaving.head("GET", KEPT), paced.anna_too.head("GET", KEPT)) as (ended, staying):
        with paced.stage.browser() as browser:
            assert browser.ask(leaving.head("POST", "/auth/logout"), "POST").status == 200
        paced.stage.running.clock.advance(INTERVAL)
        assert ended.answer().status == 401
        paced.stage.running.clock.advance(INTERVAL)
        answer = staying.answer()
    assert (answer.status, status_of(answer)) == (200, "fwd=uri-miss; stored")
    paced.asked(1)


def test_a_write_that_was_never_sent_is_no_open_one(paced: Scene) -> None:
    refused = paced.call(paced.anna, FIRST, {"Prefer": "wait=0"}, "POST", b"{}")
    assert refused.status == 429
    with paced.calling(paced.anna.head("GET", KEPT)) as browsers:
        let_go(paced, 1)
        assert status_of(browsers[0].answer()) == "fwd=uri-miss; stored"


def test_a_call_that_nobody_waits_for_any_more_leaves_the_queue(paced: Scene) -> None:
    with paced.calling(*[paced.anna.head("GET", FIRST)] * 2, paced.anna.head("GET", SECOND)) as browsers:
        for browser in browsers[:2]:
            browser.reset()
        until(lambda: paced.waiting() == 1)
        let_go(paced, 1)
        assert browsers[2].answer().status == 200
    assert paced.targets() == [b"/v1/second"]


def test_what_is_kept_takes_no_turn(paced: Scene) -> None:
    with paced.calling(paced.anna.head("GET", KEPT)) as browsers:
        let_go(paced, 1)
        first = browsers[0].answer()
    for _ in range(5):
        answer = paced.call(paced.anna)
        assert (answer.body, status_of(answer)) == (first.body, "hit")
        assert b"queue" not in (answer.header("server-timing") or b"")
    paced.asked(1)


def test_a_write_that_is_not_sent_empties_nothing(paced: Scene) -> None:
    """Else each refusal would make all others ask again, just when there are too many calls."""
    with paced.calling(paced.anna.head("GET", KEPT)) as browsers:
        let_go(paced, 1)
        assert browsers[0].answer().status == 200
    assert paced.call(paced.anna, KEPT, {"Prefer": "wait=0"}, method="PUT", body=b"{}").status == 429
    assert status_of(paced.call(paced.anna)) == "hit"
    with paced.stage.browser() as writer:
        writer.send(paced.anna.head("PUT", KEPT, {"Content-Length": "0"}))
        paced.stage.running.clock.advance(INTERVAL)
        paced.asked(2)
        assert writer.answer("PUT").status == 200
    with paced.calling(paced.anna.head("GET", KEPT)) as browsers:
        paced.stage.running.clock.advance(INTERVAL)
        paced.asked(3)
        assert "stored" in status_of(browsers[0].answer())
