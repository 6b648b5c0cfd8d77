"""The header fields of W3C Trace Context, as a request brings them (PURE)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_trace_fields(headers: Sequence[tuple[bytes, bytes]]) -> tuple[str | None, str | None]:
    """Return `traceparent`, unless there are several, and all of `tracestate` (Trace Context §3.2, §3.3)."""
    parents = [value for name, value in headers if name == b"traceparent"]
    states = [value.decode("latin-1") for name, value in headers if name == b"tracestate"]
    return parents[0].decode("latin-1") if len(parents) == 1 else None, ",".join(states) or None
