"""Opened sessions: a call costs the store nothing, and what is remembered lapses in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.errors import (
    AuthorizationServerBusy,
    AuthorizationServerUnreachable,
    RecordUnreadable,
    SessionRequired,
)
from gateway.sessions.session import TOUCH_SECONDS
from tests.support.opened import CountedStore, Stage, build_opened
from tests.unit.sessions.opened_calls import admit, begin, find, reason, short_lived
from tests.unit.sessions.sign_ins import NEW, NOW, OLD, read_grant

if TYPE_CHECKING:
    from gateway.sessions.memory import MemoryStore
    from tests.support.running import Clock


async def test_a_call_after_the_first_costs_the_store_nothing(stage: Stage, counted: CountedStore) -> None:
    session, _ = await begin(stage.vault)
    assert find(stage) is None
    counted.taken()
    admitted = await admit(stage)
    assert counted.taken() == {"read_session": 1, "read_grant": 1}
    for _ in range(1000):
        assert find(stage) is admitted
    assert counted.taken() == {}
    assert (admitted.session, admitted.grant) == (session, await read_grant(stage.vault, session))
    assert (admitted.bearer, admitted.is_live) == (b"Bearer access first", True)


async def test_nobody_else_is_found_by_a_cookie(stage: Stage) -> None:
    await begin(stage.vault)
    await admit(stage)
    field = stage.cookie()
    for foreign in (field[:-1], field + b"x", b"", field + b"; a=1", stage.cookie("other")):
        assert stage.opened.find(foreign) is None


async def test_a_session_beside_cookies_of_the_app_is_remembered_by_the_whole_field(stage: Stage) -> None:
    await begin(stage.vault)
    field = b"theme=dark; " + stage.cookie()
    admitted = await stage.opened.admit([(b"cookie", field)], may_meet_401=True)
    assert stage.opened.find(field) is admitted
    assert find(stage) is None
    again = await admit(stage)
    assert (stage.opened.find(field), find(stage)) == (again, again)


async def test_several_cookie_fields_are_admitted_and_not_remembered(stage: Stage) -> None:
    await begin(stage.vault)
    headers = [(b"cookie", b"theme=dark"), (b"cookie", stage.cookie())]
    assert not (await stage.opened.admit(headers, may_meet_401=True)).is_live
    assert find(stage) is None


@pytest.mark.parametrize("fields", [1, 2])
async def test_two_sessions_at_once_are_none(stage: Stage, fields: int) -> None:
    for session_id in ("id", "planted"):
        await begin(stage.vault, session_id)
        await admit(stage, session_id)
    values = [stage.cookie(), stage.cookie("planted")]
    headers = [(b"cookie", value) for value in ([b"; ".join(values)] if fields == 1 else values)]
    for _ in range(2):
        with pytest.raises(SessionRequired) as refused:
            await stage.opened.admit(headers, may_meet_401=True)
        assert refused.value.reason == "none"
        assert stage.opened.find(b"; ".join(values)) is None


async def test_an_old_secrets_cookie_and_records_are_remembered_under_the_new_secret(
    store: MemoryStore, clock: Clock, monotonic: Clock, stage: Stage
) -> None:
    await begin(stage.vault)
    async with build_opened(store, NEW, OLD, clock=clock, monotonic=monotonic) as rotated:
        await rotated.look()
        admitted = await rotated.opened.admit([(b"cookie", stage.cookie())], may_meet_401=True)
        assert rotated.opened.find(stage.cookie()) is admitted


async def test_a_record_that_does_not_open_is_not_remembered(
    store: MemoryStore, clock: Clock, monotonic: Clock, stage: Stage
) -> None:
    await begin(stage.vault)
    async with build_opened(store, NEW, clock=clock, monotonic=monotonic) as stranger:
        await stranger.look()
        await begin(stranger.vault, "theirs")
        for _ in range(2):
            with pytest.raises(RecordUnreadable):
                await admit(stage, "theirs")
            assert find(stage, "theirs") is None


@pytest.mark.parametrize("steps_back", [0, 3600])
async def test_activity_is_noted_once_a_minute(
    stage: Stage, counted: CountedStore, clock: Clock, monotonic: Clock, steps_back: float
) -> None:
    """A clock that is set back prolongs nothing: what is remembered lapses by the other clock."""
    await begin(stage.vault)
    first = await admit(stage)
    assert first.serves_until == NOW + TOUCH_SECONDS
    monotonic.advance(TOUCH_SECONDS - 0.01)
    clock.advance(TOUCH_SECONDS - 0.01 - steps_back)
    await stage.look()
    assert find(stage) is first
    monotonic.advance(0.01)
    clock.advance(0.01)
    assert find(stage) is None
    counted.taken()
    again = await admit(stage)
    assert counted.taken().get("touch", 0) == (0 if steps_back else 1)
    assert (first.is_live, again.is_live, find(stage)) == (False, True, again)


async def test_a_clock_that_is_set_on_lets_sessions_lapse(stage: Stage, clock: Clock) -> None:
    await begin(stage.vault)
    await admit(stage)
    clock.advance(1800)
    assert find(stage) is None
    assert await reason(stage) == "idle"


async def test_what_is_remembered_lapses_at_the_absolute_end(stage: Stage, clock: Clock) -> None:
    await begin(stage.vault, tokens=short_lived(100_000))
    for _ in range(30):
        clock.advance(1199)
        await admit(stage)
    assert clock() == NOW + 35970
    assert find(stage) is not None
    clock.advance(30)
    assert find(stage) is None
    assert await reason(stage) == "expired"


async def test_a_token_is_not_remembered_beyond_the_time_to_refresh_it(stage: Stage, clock: Clock) -> None:
    await begin(stage.vault, tokens=short_lived(80))
    admitted = await admit(stage)
    assert admitted.serves_until == NOW + 60, "a quarter of its life is left"
    clock.advance(60)
    served = await admit(stage)
    assert (served.bearer, served.is_live) == (b"Bearer access short", False)
    await stage.refresher.drain()
    newer = await admit(stage)
    assert (newer.bearer, newer.is_live) == (b"Bearer access refreshed 1", True)
    assert stage.server.refreshes == 1


@pytest.mark.parametrize("error", [AuthorizationServerUnreachable(), AuthorizationServerBusy(retry_after=30)])
async def test_calls_are_served_while_the_authorization_server_rests(
    stage: Stage, clock: Clock, error: AuthorizationServerUnreachable
) -> None:
    await begin(stage.vault, tokens=short_lived(80))
    clock.advance(60)
    stage.server.trouble = error
    for _ in range(3):
        for may_meet_401 in (True, False):
            assert (await admit(stage, may_meet_401=may_meet_401)).bearer == b"Bearer access short"
            assert find(stage) is None
        await stage.refresher.drain()
    assert stage.server.refreshes == 1
    clock.advance(20)
    with pytest.raises(type(error)):
        await admit(stage)
