"""Opened sessions: nothing is served from memory when it is not known to be true."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from gateway.errors import (
    GrantRefused,
    SessionRequired,
    StoreUnavailable,
)
from gateway.sessions.opened_looks import TRUST_SECONDS
from gateway.sessions.session import TOUCH_SECONDS
from tests.support.opened import CountedStore, Stage, build_opened, until
from tests.support.wire import SOON
from tests.unit.sessions.opened_calls import admit, begin, find, reason
from tests.unit.sessions.sign_ins import NOW, OLD

if TYPE_CHECKING:
    from gateway.sessions.memory import MemoryStore
    from tests.support.running import Clock


async def test_what_is_remembered_serves_only_as_long_as_the_last_look_is_recent(
    stage: Stage, monotonic: Clock
) -> None:
    await begin(stage.vault)
    opened = await admit(stage)
    monotonic.advance(TRUST_SECONDS - 0.01)
    assert find(stage) is opened
    monotonic.advance(0.01)
    assert (find(stage), opened.is_live) == (None, True)
    assert (await admit(stage)).is_live
    assert find(stage) is None, "reading one session says nothing of what changed"
    await stage.look()
    assert find(stage) is not None


async def test_a_look_counts_from_its_beginning(
    stage: Stage, counted: CountedStore, monotonic: Clock
) -> None:
    await begin(stage.vault)
    await admit(stage)

    async def slow() -> None:
        monotonic.advance(TRUST_SECONDS)

    counted.after["changes"] = slow
    await stage.look()
    assert find(stage) is None
    await stage.look()
    assert find(stage) is not None


async def test_a_store_that_is_away_leaves_nothing_to_be_served_from_memory(
    stage: Stage, other: Stage, counted: CountedStore
) -> None:
    session, _ = await begin(stage.vault)
    opened = await admit(stage)
    counted.is_away = True
    await stage.look()
    assert (opened.is_live, find(stage)) == (False, None)
    with pytest.raises(StoreUnavailable):
        await admit(stage)
    counted.is_away = False
    await admit(stage)
    assert find(stage) is None, "what changed meanwhile is not known before a look was answered"
    await stage.look()
    assert find(stage) is not None
    counted.is_away = True
    await other.vault.end(session.key, reason="signed_out", now=NOW)
    await stage.look()
    counted.is_away = False
    assert await reason(stage) == "signed_out"


async def test_what_is_read_while_the_store_goes_away_is_not_remembered(
    stage: Stage, counted: CountedStore
) -> None:
    await begin(stage.vault)

    async def interrupt() -> None:
        counted.is_away = True
        await stage.look()
        counted.is_away = False
        await stage.look()

    counted.after["read_grant"] = interrupt
    assert not (await admit(stage)).is_live
    assert find(stage) is None


async def test_a_look_that_may_have_missed_something_drops_everything(
    stage: Stage, store: MemoryStore
) -> None:
    """A lost subscription, or a store that begins anew: SessionStore.changes says None."""
    await begin(stage.vault)
    opened = await admit(stage)
    await store.close()
    await store.open()
    await stage.look()
    assert (opened.is_live, find(stage)) == (False, None)
    assert await reason(stage) == "none"


async def test_a_look_that_fails_by_a_defect_is_a_look_that_failed(
    stage: Stage, counted: CountedStore, caplog: pytest.LogCaptureFixture
) -> None:
    await begin(stage.vault)
    await admit(stage)

    async def break_down() -> None:
        raise ValueError

    counted.after["changes"] = break_down
    await stage.look()
    assert find(stage) is None
    assert "failed unexpectedly" in caplog.text
    await stage.look()
    await admit(stage)
    assert find(stage) is not None


async def test_an_outage_is_logged_once_and_its_end_too(
    stage: Stage, counted: CountedStore, caplog: pytest.LogCaptureFixture
) -> None:
    counted.is_away = True
    for _ in range(5):
        await stage.look()
    counted.is_away = False
    for _ in range(5):
        await stage.look()
    assert [record.getMessage() for record in caplog.records] == [
        "sessions are not remembered while the store is in trouble: store_unavailable",
        "the store tells what changes again: sessions are remembered",
    ]


async def test_a_write_whose_outcome_is_unknown_is_believed_when_a_look_says_so(
    stage: Stage, counted: CountedStore
) -> None:
    session, _ = await begin(stage.vault)
    await admit(stage)

    async def lose_the_answer() -> None:
        raise StoreUnavailable

    counted.after["end_session"] = lose_the_answer
    with pytest.raises(StoreUnavailable):
        await stage.vault.end(session.key, reason="signed_out", now=NOW)
    await stage.look()
    assert find(stage) is None
    assert await reason(stage) == "signed_out"


async def test_a_session_whose_activity_cannot_be_noted_is_not_remembered(
    stage: Stage, counted: CountedStore, clock: Clock, other: Stage
) -> None:
    session, _ = await begin(stage.vault)
    clock.advance(TOUCH_SECONDS)

    async def end_elsewhere() -> None:
        await other.vault.end(session.key, reason="signed_out", now=NOW)

    counted.before["touch"] = end_elsewhere
    assert not (await admit(stage)).is_live
    assert await reason(stage) == "signed_out"


async def test_refused_tokens_are_renewed_once_and_every_call_gets_the_new_ones(
    stage: Stage, clock: Clock
) -> None:
    await begin(stage.vault)
    old = await admit(stage)
    clock.advance(11)
    renewed = await asyncio.gather(*(stage.opened.renewed(old) for _ in range(50)))
    assert {each.bearer for each in renewed} == {b"Bearer access refreshed 1"}
    assert (stage.server.refreshes, old.is_live, find(stage)) == (1, False, None)
    opened = await admit(stage)
    assert opened.bearer == b"Bearer access refreshed 1"
    late = await stage.opened.renewed(old)
    assert late.bearer is opened.bearer
    assert find(stage) is opened
    assert stage.server.refreshes == 1


async def test_tokens_too_fresh_to_be_renewed_come_back_and_stay_remembered(stage: Stage) -> None:
    await begin(stage.vault)
    opened = await admit(stage)
    renewed = await stage.opened.renewed(opened)
    assert (renewed.bearer is opened.bearer, find(stage)) == (True, opened)
    assert stage.server.refreshes == 0


async def test_tokens_that_cannot_be_renewed_are_told_with_the_sessions_own_reason(
    stage: Stage, other: Stage, clock: Clock
) -> None:
    session, _ = await begin(stage.vault)
    opened = await admit(stage)
    clock.advance(11)
    await other.vault.end(session.key, reason="signed_out_elsewhere", now=clock())
    with pytest.raises(SessionRequired) as refused:
        await stage.opened.renewed(opened)
    assert refused.value.reason == "signed_out_elsewhere"


async def test_a_dead_refresh_token_ends_the_session_for_calls_at_once(stage: Stage, clock: Clock) -> None:
    await begin(stage.vault)
    opened = await admit(stage)
    clock.advance(11)
    stage.server.trouble = GrantRefused("invalid_grant")
    with pytest.raises(SessionRequired) as refused:
        await stage.opened.renewed(opened)
    assert (refused.value.reason, opened.is_live, find(stage)) == ("grant_ended", False, None)


async def test_nothing_is_remembered_after_the_close(stage: Stage) -> None:
    await begin(stage.vault)
    opened = await admit(stage)
    await stage.opened.close()
    assert (opened.is_live, find(stage)) == (False, None)
    await admit(stage)
    assert find(stage) is None


async def test_looks_come_by_themselves_and_at_once_when_somebody_comes_after_a_rest(
    counted: CountedStore, clock: Clock
) -> None:
    async with build_opened(counted, OLD, clock=clock) as stage:
        await begin(stage.vault)
        looks = stage.opened._looks  # noqa: SLF001 - nothing else tells what it relies on
        await until(lambda: counted.calls["changes"] == 1)
        await until(lambda: time.monotonic() > looks.trusted_until)
        assert counted.calls["changes"] == 1, "nobody wants to know"
        await admit(stage)
        began = time.monotonic()
        await until(lambda: find(stage) is not None)
        assert time.monotonic() - began < SOON
        await until(lambda: counted.calls["changes"] >= 6)
        assert time.monotonic() - began > 0.7
