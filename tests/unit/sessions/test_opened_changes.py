"""Opened sessions: whatever ends or changes, here or elsewhere, is not served any longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.sessions.session import TOUCH_SECONDS
from tests.unit.sessions.opened_calls import admit, begin, find, reason
from tests.unit.sessions.sign_ins import NOW, build_tokens, read_grant

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.sessions.opened_session import OpenedSession
    from gateway.sessions.session import Session
    from tests.support.opened import CountedStore, Stage
    from tests.support.running import Clock


ENDINGS: dict[str, tuple[Callable[[Stage, Session], Awaitable[object]], str]] = {
    "end": (lambda stage, own: stage.vault.end(own.key, reason="signed_out", now=NOW), "signed_out"),
    "end_all": (lambda stage, own: stage.vault.end_all(own, now=NOW), "signed_out"),
    "end_others": (
        lambda stage, own: stage.vault.end_others(_stranger(own), now=NOW),
        "signed_out_elsewhere",
    ),
    "end_listed": (
        lambda stage, own: stage.vault.end_listed(own, stage.vault.public_id(own), now=NOW),
        "signed_out",
    ),
    "end_by_sid": (
        lambda stage, _: stage.vault.end_by_sid(issuer="https://as.example", sid="sid", now=NOW),
        "signed_out_elsewhere",
    ),
    "end_by_subject": (
        lambda stage, _: stage.vault.end_by_subject(
            issuer="https://as.example", client_id="client", subject="Ada", now=NOW
        ),
        "signed_out_elsewhere",
    ),
    "end_grant": (
        lambda stage, own: stage.vault.end_grant(own.grant_key, reason="grant_ended", now=NOW),
        "grant_ended",
    ),
    "begin": (lambda stage, own: begin(stage.vault, "successor", replaces=own.key), "replaced"),
}


def _stranger(own: Session) -> Session:
    """Return another session of the same user."""
    return type(own)(
        key=b"another",
        grant_key=own.grant_key,
        subject=own.subject,
        claims={},
        created_at=NOW,
        last_seen_at=NOW,
        idle_seconds=1800,
        ends_at=NOW + 36000,
        subject_key=own.subject_key,
    )


@pytest.mark.parametrize("name", ENDINGS)
async def test_what_ends_here_is_over_at_once(stage: Stage, name: str) -> None:
    session, _ = await begin(stage.vault, sid="sid")
    bystander, _ = await begin(stage.vault, "bystander", subject="Bob")
    opened, bystanding = await admit(stage), await admit(stage, "bystander")
    assert find(stage) is opened
    end, told = ENDINGS[name]
    await end(stage, session)
    assert (opened.is_live, find(stage)) == (False, None)
    assert await reason(stage) == told
    assert find(stage, "bystander") is bystanding
    assert bystander.key == bystanding.session.key


@pytest.mark.parametrize("moment", ["read_session", "read_grant"])
@pytest.mark.parametrize("name", ENDINGS)
async def test_what_ends_here_while_it_is_opened_is_not_remembered(
    stage: Stage, counted: CountedStore, name: str, moment: str
) -> None:
    session, _ = await begin(stage.vault, sid="sid")
    end, told = ENDINGS[name]

    async def interrupt() -> None:
        await end(stage, session)

    counted.after[moment] = interrupt
    if moment == "read_session":
        assert await reason(stage) == told
    else:
        await admit(stage)
    assert find(stage) is None
    assert await reason(stage) == told


async def test_new_tokens_are_used_at_once(stage: Stage) -> None:
    session, _ = await begin(stage.vault)
    old = await admit(stage)
    await stage.vault.replace_tokens(old.grant, build_tokens("second"))
    assert (old.is_live, find(stage)) == (False, None)
    assert (await admit(stage)).bearer == b"Bearer access second"
    assert (await read_grant(stage.vault, session)).generation == 2


async def test_a_sign_in_that_brings_newer_tokens_is_heeded_at_once(stage: Stage) -> None:
    await begin(stage.vault, "one", connection_id="x")
    one = await admit(stage, "one")
    await begin(stage.vault, "two", connection_id="x", tokens=build_tokens("second", refreshed_at=NOW + 5))
    assert (one.is_live, find(stage, "one")) == (False, None)
    one, two = await admit(stage, "one"), await admit(stage, "two")
    assert (one.bearer, one.bearer is two.bearer) == (b"Bearer access second", True)


async def test_a_late_refresh_that_was_not_first_is_no_reason_to_go_on_with_old_tokens(
    stage: Stage, other: Stage
) -> None:
    await begin(stage.vault)
    old = await admit(stage)
    await other.vault.replace_tokens(old.grant, build_tokens("theirs"))
    current = await stage.vault.replace_tokens(old.grant, build_tokens("ours"))
    assert current is not None
    assert current.tokens.access_token == "access theirs"
    assert find(stage) is None


@pytest.mark.parametrize("name", ENDINGS)
async def test_what_another_process_ends_is_over_with_the_next_look(
    stage: Stage, other: Stage, name: str
) -> None:
    session, _ = await begin(stage.vault, sid="sid")
    await begin(stage.vault, "bystander", subject="Bob")
    opened, bystanding = await admit(stage), await admit(stage, "bystander")
    end, told = ENDINGS[name]
    await end(other, session)
    assert find(stage) is opened, "nobody has said anything yet"
    await stage.look()
    assert (opened.is_live, find(stage)) == (False, None)
    assert await reason(stage) == told
    assert find(stage, "bystander") is bystanding


@pytest.mark.parametrize("sharers", [1, 3])
async def test_tokens_that_another_process_replaced_are_seen_with_the_next_look(
    stage: Stage, other: Stage, sharers: int
) -> None:
    names = [f"{number}" for number in range(sharers)]
    for name in names:
        await begin(stage.vault, name, connection_id="x", tokens=build_tokens(name))
    before = [await admit(stage, name) for name in names]
    await other.vault.replace_tokens(before[-1].grant, build_tokens("newest"))
    await stage.look()
    assert [find(stage, name) for name in names] == [None] * sharers
    after = [await admit(stage, name) for name in names]
    assert {id(each.bearer) for each in after} == {id(after[0].bearer)}
    assert after[0].bearer == b"Bearer access newest"


async def test_what_is_read_before_a_look_that_names_it_is_not_remembered_after_it(
    stage: Stage, other: Stage, counted: CountedStore
) -> None:
    session, _ = await begin(stage.vault)

    async def interrupt() -> None:
        await other.vault.end(session.key, reason="signed_out", now=NOW)
        await stage.look()

    counted.after["read_grant"] = interrupt
    assert not (await admit(stage)).is_live
    assert find(stage) is None
    assert await reason(stage) == "signed_out"


async def test_what_a_look_finds_after_its_reader_is_forgotten_again(
    stage: Stage, other: Stage, counted: CountedStore
) -> None:
    """The look began before the session was read, and comes to its end when it is remembered."""
    session, _ = await begin(stage.vault)

    async def interrupt() -> None:
        opened = await admit(stage)
        assert opened.is_live
        await other.vault.end(session.key, reason="signed_out", now=NOW)

    counted.before["changes"] = interrupt
    await stage.look()
    assert find(stage) is None


async def test_activity_anywhere_empties_nobodys_memory(stage: Stage, other: Stage, clock: Clock) -> None:
    opened: dict[str, OpenedSession] = {}
    for name in ("a", "b", "c"):
        await begin(stage.vault, name)
        opened[name] = await admit(stage, name)
    clock.advance(59)
    for _ in range(3):
        await other.vault.keep_alive(opened["a"].session, now=clock() + TOUCH_SECONDS)
        await stage.vault.keep_alive(opened["b"].session, now=clock() + TOUCH_SECONDS)
        await begin(other.vault, f"new {_}")
        await stage.look()
    assert {name: find(stage, name) for name in opened} == opened
