"""The head of a request to the resource server, and how it frames the body (PURE)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.observability.tracing import Trace
    from gateway.proxy.request_fields import RequestFields
    from gateway.proxy.route import MatchedRoute


_WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})


def frame_body(method: str, length: int | None) -> bytes:
    """Return the line that frames a body of so many bytes; None if nobody knows how many there will be."""
    if length is None:
        return b"transfer-encoding: chunked\r\n"
    return b"content-length: %d\r\n" % length if length else frame_nothing(method)


def frame_nothing(method: str) -> bytes:
    """Return what frames the body of a request that has none.

    RFC 9110 §8.6: a server may expect a Content-Length, be it 0, of methods that are for content.
    """
    return b"content-length: 0\r\n" if method in _WITH_CONTENT else b""


def build_request_head(
    method: str,
    matched: MatchedRoute,
    host: bytes,
    fields: RequestFields,
    trace: Trace,
    bearer: bytes | None,
    framing: bytes = b"",
) -> bytes:
    """Return request line and fields; `framing` is the line that frames a body, ending in CRLF.

    Every part was checked for line ends where it came from: target, fields, trace.
    """
    parts = [
        b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (method.encode("ascii"), matched.target, host),
        fields.passed,
        b"traceparent: %b\r\n" % trace.traceparent.encode("ascii"),
    ]
    if trace.tracestate is not None:
        parts.append(b"tracestate: %b\r\n" % trace.tracestate.encode("ascii"))
    if bearer is not None:
        parts += (b"authorization: ", bearer, b"\r\n")
    parts += (framing, b"\r\n")
    return b"".join(parts)
