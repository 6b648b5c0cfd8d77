"""Rows 3 and 4: the process that holds the lease is killed, at three moments."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.result import Result, portions, slowest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.call import Answer
    from tests.chaos.stage import Stage

_SYN_SENT = "02"


async def before_sending(stage: Stage, trials: int, *, at_once: int = 25) -> Result:
    """3: killed with its claim stored and its token request not sent: it cannot connect."""
    result = Result("3 holder killed before it sends", stage.store, trials)
    victim = stage.replicas[0]
    server = victim.settings["LEXGATE_AUTHORIZATION_SERVER"]
    for count in portions(trials, at_once):
        with _silent_port() as port:
            victim.settings["LEXGATE_AUTHORIZATION_SERVER"] = f"http://127.0.0.1:{port}"
            cookies = await stage.sign_in(count, lifetime=4)
            await asyncio.gather(victim.restart(), asyncio.sleep(4.1))
            before = await stage.refreshes()
            calling = [asyncio.create_task(stage.call(0, cookie)) for cookie in cookies]

            async def connecting(port: int = port, count: int = count) -> bool:
                return await asyncio.to_thread(_connecting, port) >= count

            await stage.until(connecting)
            await victim.stop(signal.SIGKILL)
            await asyncio.gather(*calling)
            await _others_go_on(stage, result, cookies)
            await _count(stage, result, before, count)
        victim.settings["LEXGATE_AUTHORIZATION_SERVER"] = server
        await victim.restart()
        result.count_lost(await stage.lost(cookies))
    return result


async def while_waiting(stage: Stage, trials: int, *, at_once: int = 25) -> Result:
    """3: killed while it waits for a server that has not rotated."""
    result = Result("3 holder killed, server has not rotated", stage.store, trials)
    for count in portions(trials, at_once):
        cookies = await stage.due(count)
        before = await stage.refreshes()
        await _kill_holder(stage, cookies, gate="before")
        await _others_go_on(stage, result, cookies)
        await _count(stage, result, before, count)
        await stage.replicas[0].restart()
        result.count_lost(await stage.lost(cookies))
    return result


async def after_rotation(stage: Stage, trials: int) -> Result:
    """4: killed after the server rotated, before the answer was stored: the app is told why it ended."""
    result = Result("4 holder killed, server has rotated", stage.store, trials)
    cookies = await stage.due(trials)
    before = await stage.refreshes()
    await _kill_holder(stage, cookies, gate="after")
    answers = await stage.calls(cookies, 1, 2)
    await stage.replicas[0].restart()
    await _ended_as_lost(stage, result, cookies, answers)
    await _count(stage, result, before, 2 * trials)
    return result


async def answer_lost(stage: Stage, trials: int) -> Result:
    """4: nobody is killed, but the answer to the rotation never arrives."""
    result = Result("4 answer lost, server has rotated", stage.store, trials)
    cookies = await stage.due(trials)
    before = await stage.refreshes()
    await stage.fault("refresh_lost", times=trials)
    result.expect_statuses(await stage.calls(cookies, 0), {503}, "calls whose refresh broke off")
    answers = await stage.calls(cookies, 1, 2)
    await _ended_as_lost(stage, result, cookies, answers)
    await _count(stage, result, before, 2 * trials)
    await stage.heal()
    return result


async def _kill_holder(stage: Stage, cookies: list[str], *, gate: str) -> None:
    """Kill replica 0 while the gate holds a token request of its for each session."""
    await stage.steer(gate=gate)
    calling = [asyncio.create_task(stage.call(0, cookie)) for cookie in cookies]

    async def are_held() -> bool:
        return await stage.steer() >= len(cookies)

    await stage.until(are_held)
    await stage.replicas[0].stop(signal.SIGKILL)
    await asyncio.gather(*calling)
    await stage.steer(gate="let_go")


async def _others_go_on(stage: Stage, result: Result, cookies: list[str]) -> None:
    answers = await stage.calls(cookies, 1, 2)
    result.expect_statuses(answers, {200}, "calls at the other replicas")
    result.notes.append(f"slowest call {slowest(answers)}")


async def _ended_as_lost(stage: Stage, result: Result, cookies: list[str], answers: list[Answer]) -> None:
    result.expect_statuses(answers, {401}, "calls at the other replicas")
    reasons = await stage.lost(cookies)
    result.lost += len(reasons)
    result.expect(reasons, ["refresh_lost"] * len(cookies), "reasons that the app is shown")
    told = Counter(str(answer.document().get("reason")) for answer in answers)
    result.expect(told.keys() - {"refresh_lost"}, set(), "other reasons in the calls' answers")
    result.notes.append(
        f"all shown refresh_lost; calls that waited: {dict(told)}, slowest {slowest(answers)}"
    )


async def _count(stage: Stage, result: Result, before: int, wanted: int) -> None:
    spent = await stage.refreshes() - before
    result.refreshes += spent
    result.expect(spent, wanted, "refreshes")


@contextmanager
def _silent_port() -> Iterator[int]:
    """Listen on a port where no connection comes about: its queue is full."""
    with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port: int = listening.getsockname()[1]
        for filling in (first, second):
            filling.setblocking(False)  # noqa: FBT003 - the socket module's own signature
            filling.connect_ex(("127.0.0.1", port))
        yield port


def _connecting(port: int) -> int:
    """Count the sockets that try in vain to reach a port."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == _SYN_SENT for row in rows)
