"""The scenarios: how many people and tabs, over which connections, behind how many replicas."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from bench.lexoffice.browser import CONNECTIONS, UNLIMITED, Browser
from bench.lexoffice.page import AskOnce, Backoff, Client, Page
from bench.lexoffice.result import Load, Row, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.lexoffice.sandbox import Sandbox

LEXGATE, PLAIN = "lexgate", "plain proxy, backoff"
STAGGER_SECONDS = 0.1
"""How long after one another tabs and people begin."""
_EVENTS = "/auth/events"
"""The stream that the app holds in the tab that is shown: one for each browser."""
_REST_SECONDS = 3.0
"""After which the bucket is full again, and nothing is in flight."""
_BOUND_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Scenario:
    """All people are of one connection to lexoffice."""

    name: str
    people: int = 1
    tabs: int = 1
    replicas: int = 1
    connections: int = CONNECTIONS
    is_judged: bool = True
    """Whether the targets are meant for it; the others show where they end."""


SCENARIOS = (
    Scenario("one tab"),
    Scenario("five tabs of one user", tabs=5),
    Scenario("ten users, three replicas", people=10, replicas=3),
    Scenario("one tab, three replicas", replicas=3, is_judged=False),
    Scenario("five tabs, HTTP/2", tabs=5, connections=UNLIMITED, is_judged=False),
    Scenario(
        "ten users, three replicas, HTTP/2", people=10, replicas=3, connections=UNLIMITED, is_judged=False
    ),
    Scenario(
        "fifteen users, three replicas, HTTP/2",
        people=15,
        replicas=3,
        connections=UNLIMITED,
        is_judged=False,
    ),
)


async def measure(
    scenario: Scenario,
    proxy: str,
    sandbox: Sandbox,
    ports: Sequence[int],
    people: Sequence[Mapping[str, str]],
    *,
    rest: float = _REST_SECONDS,
) -> Row:
    """Load the dashboard twice behind one proxy; `people` are the fields that each browser sends.

    Before each load lies a rest, after which the bucket is full.
    """
    browsers = [
        Browser(ports, fields, scenario.connections, first_port=number)
        for number, fields in enumerate(people)
    ]
    chance = Random(1)  # noqa: S311 - waits, no secrets
    if proxy == LEXGATE:
        await asyncio.gather(*(browser.hold(_EVENTS) for browser in browsers))
    done: list[Load] = []
    for _ in range(2):
        await asyncio.sleep(rest)
        await asyncio.to_thread(sandbox.forget_arrivals)
        client = AskOnce() if proxy == LEXGATE else Backoff(chance)
        async with asyncio.timeout(_BOUND_SECONDS):
            sessions = await asyncio.gather(
                *(_visit(browser, client, scenario, number) for number, browser in enumerate(browsers))
            )
        done.append(Load(tuple(sessions), len(await asyncio.to_thread(sandbox.arrivals))))
    for browser in browsers:
        browser.close()
    return Row(scenario.name, proxy, *done)


async def _visit(browser: Browser, client: Client, scenario: Scenario, number: int) -> tuple[Seen, ...]:
    """Open all tabs of one person; returns their calls."""
    delays = [(number * scenario.tabs + tab) * STAGGER_SECONDS for tab in range(scenario.tabs)]
    pages = [Page(browser, client).load(delay=delay) for delay in delays]
    return tuple(seen for page in await asyncio.gather(*pages) for seen in page)
