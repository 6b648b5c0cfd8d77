"""However operations, looks and readers interleave, nothing is found that is known to be over."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from contextlib import AsyncExitStack
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.errors import SessionRequired, StoreUnavailable
from gateway.sessions.memory import MemoryStore
from gateway.sessions.opened_looks import TRUST_SECONDS
from tests.support.opened import CountedStore, Stage, build_opened
from tests.support.running import Clock
from tests.unit.sessions.opened_calls import admit, begin, find
from tests.unit.sessions.sign_ins import NOW, OLD, build_tokens

NAMES = st.integers(0, 2)
WHERE = st.sampled_from(["here", "there"])
CHANGE = st.tuples(st.sampled_from(["end", "end_grant", "replace_tokens", "sign_in", "look"]), NAMES, WHERE)


class Interleavings(RuleBasedStateMachine):
    """Two processes on one store, sessions of which two share a grant, and what the first one must know."""

    @initialize()
    def set_up(self) -> None:
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.clock, self.monotonic = Clock(NOW), Clock(0)
        self.names = [f"{number} never" for number in range(3)]
        self.over: set[str] = set()
        self.known_over: set[str] = set()
        self.numbers = itertools.count()
        self.tokens: dict[bytes, str] = {}
        self.old_tokens: set[str] = set()
        self.known_old_tokens: set[str] = set()
        self.looked_at = float("-inf")
        self.runner.run(self._set_up())

    async def _set_up(self) -> None:
        store = MemoryStore()
        await store.open()
        self.counted = CountedStore(store)
        here, there = [
            await self.stack.enter_async_context(
                build_opened(each, OLD, clock=self.clock, monotonic=self.monotonic)
            )
            for each in (self.counted, store)
        ]
        self.stages: dict[str, Stage] = {"here": here, "there": there}
        for number in range(3):
            await self._sign_in(number, "there")

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    @rule(change=CHANGE)
    def change(self, change: tuple[str, int, str]) -> None:
        self.runner.run(self._change(*change))

    @rule(
        number=NAMES,
        moments=st.dictionaries(st.sampled_from(["read_session", "read_grant", "touch"]), CHANGE, max_size=2),
    )
    def open_while_things_change(self, number: int, moments: dict[str, tuple[str, int, str]]) -> None:
        self.runner.run(self._look())
        self._interrupt(self.counted.after, moments)
        with contextlib.suppress(SessionRequired, StoreUnavailable):
            self.runner.run(admit(self.stages["here"], self.names[number]))
        self.counted.after.clear()

    @rule(before=st.none() | CHANGE, after=st.none() | CHANGE)
    def look_while_things_change(
        self, before: tuple[str, int, str] | None, after: tuple[str, int, str] | None
    ) -> None:
        self._interrupt(self.counted.before, {} if before is None else {"changes": before})
        self._interrupt(self.counted.after, {} if after is None else {"changes": after})
        self.runner.run(self._look())
        self.counted.before.clear()
        self.counted.after.clear()

    @rule(seconds=st.sampled_from([0.2, 0.4, TRUST_SECONDS, 60]))
    def time_goes_by(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.monotonic.advance(seconds)

    @rule(seconds=st.sampled_from([-3600, 3600]))
    def the_clock_is_set(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def the_store_goes_or_comes_back(self) -> None:
        self.counted.is_away = not self.counted.is_away
        if self.counted.is_away:
            self.runner.run(self._look())

    @invariant()
    def nothing_is_found_that_is_known_to_be_over(self) -> None:
        for name in self.names:
            opened = find(self.stages["here"], name)
            if opened is not None:
                assert name not in self.known_over
                assert opened.is_live
                assert opened.grant.tokens.access_token not in self.known_old_tokens
                assert opened.session.why_ended(self.clock()) is None
                assert self.monotonic() - self.looked_at < TRUST_SECONDS

    def _interrupt(self, moments: dict[str, Any], changes: dict[str, tuple[str, int, str]]) -> None:
        for moment, change in changes.items():
            moments[moment] = lambda change=change: self._change(*change)

    async def _change(self, what: str, number: int, where: str) -> None:
        if what == "look":
            await self._look()
            return
        with contextlib.suppress(StoreUnavailable):
            await getattr(self, f"_{what}")(number, where)

    async def _look(self) -> None:
        began, over, old_tokens = self.monotonic(), set(self.over), set(self.old_tokens)
        await self.stages["here"].look()
        if not self.counted.is_away:
            self.looked_at = max(self.looked_at, began)
            self.known_over |= over
            self.known_old_tokens |= old_tokens
        else:
            self.looked_at = float("-inf")

    async def _sign_in(self, number: int, where: str) -> None:
        """Begin a session anew, in place of the one that was; two of the four share a grant."""
        old = self.names[number]
        name = f"{number} {next(self.numbers)}"
        session, _ = await begin(
            self.stages[where].vault,
            name,
            connection_id="x" if number < 2 else None,
            tokens=build_tokens(name, refreshed_at=self.clock()),
            now=self.clock(),
            replaces=await self._key(old),
        )
        self.names[number] = name
        self._note_over([old], where)
        await self._note_tokens(session.grant_key, where)

    async def _end(self, number: int, where: str) -> None:
        key = await self._key(self.names[number])
        if key is not None:
            await self.stages[where].vault.end(key, reason="signed_out", now=self.clock())
            self._note_over([self.names[number]], where)

    async def _end_grant(self, number: int, where: str) -> None:
        found = await self.stages["there"].opened._authentication.check(self._headers(number))  # noqa: SLF001 - the truth
        if (grant_key := getattr(found, "grant_key", None)) is not None:
            await self.stages[where].vault.end_grant(grant_key, reason="grant_ended", now=self.clock())
            self._note_over(self.names[:2] if number < 2 else [self.names[number]], where)

    async def _replace_tokens(self, number: int, where: str) -> None:
        found = await self.stages["there"].opened._authentication.check(self._headers(number))  # noqa: SLF001 - the truth
        if (grant_key := getattr(found, "grant_key", None)) is not None:
            grant = await self.stages["there"].vault.read_grant(grant_key)
            assert grant is not None
            tokens = build_tokens(f"{next(self.numbers)}", refreshed_at=self.clock())
            await self.stages[where].vault.replace_tokens(grant, tokens)
            await self._note_tokens(grant_key, where)

    def _headers(self, number: int) -> list[tuple[bytes, bytes]]:
        return [(b"cookie", self.stages["here"].cookie(self.names[number]))]

    async def _key(self, name: str) -> bytes | None:
        headers = [(b"cookie", self.stages["here"].cookie(name))]
        return self.stages["there"].opened._authentication.presented_key(headers)  # noqa: SLF001 - no other way

    def _note_over(self, names: list[str], where: str) -> None:
        self.over |= set(names)
        if where == "here":
            self.known_over |= set(names)

    async def _note_tokens(self, key: bytes, where: str) -> None:
        grant = await self.stages["there"].vault.read_grant(key)
        old = self.tokens.get(key)
        if grant is not None and grant.tokens.access_token != old:
            self.tokens[key] = grant.tokens.access_token
            if old is not None:
                self.old_tokens.add(old)
                self.known_old_tokens |= {old} if where == "here" else set()


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(
    max_examples=150,
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
