"""What one process remembers, another one's changes reach within a second, on every store that is shared."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.sessions.sqlite import SqliteStore
from tests.contract.opened_calls import refusal, remember, sign_in
from tests.contract.records import NOW
from tests.contract.stores import opened
from tests.support.opened import CountedStore, Stage, build_opened, until
from tests.support.wire import SOON
from tests.unit.sessions.sign_ins import NEW, OLD, build_tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.sessions.store import SessionStore

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def stages(peers: tuple[SessionStore, SessionStore]) -> AsyncIterator[list[Stage]]:
    """Return two processes that look by themselves; in front of their secrets each has another one."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(build_opened(CountedStore(store), *secrets, clock=lambda: NOW))
            for store, secrets in zip(peers, ((OLD, NEW), (NEW, OLD)), strict=True)
        ]


async def test_a_session_that_ends_in_one_process_is_refused_by_the_other_within_a_second(
    stages: list[Stage],
) -> None:
    one, other = stages
    bystander, bystanding = await sign_in(one)
    await remember(other, bystanding)
    for _ in range(5):
        session, cookie = await sign_in(one)
        await remember(one, cookie)
        await remember(other, cookie)
        await one.vault.end(session.key, reason="signed_out", now=NOW)
        ended = time.monotonic()
        assert one.opened.find(cookie) is None, "here at once"
        await until(lambda cookie=cookie: other.opened.find(cookie) is None)  # type: ignore[misc]
        assert time.monotonic() - ended < SOON
        assert await refusal(other, cookie) == await refusal(one, cookie) == "signed_out"
    assert (await remember(other, bystanding)).session.key == bystander.key


async def test_an_end_is_told_to_whoever_watches_in_another_process_within_a_second(
    stages: list[Stage],
) -> None:
    one, other = stages
    session, _ = await sign_in(one)
    told: list[str] = []
    other.opened.watch(session.key, told.append)
    await until(lambda: other.opened._ends._watched[session.key].due_at > NOW)  # noqa: SLF001 - nothing else tells
    await one.vault.end_grant(session.grant_key, reason="grant_ended", now=NOW)
    ended = time.monotonic()
    await until(lambda: bool(told))
    assert time.monotonic() - ended < SOON
    assert told == ["grant_ended"]


async def test_tokens_that_one_process_replaced_are_used_by_the_other_within_a_second(
    stages: list[Stage],
) -> None:
    one, other = stages
    (_, first), (_, second) = [await sign_in(one, connection_id="x") for _ in range(2)]
    before = [await remember(other, cookie) for cookie in (first, second)]
    assert before[0].bearer is before[1].bearer
    grant = (await remember(one, first)).grant
    await one.vault.replace_tokens(grant, build_tokens("newest", refreshed_at=NOW))
    replaced = time.monotonic()
    await until(lambda: other.opened.find(first) is None and other.opened.find(second) is None)
    assert time.monotonic() - replaced < SOON
    after = [await remember(other, cookie) for cookie in (first, second)]
    assert after[0].bearer is after[1].bearer
    assert after[0].bearer == b"Bearer access newest"


async def test_activity_of_one_session_empties_no_memory(stages: list[Stage]) -> None:
    one, other = stages
    active, active_cookie = await sign_in(one)
    _, cookie = await sign_in(one)
    remembered = [await remember(stage, cookie) for stage in stages]
    looks = other.vault._store.calls  # type: ignore[attr-defined] # noqa: SLF001 - a CountedStore
    before = looks["changes"]
    for number in range(1, 40):
        active = await stages[number % 2].vault.keep_alive(active, now=NOW + 60 * number)
        await sign_in(stages[number % 2], subject=f"{number}")
        await asyncio.sleep(0.02)  # spreads the activity over several looks
    assert looks["changes"] >= before + 3
    assert [stage.opened.find(cookie) for stage in stages] == remembered
    assert all(each.is_live for each in remembered)
    assert (await remember(one, active_cookie)).session.key == active.key


async def test_calls_cost_the_store_nothing_but_looks(stages: list[Stage]) -> None:
    one, _ = stages
    _, cookie = await sign_in(one)
    opened_once = await remember(one, cookie)
    counted = one.vault._store  # noqa: SLF001 - a CountedStore
    assert isinstance(counted, CountedStore)
    counted.taken()
    began = time.monotonic()
    calls = 0
    while time.monotonic() - began < 1.2:
        for _ in range(100):
            assert one.opened.find(cookie) is opened_once
        calls += 100
        await asyncio.sleep(0.001)
    assert calls > 1000
    assert counted.taken() == {}


async def test_a_session_that_another_operating_system_process_ends_is_refused_within_a_second(
    tmp_path: Path,
) -> None:
    path = tmp_path / "sessions.db"
    async with (
        opened(SqliteStore(path)) as store,
        build_opened(store, OLD, clock=lambda: NOW) as stage,
    ):
        session, cookie = await sign_in(stage)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.contract.sqlite_process", str(path), "end", session.key.hex()),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stdin is not None
        assert await process.stdout.readline() == b"ready\n"
        await remember(stage, cookie)
        process.stdin.write(b"now\n")
        assert await process.stdout.readline() == b"ended\n"
        ended = time.monotonic()
        await until(lambda: stage.opened.find(cookie) is None)
        assert time.monotonic() - ended < SOON
        assert await refusal(stage, cookie) == "signed_out"
        process.stdin.close()
        assert await process.wait() == 0
