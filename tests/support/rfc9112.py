"""HTTP/1.1 messages read by the letter of RFC 9112, independently of every parser under test."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Fields = list[tuple[str, bytes]]
State = Literal["whole", "cut", "malformed"]

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# RFC 9110 §5.5: visible characters and obs-text, blanks between them alone.
_VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)")
_LENIENT_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: (.*))?", re.DOTALL)
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/1\.1")
_QUOTED = rb'"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
# RFC 9112 §7.1.1, without the bad whitespace that it wants to be understood.
_CHUNK_SIZE = re.compile(
    rb"([0-9A-Fa-f]+)(?:;%b(?:=(?:%b|%b))?)*" % (_TOKEN.pattern, _TOKEN.pattern, _QUOTED)
)
_LENIENT_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]+)[ \t]*(?:;.*)?", re.DOTALL)
_DIGITS = re.compile(rb"[0-9]+")
_BODILESS = frozenset({204, 304})
_FINAL = range(200, 600)


class MalformedError(Exception):
    """What came can never become a message."""


class CutError(Exception):
    """What came is the beginning of a message."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as far as it came; `body` without its chunks, `rest` what follows it on the connection."""

    state: State
    status: int = 0
    headers: Fields = field(default_factory=list)
    body: bytes = b""
    rest: bytes = b""
    interim: tuple[int, ...] = ()
    framing: str = ""
    """none, length, chunked, close; "" where no head came."""

    def header(self, name: str) -> bytes | None:
        """Return the only field of this name."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, values
        return values[0] if values else None

    @property
    def is_whole(self) -> bool:
        """Whether its reader would take it for complete."""
        return self.state == "whole"


@dataclass(frozen=True, slots=True)
class Request:
    """A well-formed request; names in lower case, the body without its chunks, `raw` as it came."""

    method: str
    target: bytes
    headers: Fields
    body: bytes
    raw: bytes = field(repr=False)

    def header(self, name: str) -> bytes | None:
        """Return the only field of this name."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, values
        return values[0] if values else None


def read_answer(data: bytes, *, method: str, ended: bool, lenient: bool = False) -> Answer:
    """Read the first final answer to `method`; `ended`, whether the connection was closed behind `data`.

    `lenient` reads what RFC 9112 lets a recipient repair: bare LF (§2.2), folded lines (§5.2), blanks before
    a colon (§5.1), controls in values, two equal lengths (§6.3), blanks behind a chunk's size (§7.1.1); and
    line ends before an answer, which §2.2 knows before requests alone.
    """
    interim: list[int] = []
    rest, status = data, 100
    try:
        while status not in _FINAL:
            minor, status, headers, rest = _read_head(rest, lenient=lenient)
            if status not in _FINAL:
                interim.append(status)
        framing, length = _framing(method, status, minor, headers, lenient=lenient)
    except (MalformedError, CutError) as error:
        return Answer("cut" if isinstance(error, CutError) else "malformed", interim=tuple(interim))
    state, body, rest = _read_body(rest, framing, length, ended=ended, lenient=lenient)
    return Answer(state, status, headers, body, rest, tuple(interim), framing)


def read_request(data: bytes) -> tuple[Request, bytes]:
    """Read one request and what follows it; raises MalformedError or CutError."""
    lines, rest = _read_lines(data, lenient=False)
    found = _REQUEST_LINE.fullmatch(lines[0])
    if not found:
        raise MalformedError(f"request line {lines[0]!r}")
    headers = _parse_fields(lines[1:], lenient=False)
    if len([name for name, _ in headers if name == "host"]) != 1:
        raise MalformedError("RFC 9112 §3.2: one Host")
    framing, length = "length", 0
    if any(name in {"transfer-encoding", "content-length"} for name, _ in headers):
        framing, length = _framing("POST", 200, "1", headers, lenient=False)
    state, body, rest = _read_body(rest, framing, length, ended=False, lenient=False)
    if state == "cut":
        raise CutError
    if state == "malformed":
        raise MalformedError("the body")
    return Request(found[1].decode(), found[2], headers, body, data[: len(data) - len(rest)]), rest


