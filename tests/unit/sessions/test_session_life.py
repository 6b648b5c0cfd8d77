"""What is told of a session that goes on: its end is near, is not any more, its tokens are newer."""

from __future__ import annotations

import dataclasses

import pytest

from gateway.sessions.session import Grant, Session
from gateway.sessions.session_life import Ending, Extended, Refreshed, SessionLife, tokens_of
from tests.unit.sessions.sign_ins import NOW, build_tokens

GRANT = Grant(
    key=b"grant",
    issuer="https://as.example",
    client_id="client",
    subject="Ada",
    connection_id=None,
    tokens=build_tokens(),
    generation=1,
    created_at=NOW,
    ends_at=NOW + 36000,
)


def build_session(
    *, idle_seconds: int = 1800, last_seen_at: float = NOW, ends_at: float = NOW + 36000
) -> Session:
    return Session(
        key=b"session",
        grant_key=b"grant",
        subject="Ada",
        claims={},
        created_at=NOW,
        last_seen_at=last_seen_at,
        idle_seconds=idle_seconds,
        ends_at=ends_at,
    )


def begin() -> SessionLife:
    return SessionLife(tokens_of(GRANT))


def test_a_session_in_its_prime_is_not_worth_a_word_until_a_minute_before_its_end() -> None:
    assert begin().look_at(build_session(), GRANT, now=NOW) == ([], NOW + 1740)
    assert begin().look_at(build_session(), GRANT, now=NOW + 1739.9) == ([], NOW + 1740)


@pytest.mark.parametrize(("idle_seconds", "warn_after"), [(1800, 1740), (120, 60), (60, 30), (10, 5)])
def test_the_warning_comes_a_minute_before_the_end_or_at_half_of_a_short_idle_time(
    idle_seconds: int, warn_after: float
) -> None:
    session = build_session(idle_seconds=idle_seconds)
    events, due_at = begin().look_at(session, GRANT, now=NOW + warn_after)
    assert events == [Ending(int(idle_seconds - warn_after), "idle")]
    assert due_at == NOW + warn_after + 2, "for activity puts the end off, and is in no change"


def test_the_same_end_is_told_once() -> None:
    life = begin()
    life.look_at(build_session(), GRANT, now=NOW + 1750)
    assert life.look_at(build_session(), GRANT, now=NOW + 1752) == ([], NOW + 1754)
    assert life.look_at(build_session(), GRANT, now=NOW + 1799) == ([], NOW + 1800)


def test_an_end_that_moved_and_is_still_near_is_told_again() -> None:
    life = begin()
    life.look_at(build_session(), GRANT, now=NOW + 1750)
    events, _ = life.look_at(build_session(last_seen_at=NOW + 5), GRANT, now=NOW + 1760)
    assert events == [Ending(45, "idle")]


def test_an_end_that_was_put_off_far_is_told_and_can_come_near_again() -> None:
    life = begin()
    life.look_at(build_session(), GRANT, now=NOW + 1750)
    seen = build_session(last_seen_at=NOW + 1751)
    assert life.look_at(seen, GRANT, now=NOW + 1752) == ([Extended(1799)], NOW + 3491)
    assert life.look_at(seen, GRANT, now=NOW + 1753) == ([], NOW + 3491)
    assert life.look_at(seen, GRANT, now=NOW + 3491)[0] == [Ending(60, "idle")]


def test_the_end_that_nothing_puts_off_is_told_as_such() -> None:
    session = build_session(last_seen_at=NOW + 35_000)
    assert begin().look_at(session, GRANT, now=NOW + 35_990)[0] == [Ending(10, "expired")]


def test_newer_tokens_are_told_once_and_older_ones_never() -> None:
    newer = GRANT.with_tokens(build_tokens("second", refreshed_at=NOW + 100))
    life = begin()
    assert life.look_at(build_session(), newer, now=NOW)[0] == [Refreshed(NOW + 14_499, 2)]
    assert life.look_at(build_session(), newer, now=NOW)[0] == []
    assert life.look_at(build_session(), GRANT, now=NOW)[0] == []


def test_tokens_of_a_grant_that_came_back_are_newer_though_they_count_from_one() -> None:
    life = SessionLife(tokens_of(dataclasses.replace(GRANT, generation=7)))
    back = dataclasses.replace(GRANT, created_at=NOW + 50)
    assert life.look_at(build_session(), back, now=NOW)[0] == [Refreshed(NOW + 14_399, 1)]
