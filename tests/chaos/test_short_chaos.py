"""A few trials of `make chaos`: real processes on a real Redis and on one SQLite file."""

from __future__ import annotations

import asyncio

from tests.chaos import calls, kills
from tests.chaos.__main__ import play


async def test_no_session_is_lost_by_crowds_leavers_early_deaths_or_kills() -> None:
    rows = [
        (calls.due_tokens, 2),
        (calls.leaving_browsers, 3),
        (calls.early_deaths, 1),
        (kills.while_waiting, 3),
    ]
    before_provider = [(calls.due_tokens, 1), (calls.leaving_browsers, 2), (kills.answer_lost, 1)]
    played = await asyncio.gather(
        play("redis", rows), play("sqlite", rows), play("sqlite", before_provider, "oidc-provider")
    )
    broken = {
        f"{one.server}, {one.store}: {one.row}": one.broken
        for results in played
        for one in results
        if one.broken
    }
    assert broken == {}
