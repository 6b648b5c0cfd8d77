"""A body is made once, for the file as it is now, and never more are kept than may be."""
# ruff: noqa: ASYNC240 - a file of a test is read at once

from __future__ import annotations

import asyncio
import gzip
import os
import threading
from typing import TYPE_CHECKING

import brotli  # type: ignore[import-untyped]
import pytest

from gateway.browser.content_coding import Coding
from gateway.web import coded_bodies
from gateway.web.coded_bodies import CodedBodies

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"export const app = 1;\n" * 100


class Counting:
    """A preparation that changes nothing and counts; it waits until it may go on."""

    def __init__(self) -> None:
        self.times = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self, _path: str, source: bytes) -> bytes:
        self.times += 1
        assert self.may_go_on.wait(10)
        return source


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def bodies(counting: Counting) -> CodedBodies:
    return CodedBodies(prepare=counting)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "app.js"
    file.write_bytes(TEXT)
    return file


async def made(bodies: CodedBodies, file: Path, coding: Coding = Coding.BR) -> coded_bodies.Body:
    body = await bodies.make(str(file), file.stat(), coding)
    assert body is not None
    return body


async def test_each_coding_gives_the_file_back(bodies: CodedBodies, file: Path) -> None:
    assert brotli.decompress((await made(bodies, file, Coding.BR)).data) == TEXT
    assert gzip.decompress((await made(bodies, file, Coding.GZIP)).data) == TEXT
    assert (await made(bodies, file, Coding.IDENTITY)).data == TEXT


async def test_each_coding_has_a_tag_of_its_own(bodies: CodedBodies, file: Path) -> None:
    """RFC 9110 §8.8.3: a strong validator tells representations apart to the byte."""
    assert len({(await made(bodies, file, coding)).etag for coding in Coding}) == 3


async def test_the_tag_is_that_of_the_bytes(bodies: CodedBodies, file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.js"
    copy.write_bytes(TEXT)
    os.utime(copy, (1, 1))
    assert (await made(bodies, copy)).etag == (await made(bodies, file)).etag


async def test_a_body_is_made_once(bodies: CodedBodies, file: Path, counting: Counting) -> None:
    first = await made(bodies, file)
    assert await made(bodies, file) is first
    assert bodies.look(str(file), file.stat(), Coding.BR) is first
    assert counting.times == 1


async def test_who_asks_meanwhile_waits_for_the_same(
    bodies: CodedBodies, file: Path, counting: Counting
) -> None:
    counting.may_go_on.clear()
    asking = [asyncio.create_task(made(bodies, file)) for _ in range(5)]
    await asyncio.sleep(0)
    asking[0].cancel()
    counting.may_go_on.set()
    first, *others = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(first, asyncio.CancelledError)
    assert len({id(body) for body in others}) == 1
    assert counting.times == 1


async def test_a_file_is_read_when_its_turn_has_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are asked for at once, the memory is that of one."""
    events: list[str] = []
    read = coded_bodies._read  # noqa: SLF001 - when it reads is seen nowhere else

    def read_and_tell(path: str, version: tuple[int, int, int]) -> bytes | None:
        events.append("read")
        return read(path, version)

    def prepare(_path: str, source: bytes) -> bytes:
        events.append("coded")
        return source

    monkeypatch.setattr(coded_bodies, "_read", read_and_tell)
    bodies = CodedBodies(prepare=prepare)
    files = [tmp_path / f"{number}.js" for number in range(4)]
    for file in files:
        file.write_bytes(TEXT)
    await asyncio.gather(*(made(bodies, file) for file in files))
    assert events == ["read", "coded"] * 4


async def test_a_changed_file_is_made_anew(bodies: CodedBodies, file: Path) -> None:
    old = await made(bodies, file)
    file.write_bytes(TEXT + b"// new")
    assert bodies.look(str(file), file.stat(), Coding.BR) is None
    assert (await made(bodies, file)).etag != old.etag


async def test_a_file_that_changes_under_the_reader_is_kept_under_no_name(
    bodies: CodedBodies, file: Path
) -> None:
    before = file.stat()
    file.write_bytes(TEXT + b"// new")
    assert await bodies.make(str(file), before, Coding.BR) is None
    file.unlink()
    assert await bodies.make(str(file), before, Coding.BR) is None


async def test_what_becomes_no_smaller_is_found_out_once(
    bodies: CodedBodies, file: Path, counting: Counting
) -> None:
    file.write_bytes(os.urandom(2_000))
    for _ in range(3):
        assert await bodies.make(str(file), file.stat(), Coding.GZIP) is None
    assert counting.times == 1


async def test_a_large_file_is_left_alone(
    bodies: CodedBodies, file: Path, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coded_bodies, "LARGEST_FILE", len(TEXT) - 1)
    assert await bodies.make(str(file), file.stat(), Coding.BR) is None
    assert counting.times == 0


async def test_what_was_not_asked_for_longest_is_forgotten(tmp_path: Path, counting: Counting) -> None:
    bodies = CodedBodies(prepare=counting, most_bytes=3 * (len(TEXT) + 512))
    files = [tmp_path / f"{number}.js" for number in range(4)]
    for file in files:
        file.write_bytes(TEXT)
    for file in (*files[:3], files[0], files[3]):
        await made(bodies, file, Coding.IDENTITY)
    kept = [bodies.look(str(file), file.stat(), Coding.IDENTITY) is not None for file in files]
    assert kept == [True, False, True, True]
    for file in files[:3]:
        file.write_bytes(TEXT[1:])
        await made(bodies, file, Coding.IDENTITY)
    assert sum(bodies.look(str(file), file.stat(), Coding.IDENTITY) is not None for file in files) == 3
