"""Who watches a session is told of its end, whatever ends it, once and with its reason."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.errors import RecordUnreadable
from tests.support.opened import build_opened, until
from tests.unit.sessions.opened_calls import admit, begin
from tests.unit.sessions.sign_ins import NEW, NOW

if TYPE_CHECKING:
    from gateway.sessions.memory import MemoryStore
    from gateway.sessions.session import Session
    from tests.support.opened import CountedStore, Stage
    from tests.support.running import Clock


async def settle(stage: Stage) -> None:
    """Look, and wait for what comes of it."""
    await stage.look()
    asking = stage.opened._ends._asking  # noqa: SLF001 - a test says when
    if asking is not None:
        await asking


async def watched(stage: Stage, name: str = "id") -> tuple[Session, list[str]]:
    """Sign in and watch the session; returns what is told."""
    session, _ = await begin(stage.vault, name)
    told: list[str] = []
    stage.opened.watch(session.key, told.append)
    await settle(stage)
    assert told == []
    return session, told


async def test_an_end_in_this_process_is_told(stage: Stage) -> None:
    session, told = await watched(stage)
    _, bystander = await watched(stage, "bystander")
    await stage.vault.end(session.key, reason="signed_out", now=NOW)
    for _ in range(3):
        await settle(stage)
    assert (told, bystander) == (["signed_out"], [])


async def test_an_end_in_another_process_is_told(stage: Stage, other: Stage) -> None:
    session, told = await watched(stage)
    await other.vault.end_grant(session.grant_key, reason="refresh_lost", now=NOW)
    await settle(stage)
    assert told == ["refresh_lost"]


async def test_a_replaced_session_is_told(stage: Stage) -> None:
    session, told = await watched(stage)
    await begin(stage.vault, "successor", replaces=session.key)
    await settle(stage)
    assert told == ["replaced"]


async def test_every_watcher_is_told_but_those_that_left(stage: Stage) -> None:
    session, told = await watched(stage)
    others: list[str] = []
    leave = stage.opened.watch(session.key, others.append)
    stage.opened.watch(session.key, others.append)
    leave()
    leave()
    await stage.vault.end(session.key, reason="signed_out", now=NOW)
    await settle(stage)
    leave()
    assert (told, others) == (["signed_out"], ["signed_out"])


async def test_nobody_is_asked_for_once_the_last_watcher_left(stage: Stage, counted: CountedStore) -> None:
    session, _ = await begin(stage.vault)
    leave = stage.opened.watch(session.key, lambda _: None)
    await settle(stage)
    assert stage.opened._is_wanted()  # noqa: SLF001 - nothing else tells
    leave()
    counted.taken()
    await settle(stage)
    assert counted.taken() == {}
    assert not stage.opened._is_wanted()  # noqa: SLF001 - as above


async def test_who_left_while_the_store_was_asked_is_not_told(
    stage: Stage, counted: CountedStore, other: Stage
) -> None:
    session, _ = await begin(stage.vault)
    told: list[str] = []
    leave = stage.opened.watch(session.key, told.append)
    await other.vault.end(session.key, reason="signed_out", now=NOW)

    async def give_up() -> None:
        leave()

    counted.after["read_session"] = give_up
    await settle(stage)
    assert told == []


async def test_a_session_that_ended_before_it_was_watched_is_told(stage: Stage, other: Stage) -> None:
    session, _ = await begin(stage.vault)
    await other.vault.end(session.key, reason="signed_out_elsewhere", now=NOW)
    await stage.look()
    told: list[str] = []
    stage.opened.watch(session.key, told.append)
    assert told == [], "never from within"
    await settle(stage)
    assert told == ["signed_out_elsewhere"]


async def test_the_idle_end_is_told_and_activity_puts_it_off(
    stage: Stage, other: Stage, clock: Clock, counted: CountedStore
) -> None:
    session, told = await watched(stage)
    clock.advance(1799)
    await other.vault.keep_alive(session, now=clock())
    counted.taken()
    await settle(stage)
    assert counted.taken() == {}, "the store is asked at the end that is known"
    clock.advance(1)
    await settle(stage)
    assert (told, counted.taken()) == ([], {"read_session": 1})
    clock.advance(1799)
    await settle(stage)
    assert told == ["idle"]


async def test_watching_is_no_activity(stage: Stage, clock: Clock, counted: CountedStore) -> None:
    _, told = await watched(stage)
    for _ in range(18):
        clock.advance(100)
        await settle(stage)
    assert told == ["idle"]
    assert counted.calls["touch"] == 0


async def test_the_absolute_end_is_told_however_much_activity_there_was(stage: Stage, clock: Clock) -> None:
    session, told = await watched(stage)
    for _ in range(30):
        clock.advance(1199)
        session = await stage.vault.keep_alive(session, now=clock())
        await settle(stage)
    assert told == []
    clock.advance(30)
    await until(lambda: told == ["expired"])


async def test_the_absolute_end_comes_without_the_store(
    stage: Stage, clock: Clock, counted: CountedStore
) -> None:
    _, told = await watched(stage)
    counted.is_away = True
    clock.advance(1800)
    for _ in range(3):
        await settle(stage)
    assert told == [], "the idle end may have been put off elsewhere"
    clock.advance(36000 - 1800)
    await until(lambda: told == ["expired"])


async def test_a_session_in_use_has_its_absolute_end_known_from_the_beginning(
    stage: Stage, clock: Clock, counted: CountedStore
) -> None:
    session, _ = await begin(stage.vault)
    await admit(stage)
    counted.is_away = True
    told: list[str] = []
    stage.opened.watch(session.key, told.append)
    clock.advance(36000)
    await until(lambda: told == ["expired"])


async def test_a_store_that_is_away_ends_nothing_and_what_ended_meanwhile_is_told_afterwards(
    stage: Stage, other: Stage, counted: CountedStore
) -> None:
    session, told = await watched(stage)
    _, bystander = await watched(stage, "bystander")
    counted.is_away = True
    await other.vault.end(session.key, reason="signed_out", now=NOW)
    for _ in range(3):
        await settle(stage)
    assert (told, bystander) == ([], [])
    counted.is_away = False
    await settle(stage)
    assert (told, bystander) == (["signed_out"], [])


async def test_a_store_that_goes_away_while_it_is_asked_is_asked_again(
    stage: Stage, other: Stage, counted: CountedStore, clock: Clock
) -> None:
    session, told = await watched(stage)
    await other.vault.end(session.key, reason="signed_out", now=NOW)

    async def go_away() -> None:
        counted.is_away = True

    counted.before["read_session"] = go_away
    await settle(stage)
    counted.is_away = False
    clock.advance(0.5)
    await settle(stage)
    assert told == ["signed_out"]


async def test_a_session_that_is_named_again_while_it_is_asked_about_is_asked_about_again(
    stage: Stage, other: Stage, counted: CountedStore
) -> None:
    session, told = await watched(stage)

    async def end_after_the_answer() -> None:
        await other.vault.end(session.key, reason="signed_out", now=NOW)
        await stage.look()

    stage.opened._ends.mark(None)  # noqa: SLF001 - as a look does that may have missed something
    counted.after["read_session"] = end_after_the_answer
    await settle(stage)
    await settle(stage)
    assert told == ["signed_out"]


async def test_after_a_look_that_may_have_missed_something_all_are_asked_about(
    stage: Stage, store: MemoryStore
) -> None:
    told = [(await watched(stage, f"{number}"))[1] for number in range(40)]
    await store.close()
    await store.open()
    for _ in range(3):
        await settle(stage)
    assert told == [["none"]] * 40


async def test_a_record_that_does_not_open_ends_nothing(
    store: MemoryStore, clock: Clock, monotonic: Clock, stage: Stage
) -> None:
    async with build_opened(store, NEW, clock=clock, monotonic=monotonic) as stranger:
        session, _ = await begin(stage.vault)
        with pytest.raises(RecordUnreadable):
            await stranger.vault.read(session.key, now=NOW)
        told: list[str] = []
        stranger.opened.watch(session.key, told.append)
        for _ in range(3):
            await settle(stranger)
            clock.advance(0.5)
        assert told == []


async def test_a_watcher_that_fails_keeps_nobody_else_from_being_told(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    session, told = await watched(stage)

    def fail(_: str) -> None:
        raise ValueError

    stage.opened.watch(session.key, fail)
    late: list[str] = []
    stage.opened.watch(session.key, late.append)
    await stage.vault.end(session.key, reason="signed_out", now=NOW)
    await settle(stage)
    assert (told, late) == (["signed_out"], ["signed_out"])
    assert "failed over it" in caplog.text


async def test_the_close_tells_nobody_and_leaves_nothing_running(stage: Stage) -> None:
    _, told = await watched(stage)
    await stage.opened.close()
    assert told == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
