"""Rows 6 and 8: Redis pauses and restarts; replicas restart with another secret."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from typing import TYPE_CHECKING

from tests.chaos.result import Result
from tests.chaos.stage import NEW_SECRET, OLD_SECRET, REPLICAS
from tests.chaos.troubles import back_to_normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.call import Answer
    from tests.chaos.stage import Stage

_PAUSE_SECONDS = 5
_OUTLIVED_SECONDS = 12
"""More than the 10 s of a lease."""
_DOWN_SECONDS = 2
_LIFETIME = 12
"""Above the 10 s in which a refused token is held to be too fresh for its age to be the cause."""


async def paused_redis(stage: Stage, trials: int) -> Result:
    """6: Redis stands still for 5 s amid refreshes, whose tokens must be kept until it goes on."""
    result = Result("6 Redis paused for 5 s in mid-refresh", stage.store, trials)
    assert stage.redis is not None
    idle, refreshing, before, calling = await _begin_refreshes(stage, trials)
    stage.redis.process.send_signal(signal.SIGSTOP)
    try:
        answers = await _calls_for(stage, idle, _PAUSE_SECONDS)
    finally:
        stage.redis.process.send_signal(signal.SIGCONT)
    answers += await calling
    await stage.heal()
    return await _outage_over(stage, result, idle + refreshing, answers, before=before, wanted=trials)


async def outlived_leases(stage: Stage, trials: int) -> Result:
    """6: it is away for longer than a lease: the holders, which live and have the new tokens, must win."""
    result = Result("6 Redis down for 12 s in mid-refresh", stage.store, trials)
    assert stage.redis is not None
    idle, refreshing, before, calling = await _begin_refreshes(stage, trials)
    stage.redis.stop()
    waiting = asyncio.create_task(_calls_for(stage, idle + refreshing, _OUTLIVED_SECONDS + 3))
    await asyncio.sleep(_OUTLIVED_SECONDS)
    await asyncio.to_thread(stage.redis.start)
    answers = await waiting + await calling
    await stage.heal()
    return await _outage_over(stage, result, idle + refreshing, answers, before=before, wanted=trials)


async def full_redis(stage: Stage, trials: int) -> Result:
    """6: Redis takes no writes, for it is full (noeviction)."""
    result = Result("6 Redis full for 5 s in mid-refresh", stage.store, trials)
    assert stage.redis is not None
    idle, refreshing, before, calling = await _begin_refreshes(stage, trials)
    await asyncio.to_thread(stage.redis.ask, "config", "set", "maxmemory", "1")
    try:
        answers = await _calls_for(stage, idle, _PAUSE_SECONDS)
    finally:
        await asyncio.to_thread(stage.redis.ask, "config", "set", "maxmemory", "0")
    answers += await calling
    await stage.heal()
    return await _outage_over(stage, result, idle + refreshing, answers, before=before, wanted=trials)


async def _begin_refreshes(
    stage: Stage, trials: int
) -> tuple[list[str], list[str], int, asyncio.Task[list[Answer]]]:
    """Sign people in; half of the sessions have a refresh under way at replica 0, which takes a little."""
    idle = await stage.sign_in(trials)
    refreshing = await stage.due(trials)
    before = await stage.refreshes()
    await stage.fault("token_slow", seconds=1.5)
    calling = asyncio.create_task(stage.calls(refreshing, 0))

    async def have_begun() -> bool:
        return await stage.refreshes() >= before + trials

    await stage.until(have_begun)
    return idle, refreshing, before, calling


async def restarted_redis(stage: Stage, trials: int) -> Result:
    """6: Redis dies and comes back with what it had written."""
    result = Result("6 Redis killed and restarted", stage.store, trials)
    assert stage.redis is not None
    cookies = await stage.sign_in(trials)
    before = await stage.refreshes()
    stage.redis.stop()
    answers = await _calls_for(stage, cookies, _DOWN_SECONDS)
    await asyncio.to_thread(stage.redis.start)
    return await _outage_over(stage, result, cookies, answers, before=before, wanted=0)


async def lost_master(stage: Stage, trials: int) -> Result:
    """6: the master of a third of the sessions, or of all, dies for good amid refreshes."""
    assert stage.replicated is not None
    result = Result("6 Redis loses its master in mid-refresh", stage.store, trials)
    idle, refreshing, before, calling = await _begin_refreshes(stage, trials)
    await asyncio.to_thread(stage.replicated.lose_master)
    answers = await _calls_for(stage, idle, _PAUSE_SECONDS)
    answers += await calling
    await stage.heal()
    return await _outage_over(stage, result, idle + refreshing, answers, before=before, wanted=trials)


async def secrets_in_one_step(stage: Stage, trials: int) -> Result:
    """8: each replica restarts with the new secret before the old one."""
    result = Result("8 secrets rotated: `new,old`", stage.store, trials)
    return await _rotate(stage, result, (f"{NEW_SECRET},{OLD_SECRET}",), {200, 503})


async def secrets_in_two_steps(stage: Stage, trials: int) -> Result:
    """8: each replica learns the new secret before one of them seals with it; nobody notices anything."""
    result = Result("8 secrets rotated: `old,new`, then `new,old`", stage.store, trials)
    steps = (f"{OLD_SECRET},{NEW_SECRET}", f"{NEW_SECRET},{OLD_SECRET}")
    return await _rotate(stage, result, steps, {200})


async def _rotate(stage: Stage, result: Result, steps: Sequence[str], allowed: set[int]) -> Result:
    for replica in stage.replicas:
        replica.settings["LEXGATE_SECRETS"] = OLD_SECRET
    await asyncio.gather(*(replica.restart() for replica in stage.replicas))
    before = await stage.refreshes()
    # They need new tokens in the middle: these are sealed with whichever secret the refreshing replica has.
    cookies = await stage.sign_in(result.trials, lifetime=_LIFETIME)
    are_over = asyncio.create_task(asyncio.sleep(_LIFETIME))
    old, young = list(cookies), list[str]()
    seen: list[Answer] = []
    for secrets in steps:
        for replica in stage.replicas:
            serving = [other for other in range(REPLICAS) if stage.replicas[other] is not replica]
            restarting = asyncio.create_task(_restart(stage, replica_of=replica.port, secrets=secrets))
            while not restarting.done():
                seen += await stage.calls(old, *serving)
                await asyncio.sleep(0.05)
            await restarting
            if replica is stage.replicas[0]:
                young += await stage.sign_in(2)
                told = Counter(answer.status for answer in await stage.calls(young, 1, 2))
                result.notes.append(f"new sessions at replicas not yet restarted: {dict(told)}")
    result.expect_statuses(seen, allowed, "calls meanwhile")
    result.notes.append(f"calls meanwhile: {dict(Counter(answer.status for answer in seen))}")
    await are_over
    await back_to_normal(stage, result, cookies + young)
    result.refreshes = await stage.refreshes() - before
    result.expect(result.refreshes, result.trials, "refreshes")
    return result


async def _restart(stage: Stage, *, replica_of: int, secrets: str) -> None:
    replica = next(one for one in stage.replicas if one.port == replica_of)
    replica.settings["LEXGATE_SECRETS"] = secrets
    await replica.stop()
    await replica.start()


async def _calls_for(stage: Stage, cookies: list[str], seconds: float) -> list[Answer]:
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    rounds: list[asyncio.Task[list[Answer]]] = []
    while loop.time() < ends:
        rounds.append(asyncio.create_task(stage.calls(cookies, 0, 1, 2)))
        await asyncio.sleep(0.5)
    return [answer for one in await asyncio.gather(*rounds) for answer in one]


async def _outage_over(
    stage: Stage, result: Result, cookies: list[str], answers: list[Answer], *, before: int, wanted: int
) -> Result:
    result.expect_statuses(answers, {200, 503}, "calls meanwhile")
    result.notes.append(f"calls meanwhile: {dict(Counter(answer.status for answer in answers))}")
    await back_to_normal(stage, result, cookies)
    result.refreshes = await stage.refreshes() - before
    result.expect(result.refreshes, wanted, "refreshes")
    return result
