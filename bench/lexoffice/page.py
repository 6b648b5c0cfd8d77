"""A load of the dashboard in one tab, by a client that asks once or one that retries with backoff."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bench.lexoffice.browser import Fetched
from bench.lexoffice.dashboard import DASHBOARD, Asked
from bench.lexoffice.result import Seen
from bench.lexoffice.wire import Broken

if TYPE_CHECKING:
    from random import Random

    from bench.lexoffice.browser import Browser

PATIENCE = 25
"""Seconds that `Prefer: wait` asks of lexgate, the most that it takes."""
BASE_SECONDS, CAP_SECONDS = 1.0, 32.0
_OK, _TOO_MANY = 200, 429


class Client(Protocol):
    """How the page's script calls."""

    async def __call__(self, browser: Browser, asked: Asked, path: str) -> tuple[Fetched, int]:
        """Return the last answer, and how many answers were a 429."""


class AskOnce:
    """The script of an app behind lexgate: it says what is urgent and how patient it is, and asks once."""

    async def __call__(self, browser: Browser, asked: Asked, path: str) -> tuple[Fetched, int]:
        """Ask once."""
        fetched = await browser.fetch(path, {"Priority": f"u={asked.urgency}", "Prefer": f"wait={PATIENCE}"})
        return fetched, int(fetched.status == _TOO_MANY)


class Backoff:
    """The usual advice: exponential backoff with full jitter, from 1 s to at most 32 s, until it is there."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    async def __call__(self, browser: Browser, asked: Asked, path: str) -> tuple[Fetched, int]:  # noqa: ARG002 - as the protocol wants
        """Ask until the answer is another than 429."""
        refusals = 0
        while True:
            fetched = await browser.fetch(path)
            if fetched.status != _TOO_MANY:
                return fetched, refusals
            await asyncio.sleep(self._chance.uniform(0, min(CAP_SECONDS, BASE_SECONDS * 2**refusals)))
            refusals += 1


@dataclass(slots=True)
class Page:
    """The dashboard in one tab."""

    browser: Browser
    client: Client
    _ids: dict[str, list[str]] = field(default_factory=dict)
    """By the list's name, the ids of its rows."""

    async def load(self, *, delay: float = 0.0) -> list[Seen]:
        """Open it after a delay, and return what became of its calls."""
        await asyncio.sleep(delay)
        followers = [asked for asked in DASHBOARD if asked.after]
        first = (
            self._call_and_follow(asked, [each for each in followers if each.after == asked.name])
            for asked in DASHBOARD
            if not asked.after
        )
        return [seen for some in await asyncio.gather(*first) for seen in some]

    async def _call_and_follow(self, asked: Asked, followers: list[Asked]) -> list[Seen]:
        """Call, and what its answer leads to at once."""
        begun = await self._call(asked, asked.path)
        ids = self._ids.get(asked.name, [])
        paths = [asked.path.format(*ids) if ids else asked.path for asked in followers]
        return [begun, *await asyncio.gather(*map(self._call, followers, paths))]

    async def _call(self, asked: Asked, path: str) -> Seen:
        asked_at = time.monotonic()
        try:
            fetched, refusals = await self.client(self.browser, asked, path)
        except (OSError, Broken):
            now = time.monotonic()
            return Seen(asked, path, Fetched(0, b"", 0, now, now), 0, asked_at)
        if asked.kind == "list" and fetched.status == _OK:
            rows: list[dict[str, Any]] = json.loads(fetched.body)["content"]
            self._ids[asked.name] = [str(row["id"]) for row in rows]
        return Seen(asked, path, fetched, refusals, asked_at)
