"""Who watches a session is told of its end, whatever ends it, once and with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.opened import until
from tests.unit.sessions.opened_calls import begin, settle, watched
from tests.unit.sessions.sign_ins import NOW

if TYPE_CHECKING:
    from tests.support.opened import CountedStore, Stage
    from tests.support.running import Clock


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
