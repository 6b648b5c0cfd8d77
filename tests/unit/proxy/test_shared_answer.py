"""One answer for several readers: a model of feeding, reading, joining and leaving in any order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.errors import ResourceServerBroken
from gateway.proxy import shared_answer
from gateway.proxy.shared_answer import BEHIND_BYTES, JOINABLE_BYTES, SESSION_BYTES, Keeping, SharedAnswer
from gateway.proxy.upstream_answer import HIGH_WATER_BYTES, broken

if TYPE_CHECKING:
    from gateway.proxy.answer_reader import Reader

WATER, BEHIND, SESSION, JOINABLE, KEEPS = 20, 80, 120, 20, 35
PIECES = st.binary(min_size=1, max_size=30)


@dataclass(eq=False)
class Following:
    """A reader, what it got, and the read that waits, if one does."""

    reader: Reader
    got: bytes = b""
    waiting: asyncio.Task[bytes] | None = None
    ended: str = ""
    errors: list[Exception] = field(default_factory=list[Exception])


class Model(RuleBasedStateMachine):
    """Every reader gets the very bytes from the first to the last, whatever the others do."""

    readers = Bundle[Following]("readers")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.keeping = Keeping()
        self.shared = SharedAnswer("GET", self.keeping)
        self.fed = b""
        self.state = "open"
        self.following: list[Following] = []
        self.pump: asyncio.Task[None] | None = None
        self.was_fed = False
        self.others = 0
        self.has_left = False

    def spin(self) -> None:
        for _ in range(4):
            self.loop.run_until_complete(asyncio.sleep(0))

    def settle(self) -> None:
        self.spin()
        for each in self.following:
            task = each.waiting
            if task is not None and task.done():
                each.waiting = None
                error = task.exception()
                if isinstance(error, Exception):
                    each.errors.append(error)
                    each.ended = "error"
                elif piece := task.result():
                    each.got += piece
                else:
                    each.ended = "whole"
        if self.pump is not None and self.pump.done():
            self.pump = None

    @precondition(lambda self: self.state == "open" and not self.fed)
    @rule()
    def keep(self) -> None:
        self.shared.keeps = KEEPS

    @precondition(lambda self: self.state == "open" and self.pump is None)
    @rule(piece=PIECES)
    def feed(self, piece: bytes) -> None:
        self.shared.feed(piece)
        self.fed += piece
        self.was_fed = True
        self.pump = self.loop.create_task(self.shared.wait_for_room())
        self.settle()

    @rule(others=st.sampled_from([0, SESSION]))
    def keep_for_other_answers(self, others: int) -> None:
        self.keeping.size += others - self.others
        self.others = others

    @precondition(lambda self: self.shared.is_joinable)
    @rule(target=readers)
    def join(self) -> Following:
        joined = Following(self.shared.join())
        self.following.append(joined)
        return joined

    @rule()
    def wake_for_nothing(self) -> None:
        self.shared.wake()
        self.settle()

    @rule(each=readers)
    def read(self, each: Following) -> None:
        if each.waiting is None and not each.ended:
            each.waiting = self.loop.create_task(each.reader.read())
            self.settle()

    @rule(each=readers)
    def read_whole(self, each: Following) -> None:
        if each.waiting is None and not each.ended and each.reader.is_whole:
            each.got += each.reader.read_whole()
            each.ended = "whole"
            self.settle()

    @rule(each=consumes(readers))
    def leave(self, each: Following) -> None:
        if each.waiting is not None:
            each.waiting.cancel()
        each.reader.release()
        each.reader.release()
        self.following.remove(each)
        self.has_left = True
        self.settle()

    @precondition(lambda self: self.state == "open")
    @rule()
    def finish(self) -> None:
        self.state = "whole"
        self.shared.finish()
        self.shared.fail(broken("too late"))
        self.settle()

    @precondition(lambda self: self.state == "open")
    @rule()
    def fail(self) -> None:
        self.state = "broken"
        self.shared.fail(broken("by the test"))
        self.settle()

    @invariant()
    def what_was_read_is_what_came(self) -> None:
        for each in self.following:
            assert self.fed.startswith(each.got)
            if each.ended == "whole":
                assert self.state == "whole"
                assert each.got == self.fed
            if each.ended == "error":
                assert self.state == "broken" or each.reader.is_broken_off

    @invariant()
    def nobody_waits_for_what_is_there(self) -> None:
        for each in self.following:
            if each.waiting is not None:
                assert each.got == self.fed
                assert self.state == "open"

    @invariant()
    def only_who_is_far_behind_is_broken_off(self) -> None:
        for each in self.following:
            behind = len(self.fed) - len(each.got)
            if each.reader.is_broken_off:
                assert behind > WATER
                assert any(len(other.got) > len(each.got) for other in self.following) or self.has_left
            elif self.state == "open":
                assert behind <= BEHIND

    @invariant()
    def the_fastest_sets_the_pace(self) -> None:
        fast = [len(each.got) for each in self.following if not each.reader.is_broken_off]
        has_room = len(self.fed) <= self.shared.keeps or not fast or len(self.fed) - max(fast) <= WATER
        if self.state == "open" and self.pump is not None:
            assert not has_room, "the resource server is waited for in vain"
        if self.was_fed and not has_room:
            assert self.pump is not None, "more was taken than the fastest wants"
        self.was_fed = False

    @invariant()
    def no_more_is_kept_than_the_slowest_needs(self) -> None:
        slow = [len(each.got) for each in self.following if not each.reader.is_broken_off]
        needed = len(self.fed) - min(slow, default=len(self.fed))
        assert self.shared.kept_bytes <= max(JOINABLE, self.shared.keeps, needed)
        assert self.shared.kept_bytes <= BEHIND or self.state != "open"
        assert self.keeping.size == self.others + self.shared.kept_bytes
        if not self.following and self.state != "open":
            assert self.shared.kept_bytes == 0
        if self.shared.is_joinable:
            assert self.shared.read_kept() == self.fed

    def teardown(self) -> None:
        for task in [self.pump, *(each.waiting for each in self.following)]:
            if task is not None:
                task.cancel()
        self.spin()
        self.loop.close()


def test_readers_of_any_speed_get_every_byte_and_hold_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"HIGH_WATER": WATER, "BEHIND": BEHIND, "SESSION": SESSION, "JOINABLE": JOINABLE}
    for name, value in sizes.items():
        monkeypatch.setattr(shared_answer, f"{name}_BYTES", value)
    run_state_machine_as_test(
        Model, settings=settings(max_examples=150, stateful_step_count=40, deadline=None, derandomize=True)
    )


def test_the_bounds_are_those_of_the_documents() -> None:
    assert (SESSION_BYTES, BEHIND_BYTES) == (16 * 2**20, 8 * 2**20)
    assert JOINABLE_BYTES == HIGH_WATER_BYTES == 256 * 2**10


async def test_a_session_keeps_its_slow_browsers_waiting_for_so_much_and_no_more() -> None:
    keeping = Keeping()
    answers = [SharedAnswer("GET", keeping) for _ in range(8)]
    pairs = [(answer.join(), answer.join()) for answer in answers]
    most = 0
    for _ in range(7 * 16):
        for answer, (fast, _slow) in zip(answers, pairs, strict=True):
            answer.feed(bytes(65_536))
            await fast.read()
            most = max(most, keeping.size)
    assert SESSION_BYTES - 2**20 < most <= SESSION_BYTES + 2**20
    assert {slow.is_broken_off for _, slow in pairs} == {True, False}
    assert not any(fast.is_broken_off for fast, _ in pairs)


async def test_a_reader_sees_head_and_method_of_the_answer() -> None:
    shared = SharedAnswer()
    reader = shared.join()
    assert reader.status == 0
    shared.begin(206, [(b"a", b"b")], 7)
    assert (reader.method, reader.status, reader.headers, reader.length) == ("GET", 206, [(b"a", b"b")], 7)


async def test_one_that_fell_behind_is_told_so_and_memory_is_freed() -> None:
    shared = SharedAnswer()
    slow, fast = shared.join(), shared.join()
    piece = bytes(1024 * 1024)
    most = 0
    for _ in range(32):
        shared.feed(piece)
        await fast.read()
        most = max(most, shared.kept_bytes)
    assert most <= BEHIND_BYTES
    assert shared.kept_bytes <= len(piece)
    with pytest.raises(ResourceServerBroken):
        await slow.read()
    assert not slow.is_whole
