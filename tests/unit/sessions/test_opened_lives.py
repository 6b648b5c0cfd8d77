"""Who shows a session's life is told of it wherever it happens, and of nothing that is not known."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StoreUnavailable
from gateway.sessions.session_life import Ending, Extended, Refreshed
from gateway.sessions.vault import Ended
from tests.support.opened import until
from tests.unit.sessions.opened_calls import begin, short_lived
from tests.unit.sessions.sign_ins import NOW, build_tokens, read_grant

if TYPE_CHECKING:
    from gateway.sessions.opened_lives import WatchedLife
    from gateway.sessions.session import Session
    from gateway.sessions.session_life import LifeEvent
    from tests.support.opened import CountedStore, Stage
    from tests.support.running import Clock


@dataclass
class Listener:
    """Writes down what it is told."""

    told: list[LifeEvent | str] = field(default_factory=list)
    fails: bool = False

    def session_lives(self, events: list[LifeEvent]) -> None:
        self.told += events
        if self.fails:
            raise RuntimeError

    def session_ended(self, reason: str) -> None:
        self.told.append(reason)
        if self.fails:
            raise RuntimeError


async def settle(stage: Stage) -> None:
    """Look, and wait for what comes of it."""
    await stage.look()
    asking = stage.opened.lives._asking  # noqa: SLF001 - a test says when
    if asking is not None:
        await asking


async def listen(stage: Stage, session: Session, clock: Clock) -> tuple[Listener, WatchedLife]:
    """Watch a session as a stream of events does."""
    listener = Listener()
    watched = stage.opened.watch_life(session.key)
    found = await stage.opened.lives.read(session.key)
    assert not isinstance(found, Ended)
    listener.told += watched.tell(listener, *found, now=clock())
    return listener, watched


async def listening(stage: Stage, clock: Clock, name: str = "id") -> tuple[Session, Listener]:
    session, _ = await begin(stage.vault, name)
    listener, _ = await listen(stage, session, clock)
    await settle(stage)
    assert listener.told == []
    return session, listener


@pytest.mark.parametrize("is_elsewhere", [False, True])
async def test_an_end_is_told_with_its_reason_wherever_it_happens(
    stage: Stage, other: Stage, clock: Clock, *, is_elsewhere: bool
) -> None:
    session, listener = await listening(stage, clock)
    _, bystander = await listening(stage, clock, "bystander")
    await (other if is_elsewhere else stage).vault.end(session.key, reason="signed_out", now=NOW)
    for _ in range(3):
        await settle(stage)
    assert (listener.told, bystander.told) == (["signed_out"], [])


async def test_the_end_of_the_grant_is_told(stage: Stage, other: Stage, clock: Clock) -> None:
    session, listener = await listening(stage, clock)
    await other.vault.end_grant(session.grant_key, reason="grant_ended", now=NOW)
    await settle(stage)
    assert listener.told == ["grant_ended"]


@pytest.mark.parametrize("is_elsewhere", [False, True])
async def test_newer_tokens_are_told_wherever_they_were_fetched(
    stage: Stage, other: Stage, clock: Clock, *, is_elsewhere: bool
) -> None:
    session, listener = await listening(stage, clock)
    vault = (other if is_elsewhere else stage).vault
    tokens = build_tokens("second", refreshed_at=NOW + 100)
    assert await vault.replace_tokens(await read_grant(vault, session), tokens)
    for _ in range(3):
        await settle(stage)
    assert listener.told == [Refreshed(NOW + 14_499, 2)]


async def test_a_session_that_is_idle_is_warned_of_its_end_and_then_told_of_it(
    stage: Stage, clock: Clock, counted: CountedStore
) -> None:
    _, listener = await listening(stage, clock)
    clock.advance(1739)
    counted.taken()
    await settle(stage)
    assert counted.taken() == {}, "nobody is asked before anything can have happened"
    clock.advance(1)
    await settle(stage)
    clock.advance(1)
    await settle(stage)
    assert (listener.told, counted.taken()) == ([Ending(60, "idle")], {"read_session": 1, "read_grant": 1})
    clock.advance(59)
    await settle(stage)
    assert listener.told == [Ending(60, "idle"), "idle"]
    assert counted.calls["touch"] == 0, "watching is no activity"


async def test_activity_elsewhere_takes_the_warning_back_within_seconds(
    stage: Stage, other: Stage, clock: Clock
) -> None:
    session, listener = await listening(stage, clock)
    clock.advance(1750)
    await settle(stage)
    await other.vault.keep_alive(session, now=clock())
    clock.advance(2)
    await settle(stage)
    assert listener.told == [Ending(50, "idle"), Extended(1798)]


async def test_a_session_that_is_about_to_end_is_told_so_at_once(stage: Stage, clock: Clock) -> None:
    session, _ = await begin(stage.vault)
    clock.advance(1790)
    listener, _ = await listen(stage, session, clock)
    assert listener.told == [Ending(10, "idle")]


async def test_what_happens_while_the_session_is_being_read_is_told(
    stage: Stage, other: Stage, clock: Clock, counted: CountedStore
) -> None:
    session, _ = await begin(stage.vault)

    async def end_elsewhere() -> None:
        await other.vault.end(session.key, reason="signed_out_elsewhere", now=NOW)
        await stage.look()

    counted.after["read_grant"] = end_elsewhere
    listener, _ = await listen(stage, session, clock)
    await settle(stage)
    assert listener.told == ["signed_out_elsewhere"]


async def test_a_store_that_is_away_tells_nobody_anything_but_the_absolute_end(
    stage: Stage, other: Stage, clock: Clock, counted: CountedStore
) -> None:
    session, listener = await listening(stage, clock)
    _, bystander = await listening(stage, clock, "bystander")
    counted.is_away = True
    await other.vault.end(session.key, reason="signed_out", now=NOW)
    clock.advance(1800)
    for _ in range(3):
        await settle(stage)
    assert (listener.told, bystander.told) == ([], []), "the idle end may have been put off elsewhere"
    clock.advance(36_000 - 1800)
    await until(lambda: (listener.told, bystander.told) == (["expired"], ["expired"]))


async def test_what_ended_while_the_store_was_away_is_told_afterwards(
    stage: Stage, other: Stage, clock: Clock, counted: CountedStore
) -> None:
    session, listener = await listening(stage, clock)
    _, bystander = await listening(stage, clock, "bystander")
    counted.is_away = True
    await other.vault.end(session.key, reason="signed_out", now=NOW)
    await settle(stage)
    counted.is_away = False
    await settle(stage)
    clock.advance(0.5)
    await settle(stage)
    assert (listener.told, bystander.told) == (["signed_out"], [])


async def test_a_store_that_fails_just_when_it_is_asked_is_asked_again(
    stage: Stage, other: Stage, clock: Clock, counted: CountedStore
) -> None:
    session, listener = await listening(stage, clock)
    await other.vault.end(session.key, reason="signed_out", now=NOW)

    async def fail() -> None:
        raise StoreUnavailable

    counted.before["read_session"] = fail
    await settle(stage)
    await settle(stage)
    assert listener.told == []
    clock.advance(0.5)
    await settle(stage)
    assert listener.told == ["signed_out"]


async def test_a_defect_that_strikes_once_leaves_nobody_watched_for_good(
    stage: Stage, other: Stage, clock: Clock, counted: CountedStore
) -> None:
    session, listener = await listening(stage, clock)
    await other.vault.end(session.key, reason="signed_out", now=NOW)

    async def break_down() -> None:
        raise RuntimeError

    counted.before["read_session"] = break_down
    await settle(stage)
    clock.advance(0.5)
    await settle(stage)
    assert listener.told == ["signed_out"]


async def test_the_store_is_asked_once_for_all_who_watch_one_session(
    stage: Stage, other: Stage, clock: Clock, counted: CountedStore
) -> None:
    session, listener = await listening(stage, clock)
    second, _ = await listen(stage, session, clock)
    counted.taken()
    await other.vault.end(session.key, reason="signed_out", now=NOW)
    await settle(stage)
    assert (listener.told, second.told, counted.taken()) == (
        ["signed_out"],
        ["signed_out"],
        {"read_session": 1},
    )


async def test_who_left_is_not_told_and_nobody_is_asked_for(
    stage: Stage, other: Stage, clock: Clock, counted: CountedStore
) -> None:
    session, _ = await begin(stage.vault)
    listener, watched = await listen(stage, session, clock)
    await other.vault.end(session.key, reason="signed_out", now=NOW)

    async def give_up() -> None:
        watched.stop()

    counted.after["read_session"] = give_up
    await settle(stage)
    watched.stop()
    counted.taken()
    await settle(stage)
    assert (listener.told, counted.taken()) == ([], {})
    assert not stage.opened._is_wanted()  # noqa: SLF001 - nothing else tells


async def test_who_left_while_the_store_was_asked_is_not_told_of_what_goes_on(
    stage: Stage, clock: Clock, counted: CountedStore
) -> None:
    session, _ = await begin(stage.vault)
    listener, watched = await listen(stage, session, clock)

    async def give_up() -> None:
        watched.stop()

    counted.after["read_grant"] = give_up
    clock.advance(1750)
    await settle(stage)
    assert listener.told == []


async def test_one_who_fails_over_the_news_keeps_it_from_nobody(
    stage: Stage, other: Stage, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    session, first = await listening(stage, clock)
    second, _ = await listen(stage, session, clock)
    first.fails = second.fails = True
    await other.vault.end(session.key, reason="signed_out", now=NOW)
    await settle(stage)
    assert (first.told, second.told) == (["signed_out"], ["signed_out"])
    assert caplog.text.count("failed over its news") == 2


async def test_a_session_whose_tokens_ended_is_over_although_the_store_has_it(
    stage: Stage, clock: Clock
) -> None:
    session, _ = await begin(stage.vault)
    tokens = dataclasses.replace(short_lived(600), refresh_token=None)
    await stage.vault.replace_tokens(await read_grant(stage.vault, session), tokens)
    listener, _ = await listen(stage, session, clock)
    clock.advance(550)
    await settle(stage)
    clock.advance(50)
    await settle(stage)
    assert listener.told == [Ending(50, "expired"), "expired"]


async def test_a_session_that_ends_between_two_looks_at_the_store_is_over_for_its_own_reason(
    stage: Stage, other: Stage, counted: CountedStore
) -> None:
    session, _ = await begin(stage.vault)

    async def end_elsewhere() -> None:
        await other.vault.end(session.key, reason="signed_out", now=NOW)

    counted.before["read_grant"] = end_elsewhere
    assert await stage.opened.lives.read(session.key) == Ended("signed_out")


async def test_closing_tells_nobody(stage: Stage, clock: Clock) -> None:
    _, listener = await listening(stage, clock)
    await stage.opened.lives.close()
    clock.advance(36_000)
    stage.opened.lives.end_overdue()
    await asyncio.sleep(0)
    assert listener.told == []
