"""W3C Trace Context: a request continues its caller's trace or begins one, and passes it on."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from typing import NamedTuple

_SAMPLED = 0x01
_RANDOM = 0x02
_KNOWN_FLAGS = _SAMPLED | _RANDOM
_MAX_TRACESTATE = 512
_MAX_MEMBERS = 32

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]*)?")
_ANY = "[a-z0-9_*/-]"
_MEMBER = re.compile(
    rf"(?P<key>[a-z]{_ANY}{{0,255}}|[a-z0-9]{_ANY}{{0,240}}@[a-z]{_ANY}{{0,13}})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


@dataclass(frozen=True, slots=True)
class Traceparent:
    """What the caller said of its own span: 32 and 16 lower-case hex digits, and the flags' octet."""

    trace_id: str
    parent_id: str
    flags: int


class Trace(NamedTuple):
    """One request's place in a trace.

    `span_id` is this gateway's own span, always random, and so serves as the request id; `parent_id` is the
    caller's span, or None where the trace begins here.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    flags: int
    tracestate: str | None

    @property
    def request_id(self) -> str:
        """16 lower-case hex digits of the gateway's own making: no caller can choose or repeat it."""
        return self.span_id

    @property
    def traceparent(self) -> str:
        """The header to send upstream, version 00, naming this gateway's span as the parent."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"

    def upstream_headers(self) -> list[tuple[bytes, bytes]]:
        """Raw header pairs for the call to the resource server."""
        headers = [(b"traceparent", self.traceparent.encode("ascii"))]
        if self.tracestate is not None:
            headers.append((b"tracestate", self.tracestate.encode("ascii")))
        return headers


def parse_traceparent(header: str | None) -> Traceparent | None:
    """Return the parts of a `traceparent` header, or None unless Trace Context §3.2 allows each."""
    match = _TRACEPARENT.fullmatch(header) if header else None
    if match is None:
        return None
    version, trace_id, parent_id, flags, extension = match.groups()
    if version == "ff" or (version == "00" and extension is not None):
        return None
    if trace_id == "0" * 32 or parent_id == "0" * 16:
        return None
    # Flags that this version does not define are not passed on (Trace Context §3.2.2.5).
    return Traceparent(trace_id, parent_id, int(flags, 16) & _KNOWN_FLAGS)


def parse_tracestate(header: str | None) -> str | None:
    """Return a `tracestate` header, several joined by commas, or None unless it is well formed."""
    if not header or len(header) > _MAX_TRACESTATE:
        return None
    members = [member for part in header.split(",") if (member := part.strip(" \t"))]
    matches = [_MEMBER.fullmatch(member) for member in members]
    keys = {match["key"] for match in matches if match}
    if not members or len(keys) != len(members) or len(members) > _MAX_MEMBERS:
        return None
    return ",".join(members)


class _Randomness:
    """Hexadecimal digits from the system's generator, fetched for many traces at once."""

    def __init__(self) -> None:
        self._digits = ""
        self._place = 0

    def take(self, count: int) -> str:
        """Return the next `count` digits."""
        if self._place + count > len(self._digits):
            self._digits = secrets.token_hex(_RANDOM_BYTES)
            self._place = 0
        start = self._place
        self._place = start + count
        return self._digits[start : start + count]


_RANDOM_BYTES = 4096
_randomness = _Randomness()
os.register_at_fork(after_in_child=_randomness.__init__)  # type: ignore[misc] # no two processes share an id


def new_trace() -> Trace:
    """Begin a trace that nobody asked to sample."""
    digits = _randomness.take(48)
    return Trace(digits[:32], digits[32:], None, _RANDOM, None)


def continue_trace(traceparent: str | None, tracestate: str | None = None) -> Trace:
    """Continue the trace that a request's headers carry, or begin one where they carry none that is valid.

    `tracestate` counts only beside a valid `traceparent` (Trace Context §3.3.1).
    """
    parent = None if traceparent is None else parse_traceparent(traceparent)
    if parent is None:
        return new_trace()
    span_id = _randomness.take(16)
    return Trace(parent.trace_id, span_id, parent.parent_id, parent.flags, parse_tracestate(tracestate))
