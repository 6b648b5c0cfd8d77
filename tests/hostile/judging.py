"""What a browser may get for an answer of the resource server, judged by RFC 9112 alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.rfc9112 import read_answer

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet

    from tests.support.rfc9112 import Answer

DATA = Path(__file__).parents[1] / "data"
BROKEN = "resource_server_broken"
_NAME_CHARACTERS = 72


def read_corpus(name: str) -> list[str]:
    """Return the lines of a corpus, still escaped."""
    lines = (DATA / name).read_text(encoding="utf-8").split("\n")
    return [line for line in lines if line and not line.startswith("# ")]


def corpus(name: str) -> list[ParameterSet]:
    """Return the lines of a corpus as cases, each named by its number and beginning."""
    lines = enumerate(read_corpus(name), 1)
    return [pytest.param(line, id=f"{number} {line[:_NAME_CHARACTERS]}") for number, line in lines]


def to_bytes(line: str) -> bytes:
    """Undo the escapes of a corpus."""
    return line.encode("ascii").decode("unicode_escape").encode("latin-1")


def code_of(answer: Answer) -> str:
    """Return the code of the gateway's own error; "" where it is the resource server's answer."""
    if answer.header("content-type") != b"application/problem+json":
        return ""
    if not answer.body:  # to HEAD; what the gateway itself says of the resource server with 502 is one thing
        return BROKEN
    return str(json.loads(answer.body).get("code", ""))


def outcome_of(answer: Answer) -> str:
    """Tell what became of the resource server's answer: whole, broken, or refused with a 502."""
    if answer.is_whole and answer.status == 502 and code_of(answer) == BROKEN:
        return "refused"
    return "whole" if answer.is_whole else "broken"


def assert_is_right(got: Answer, said: bytes, *, method: str, ended: bool = True) -> None:
    """Check what the browser got for what the resource server said, with a closed connection behind it.

    What is whole must arrive whole; what can be repaired may, in its one meaning, or is a 502; what cannot be
    read is a 502, and what broke off looks broken, with nothing in it that was not said, or is a 502.
    """
    meant = read_answer(said, method=method, ended=ended)
    outcome = outcome_of(got)
    if meant.is_whole and not meant.rest:
        assert (outcome, got.status, got.body) == ("whole", meant.status, meant.body)
        return
    assert got.framing, "an answer without a head is no answer"
    if outcome == "refused":
        return
    repaired = read_answer(said, method=method, ended=ended, lenient=True)
    assert repaired.framing, f"{outcome} {got.status} for what is no answer"
    assert got.status == repaired.status
    if outcome == "whole":
        assert repaired.is_whole, f"{got.body!r} looks whole"
        assert got.body == repaired.body
    else:
        assert repaired.body.startswith(got.body)