def _read_head(data: bytes, *, lenient: bool) -> tuple[str, int, Fields, bytes]:
    lines, rest = _read_lines(data.lstrip(b"\r\n") if lenient else data, lenient=lenient)
    found = (_LENIENT_STATUS_LINE if lenient else _STATUS_LINE).fullmatch(lines[0])
    if not found:
        raise MalformedError(f"status line {lines[0]!r}")
    status = int(found[2])
    if status == 101 or status >= 600:
        raise MalformedError("neither a final nor an interim answer")
    return found[1].decode(), status, _parse_fields(lines[1:], lenient=lenient), rest


def _read_lines(data: bytes, *, lenient: bool) -> tuple[list[bytes], bytes]:
    found = re.search(rb"\r?\n\r?\n" if lenient else rb"\r\n\r\n", data)
    if not found:
        raise CutError
    head = data[: found.start()]
    return re.split(rb"\r?\n" if lenient else rb"\r\n", head), data[found.end() :]


def _parse_fields(lines: list[bytes], *, lenient: bool) -> Fields:
    fields: Fields = []
    for line in lines:
        if line[:1] in {b" ", b"\t"} and lenient and fields:
            fields[-1] = (fields[-1][0], fields[-1][1] + b" " + line.strip())
            continue
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t") if lenient else name
        value = value.strip(b" \t")
        if not colon or not _TOKEN.fullmatch(name) or not (lenient or _VALUE.fullmatch(value)):
            raise MalformedError(f"field {line[:80]!r}")
        fields.append((name.decode().lower(), value))
    return fields


def _framing(method: str, status: int, minor: str, headers: Fields, *, lenient: bool) -> tuple[str, int]:
    """RFC 9112 §6.3, in its order."""
    codings = [value.lower() for name, value in headers if name == "transfer-encoding"]
    lengths = [value for name, value in headers if name == "content-length"]
    if codings and (codings != [b"chunked"] or ((lengths or minor == "0") and not lenient)):
        raise MalformedError("transfer coding")
    if lenient and not codings:
        lengths = sorted({part.strip() for value in lengths for part in value.split(b",")})
    if not codings and (len(lengths) > 1 or any(not _DIGITS.fullmatch(value) for value in lengths)):
        raise MalformedError("content length")
    if method == "HEAD" or status in _BODILESS:
        return "none", 0
    if codings:
        return "chunked", 0
    return ("length", int(lengths[0])) if lengths else ("close", 0)


def _read_body(
    data: bytes, framing: str, length: int, *, ended: bool, lenient: bool
) -> tuple[State, bytes, bytes]:
    if framing == "chunked":
        return _read_chunks(data, lenient=lenient)
    if framing == "close":
        return ("whole" if ended else "cut"), data, b""
    body, rest = data[:length], data[length:]
    return ("whole" if len(body) == length else "cut"), body, rest


def _read_chunks(data: bytes, *, lenient: bool) -> tuple[State, bytes, bytes]:
    body = b""
    try:
        while size := (taken := _read_size(data, lenient=lenient))[0]:
            body += taken[1][:size]
            data = _skip_line_end(taken[1][size:], lenient=lenient)
        data = taken[1]
        while line := (trailer := _read_line(data, lenient=lenient))[0]:
            _parse_fields([line], lenient=lenient)
            data = trailer[1]
    except MalformedError:
        return "malformed", body, b""
    except CutError:
        return "cut", body, b""
    return "whole", body, trailer[1]


def _read_size(data: bytes, *, lenient: bool) -> tuple[int, bytes]:
    line, rest = _read_line(data, lenient=lenient)
    found = (_LENIENT_CHUNK_SIZE if lenient else _CHUNK_SIZE).fullmatch(line)
    if not found:
        raise MalformedError("chunk size")
    return int(found[1], 16), rest


def _skip_line_end(data: bytes, *, lenient: bool) -> bytes:
    if data.startswith(b"\r\n"):
        return data[2:]
    if lenient and data.startswith(b"\n"):
        return data[1:]
    if b"\r\n".startswith(data[:2]):
        raise CutError
    raise MalformedError("a chunk is longer than its size")


def _read_line(data: bytes, *, lenient: bool) -> tuple[bytes, bytes]:
    line, end, rest = data.partition(b"\n" if lenient else b"\r\n")
    if not end:
        raise CutError
    return (line.removesuffix(b"\r") if lenient else line), rest
