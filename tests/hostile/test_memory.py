"""Large bodies through slow peers cost the gateway less than 8 MB of memory, and no descriptor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.hostile.memory import LIMIT, MEGABYTE, ROOMY, download, unread, upload
from tests.hostile.own_process import running_process
from tests.hostile.test_answers_flood import ENDLESS, ENDLESS_BODIES
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hostile.own_process import OwnProcess
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

SIZE = int(os.environ.get("HOSTILE_MEGABYTES", "256")) * MEGABYTE


@pytest.fixture(scope="module")
def process() -> Iterator[OwnProcess]:
    with running_process(ROOMY) as process:
        download(process, MEGABYTE)  # what is made once is made
        upload(process, MEGABYTE)
        yield process


@pytest.mark.parametrize("transfer", [download, upload, unread])
def test_a_large_body_needs_little_memory(process: OwnProcess, transfer: object) -> None:
    process.upstream.reset()
    until(lambda: not process.upstream.busy())
    files = process.open_files() - len(process.upstream.idle())
    measured = transfer(process, SIZE)  # type: ignore[operator]
    assert measured.raised < LIMIT, measured.line()
    until(lambda: process.open_files() - len(process.upstream.idle()) <= files)


def flood(process: OwnProcess) -> None:
    """Be answered by every endless server once."""
    for begun, piece in [*ENDLESS.values(), *ENDLESS_BODIES.values()]:

        def script(connection: Connection, _: Request, begun: bytes = begun, piece: bytes = piece) -> None:
            connection.sock.sendall(begun)
            for _number in range(1_000):
                connection.sock.sendall(piece)

        process.upstream.script = script
        with process.browser() as browser:
            answer = browser.ask(process.anna.head("POST", "/api/v1/thing", {"Content-Length": "0"}), "POST")
            assert answer.status in {200, 502}


def test_floods_need_little_memory(process: OwnProcess) -> None:
    """Twenty upstreams at once would be twenty times this."""
    process.upstream.reset()
    flood(process)  # what is made once is made
    before = process.forget_peak()
    flood(process)
    raised = process.peak_bytes() - before
    assert raised < LIMIT, f"{raised / MEGABYTE:.1f} MB"
