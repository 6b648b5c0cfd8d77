"""Rows 1, 2 and 7: many calls at once, browsers that leave, tokens that die early."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tests.chaos.call import Gone
from tests.chaos.result import Result, portions, slowest

if TYPE_CHECKING:
    from tests.chaos.call import Answer
    from tests.chaos.stage import Stage

_AHEAD_LIFETIME = 16
"""The last quarter of it is ahead of need."""


async def due_tokens(stage: Stage, trials: int) -> Result:
    """1: 200 calls at once over three replicas, the token over."""
    result = Result("1 200 parallel calls, token over", stage.store, trials)
    every: list[Answer] = []
    for count in portions(trials, 20):
        for cookie in await stage.due(count):
            every += await _burst(stage, result, cookie, 200)
    result.notes.append(f"slowest call {slowest(every)}")
    return result


async def nearly_due_tokens(stage: Stage, trials: int) -> Result:
    """1: the same in the token's last quarter; the sandbox ends the old one when it gives a new one."""
    result = Result("1 200 parallel calls, token nearly over", stage.store)
    begun = time.monotonic()
    cookies = await stage.sign_in(trials, lifetime=_AHEAD_LIFETIME)
    await asyncio.sleep(max(0.0, _AHEAD_LIFETIME * 0.75 + 0.2 - (time.monotonic() - begun) * 0.5))
    every: list[Answer] = []
    for cookie in cookies:
        if time.monotonic() - begun < _AHEAD_LIFETIME - 1:
            result.trials += 1
            every += await _burst(stage, result, cookie, 200)
    result.notes.append(f"slowest call {slowest(every)}")
    return result


async def leaving_browsers(stage: Stage, trials: int) -> Result:
    """2: the browser disconnects while its refresh runs."""
    result = Result("2 browser leaves during the refresh", stage.store, trials)
    for count in portions(trials, 20):
        cookies = await stage.due(count)
        before = await stage.refreshes()
        await stage.fault("token_slow", seconds=0.3)
        gone = Gone()
        leaving = [asyncio.create_task(stage.call(0, cookie, gone=gone)) for cookie in cookies]
        await stage.until(lambda: _reached(stage, before + count))  # noqa: B023 - awaited at once
        gone.set()
        await asyncio.gather(*leaving)
        answers = await stage.calls(cookies, 1)
        await stage.heal()
        answers += await stage.calls(cookies, 0, 2)
        result.expect_statuses(answers, {200}, "calls afterwards")
        spent = await stage.refreshes() - before
        result.expect(spent, count, "refreshes")
        result.refreshes += spent
        result.count_lost(await stage.lost(cookies))
    return result


async def early_deaths(stage: Stage, trials: int) -> Result:
    """7: the API refuses a token that should still live, to 50 calls at once."""
    result = Result("7 token dies early, 50 parallel calls", stage.store, trials)
    cookies = await stage.sign_in(trials)
    # Younger tokens are not held to have died of age.
    await asyncio.sleep(10.2)
    await stage.fault("access_token_death")
    for cookie in cookies:
        await _burst(stage, result, cookie, 50)
    return result


async def _burst(stage: Stage, result: Result, cookie: str, count: int) -> list[Answer]:
    before = await stage.refreshes()
    answers = await asyncio.gather(*(stage.call(number, cookie) for number in range(count)))
    spent = await stage.refreshes() - before
    result.refreshes += spent
    result.expect(spent, 1, "refreshes of one trial")
    result.expect_statuses(answers, {200}, f"{count} calls")
    result.count_lost(await stage.lost([cookie]))
    return answers


async def _reached(stage: Stage, count: int) -> bool:
    return await stage.refreshes() >= count
