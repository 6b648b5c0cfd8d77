"""Row 5: an authorization server that is slow, fails, refuses, hangs up or never answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from tests.chaos.result import Result, slowest

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tests.chaos.call import Answer
    from tests.chaos.stage import Stage

_RECOVERY_SECONDS = 20
"""Within it everything is back to normal: what the gateway says in Retry-After, and a little."""


async def slow_server(stage: Stage, trials: int, *, seconds: float = 20) -> Result:
    """5: the token endpoint takes 20 s; the lease is renewed meanwhile."""
    result = Result(f"5 token endpoint takes {seconds:.0f} s", stage.store, trials)
    cookies = await stage.due(trials)
    before = await stage.refreshes()
    await stage.fault("token_slow", seconds=seconds)
    answers = await stage.calls(cookies, 0, 1, 2)
    await stage.heal()
    result.expect_statuses(answers, {200}, "calls")
    result.refreshes = await stage.refreshes() - before
    result.expect(result.refreshes, trials, "refreshes")
    result.notes.append(f"slowest call {slowest(answers)}")
    result.count_lost(await stage.lost(cookies))
    return result


async def failing_server(stage: Stage, trials: int) -> Result:
    """5: it answers 500."""
    result = Result("5 token endpoint answers 500", stage.store, trials)
    return await _trouble(stage, result, stage.fault("token_failing"), stage.heal())


async def refusing_server(stage: Stage, trials: int) -> Result:
    """5: it answers 429."""
    result = Result("5 token endpoint answers 429", stage.store, trials)
    return await _trouble(stage, result, stage.fault("token_429", seconds=2), stage.heal())


async def hanging_up_server(stage: Stage, trials: int) -> Result:
    """5: it closes the connection before it has worked."""
    result = Result("5 token endpoint hangs up", stage.store, trials)
    return await _trouble(stage, result, stage.steer(gate="drop"), stage.steer(gate="open"))


async def silent_server(stage: Stage, trials: int) -> Result:
    """5: it never answers."""
    result = Result("5 token endpoint never answers", stage.store, trials)
    return await _trouble(stage, result, stage.steer(gate="before"), stage.steer(gate="let_go"))


async def _trouble(stage: Stage, result: Result, begin: Awaitable[object], end: Awaitable[object]) -> Result:
    cookies = await stage.due(result.trials)
    before = await stage.refreshes()
    await begin
    answers = await stage.calls(cookies, 0, 1, 2)
    await end
    result.expect_statuses(answers, {502, 503, 504}, "calls meanwhile")
    result.notes.append(f"{_statuses(answers)} within {slowest(answers)}")
    await back_to_normal(stage, result, cookies)
    result.refreshes = await stage.refreshes() - before
    return result


def _statuses(answers: list[Answer]) -> str:
    counted = Counter(answer.status for answer in answers)
    return ", ".join(f"{count} x {status}" for status, count in sorted(counted.items()))


async def back_to_normal(stage: Stage, result: Result, cookies: list[str]) -> list[Answer]:
    """Note how long it takes until all calls of all sessions are served everywhere again."""
    started = asyncio.get_running_loop().time()
    while True:
        answers = await stage.calls(cookies, 0, 1, 2)
        passed = asyncio.get_running_loop().time() - started
        if {answer.status for answer in answers} == {200}:
            result.notes.append(f"normal {passed:.1f} s later")
            break
        if passed > _RECOVERY_SECONDS:
            result.expect_statuses(answers, {200}, "calls afterwards")
            break
        await asyncio.sleep(0.25)
    result.count_lost(await stage.lost(cookies))
    return answers
