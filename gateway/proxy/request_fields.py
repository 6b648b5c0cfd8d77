"""The header fields of a browser's request, checked and sorted once (PURE)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.observability.trace_fields import read_trace_fields
from gateway.proxy.headers import filter_request_headers, validate_request_framing

if TYPE_CHECKING:
    from collections.abc import Sequence


class RequestFields(NamedTuple):
    """What the data plane wants to know of them.

    `passed` is what goes on to the resource server, as lines; `cookie` is None where there is none or more
    than one; `length` is None for a chunked body, 0 without a body.
    """

    site: bytes | None
    origin: bytes | None
    csrf: bytes | None
    cookie: bytes | None
    prefer: bytes | None
    priority: bytes | None
    length: int | None
    passed: bytes
    traceparent: str | None
    tracestate: str | None


def read_request_fields(headers: Sequence[tuple[bytes, bytes]]) -> RequestFields:
    """Read fields with lower-case names; RequestInvalid where two servers could read them in two ways."""
    validate_request_framing(headers)
    fields = dict(headers)
    cookie = fields.get(b"cookie")
    if (
        cookie is not None
        and len(fields) != len(headers)
        and sum(name == b"cookie" for name, _ in headers) > 1
    ):
        cookie = None
    length = fields.get(b"content-length", None if b"transfer-encoding" in fields else b"0")
    lines = [b"%b: %b\r\n" % field for field in filter_request_headers(headers)]
    traceparent, tracestate = read_trace_fields(headers)
    return RequestFields(
        site=fields.get(b"sec-fetch-site"),
        origin=fields.get(b"origin"),
        csrf=fields.get(b"x-csrf"),
        cookie=cookie,
        prefer=fields.get(b"prefer"),
        priority=fields.get(b"priority"),
        length=None if length is None else int(length),
        passed=b"".join(lines),
        traceparent=traceparent,
        tracestate=tracestate,
    )
