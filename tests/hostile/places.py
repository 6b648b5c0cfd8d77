"""Whether a session has all its places for calls, and no more: none leaked, none given back twice."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from tests.hostile.judging import code_of
from tests.support.raw_upstream import PLAIN
from tests.support.wire import SECONDS, until

if TYPE_CHECKING:
    from tests.hostile.stage import Stage
    from tests.support.raw_browser import SignedIn
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

PLACES = 2
"""LEXGATE_SESSION_CONCURRENCY of a tight stage."""


def assert_places(stage: Stage, person: SignedIn) -> None:
    """Check that two calls are admitted at once, and not a third."""
    stage.upstream.reset()
    released = threading.Event()

    def script(connection: Connection, _: Request) -> None:
        released.wait(SECONDS)
        connection.send(PLAIN)

    stage.upstream.script = script
    with contextlib.ExitStack() as stack:
        browsers = [stack.enter_context(stage.browser()) for _ in range(PLACES + 1)]
        try:
            for browser in browsers[:PLACES]:
                browser.send(person.head("GET", "/api/v1/held"))
            until(lambda: len(stage.upstream.requests) == PLACES)
            refused = browsers[PLACES].ask(person.head("GET", "/api/v1/third", {"Prefer": "wait=0"}))
            assert (refused.status, code_of(refused)) == (429, "session_busy")
        finally:
            released.set()
        assert [browser.answer().status for browser in browsers[:PLACES]] == [200] * PLACES
    stage.upstream.reset()
