"""Browsers that come and go in any order: whoever stays gets the whole answer, and nothing is left."""

from __future__ import annotations

import random
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.flows.asking_once.scene import KEPT, SHARED, Scene
from tests.hostile.conftest import PROFILE
from tests.support.raw_upstream import OK, in_chunks

if TYPE_CHECKING:
    from tests.support.raw_browser import RawBrowser
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

PIECES = [b"%d," % number * 300 for number in range(40)]
WHOLE = b"".join(PIECES)
CHUNKED = OK + b"Cache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n"


def drip(connection: Connection, _: Request) -> None:
    """Send the pieces one by one, as fast as they are read."""
    connection.send(CHUNKED)
    for piece in PIECES:
        connection.send(in_chunks([piece]).removesuffix(b"0\r\n\r\n"))
    connection.send(b"0\r\n\r\n")


@PROFILE
@given(
    steps=st.lists(st.sampled_from(["join", "join kept", "leave", "read some"]), min_size=2, max_size=14),
    seed=st.integers(0, 99),
)
def test_who_stays_gets_every_byte(scene: Scene, steps: list[str], seed: int) -> None:
    scene.stage.upstream.script = drip
    chosen = random.Random(seed)  # noqa: S311 - an order, no secret
    with ExitStack() as stack:
        staying: list[RawBrowser] = []
        for step in steps:
            if step.startswith("join"):
                browser = stack.enter_context(scene.stage.browser())
                browser.send(scene.anna.head("GET", KEPT if step == "join kept" else SHARED))
                staying.append(browser)
            elif staying and step == "leave":
                staying.pop(chosen.randrange(len(staying))).reset()
            elif staying:
                chosen.choice(staying).receive()
        for browser in staying:
            answer = browser.answer()
            assert (answer.state, answer.status) == ("whole", 200)
            assert answer.body == WHOLE
    assert scene.stage.upstream.faults == []


@pytest.mark.parametrize("path", [SHARED, KEPT])
def test_a_reload_never_meets_the_end_of_the_call_that_it_left(scene: Scene, path: str) -> None:
    """The old connection closes in the very moment in which the new one asks."""
    scene.gate.clear()
    for _ in range(40):
        with scene.stage.browser() as leaving, scene.stage.browser() as coming:
            scene.join(leaving, scene.anna.head("GET", path))
            leaving.reset()
            coming.send(scene.anna.head("GET", path))
            coming.wait_until_read()
            scene.gate.set()
            assert coming.answer().status == 200
            scene.gate.clear()
            scene.on_loop(scene.asking_once.cache.forget_everything)
