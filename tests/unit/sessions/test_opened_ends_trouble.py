"""Who watches a session is told of its end in the end, and of none that is not known."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.errors import RecordUnreadable
from tests.support.opened import build_opened, until
from tests.unit.sessions.opened_calls import admit, begin, settle, watched
from tests.unit.sessions.sign_ins import NEW, NOW

if TYPE_CHECKING:
    from gateway.sessions.memory import MemoryStore
    from tests.support.opened import CountedStore, Stage
    from tests.support.running import Clock


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


async def test_a_defect_while_the_store_is_asked_leaves_nobody_waiting_for_good(
    stage: Stage, other: Stage, counted: CountedStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    session, told = await watched(stage)
    await other.vault.end(session.key, reason="signed_out", now=NOW)

    async def break_down() -> None:
        raise ValueError

    counted.before["read_session"] = break_down
    await settle(stage)
    assert (told, "could not be asked about" in caplog.text) == ([], True)
    clock.advance(0.5)
    await settle(stage)
    assert told == ["signed_out"]


async def test_the_close_tells_nobody_and_leaves_nothing_running(stage: Stage) -> None:
    _, told = await watched(stage)
    await stage.opened.close()
    assert told == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
