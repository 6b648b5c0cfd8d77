"""What of the resource server's answer goes on to the browser, searched for the token that was sent."""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING

from gateway.errors import ResourceServerBroken
from gateway.proxy.redaction import is_text_like
from gateway.proxy.response_headers import filter_response_headers

if TYPE_CHECKING:
    from gateway.proxy.headers import Headers
    from gateway.proxy.redaction import TokenRedactor
    from gateway.proxy.route import Route
    from gateway.proxy.upstream_answer import AnsweredHead

_BAD_REQUEST = 400  # looking an Enum's member up costs more than comparing it
_TOO_MANY_REQUESTS = 429
_DECODABLE = frozenset({b"gzip", b"x-gzip", b"deflate"})
_BODILESS = frozenset({204, 304})
_DECODED_STEP = 256 * 1024
_GZIP = 16
_ZLIB_HEAD_BYTES = 2
MAX_DECODED_BYTES = 64 * 1024 * 1024
"""What a text that came in an encoding nobody asked for may grow to."""


class PassedAnswer:
    """Head and body of one answer as the browser may see them.

    `length` is that of the body where it is known; None where the end of the body tells. Raises
    ResourceServerBroken for an answer that cannot be passed on.
    """

    __slots__ = (
        "_decoder",
        "_is_streamed",
        "_redactor",
        "content_type",
        "fields",
        "has_body",
        "is_event_stream",
        "length",
        "status",
    )

    def __init__(self, answer: AnsweredHead, redactor: TokenRedactor, route: Route) -> None:
        self.status = status = answer.status
        passed = filter_response_headers(
            answer.headers, destination=route.destination, api_prefix=route.strip
        )
        fields = dict(passed)
        self.content_type = content_type = fields.get(b"content-type")
        encoding = b",".join([value for name, value in passed if name == b"content-encoding"])
        length = fields.get(b"content-length")
        self.has_body = answer.method != "HEAD" and status not in _BODILESS
        # An error is searched whatever it calls itself: no type makes a quoted token harmless.
        is_searched = status >= _BAD_REQUEST or is_text_like(content_type)
        self._redactor = redactor if is_searched else None
        self._is_streamed = False
        self._decoder = None
        if is_searched and encoding and self.has_body:
            self._decoder = _build_decoder(encoding)
        if self._decoder is not None:
            # RFC 9110 §8.4: what was decoded has another length, and a strong ETag would name other bytes.
            dropped = {b"content-encoding", b"content-length", b"etag", b"accept-ranges"}
            passed = [field for field in passed if field[0] not in dropped]
        elif status in _BODILESS and length is not None:
            # RFC 9110 §8.6: in a 304 it tells the length of the 200 that was not sent, not of this body.
            passed = [field for field in passed if field[0] != b"content-length"]
        self.length = int(length) if length is not None and self._decoder is None and self.has_body else None
        self.is_event_stream = content_type is not None and content_type.startswith(b"text/event-stream")
        if not redactor.are_clear(b"\n".join([value for _, value in passed])):
            passed = [(name, redactor.redact_header_value(value)) for name, value in passed]
        self.fields: Headers = passed

    def tell_retry_after(self, seconds: float) -> None:
        """Say when to come again with a 429 that says nothing of its own."""
        if self.status == _TOO_MANY_REQUESTS and all(name != b"retry-after" for name, _ in self.fields):
            self.fields.append((b"retry-after", b"%d" % max(1, math.ceil(seconds))))

    def take_whole(self, body: bytes) -> bytes:
        """Return a body that came at once as the browser may see it."""
        if not self.has_body:
            return b""
        if self._decoder is not None:
            return self.take(body) + self.finish()
        if self._redactor is None or self._redactor.is_clear(body):
            return body
        return self.take(body) + self.finish()

    def take(self, piece: bytes) -> bytes:
        """Return what may be sent on of the body by now, possibly nothing."""
        if self._decoder is not None:
            piece = self._decoder.feed(piece)
        return self._searched(piece)

    def _searched(self, piece: bytes) -> bytes:
        if self._redactor is None:
            return piece
        if not self._is_streamed:
            # It remembers what may become a token: one for each body, made when it is needed.
            self._redactor = self._redactor.for_another_body()
            self._is_streamed = True
        return self._redactor.feed(piece)

    def finish(self) -> bytes:
        """Return what was held back, at the end of the body."""
        rest = b"" if self._decoder is None else self._decoder.finish()
        rest = self._searched(rest)
        return rest if self._redactor is None else rest + self._redactor.flush()


class _Decoder:
    """Undoes gzip or deflate, within a bound: a few bytes can stand for gigabytes (decompression bomb)."""

    def __init__(self, *, is_gzip: bool) -> None:
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | _GZIP) if is_gzip else None
        self._beginning = b""
        self._left = MAX_DECODED_BYTES

    def feed(self, piece: bytes) -> bytes:
        """Return what the piece stands for."""
        if self._inflate is None:
            self._beginning += piece
            if len(self._beginning) < _ZLIB_HEAD_BYTES:
                return b""
            self._inflate = zlib.decompressobj(_find_window(self._beginning))
            piece = self._beginning
        decoded: list[bytes] = []
        try:
            while piece:
                decoded.append(self._bounded(self._inflate.decompress(piece, _DECODED_STEP)))
                piece = self._inflate.unconsumed_tail
        except zlib.error as exc:
            raise ResourceServerBroken(log_detail="the content coding is broken") from exc
        return b"".join(decoded)

    def finish(self) -> bytes:
        """Return the rest; a coding that ends too early, or too late, is a broken answer."""
        rest = b"" if self._inflate is None else self._bounded(self._inflate.flush())
        if self._inflate is None or not self._inflate.eof or self._inflate.unused_data:
            raise ResourceServerBroken(log_detail="the content coding does not end with the body")
        return rest

    def _bounded(self, decoded: bytes) -> bytes:
        self._left -= len(decoded)
        if self._left < 0:
            raise ResourceServerBroken(log_detail="an encoded error or text is too large to search")
        return decoded


def _find_window(beginning: bytes) -> int:
    # RFC 9110 §8.4.1.2: some send deflate without the zlib wrapper, whose two bytes are a multiple of 31.
    is_wrapped = int.from_bytes(beginning[:_ZLIB_HEAD_BYTES], "big") % 31 == 0
    return zlib.MAX_WBITS if is_wrapped else -zlib.MAX_WBITS


def _build_decoder(encoding: bytes) -> _Decoder | None:
    # RFC 9110 §8.4: codings in the order in which they were applied; `identity` is none.
    codings = [coding for part in encoding.split(b",") if (coding := part.strip().lower()) != b"identity"]
    if not codings:
        return None
    if len(codings) > 1 or codings[0] not in _DECODABLE:
        # The request asked for `identity`: what cannot be searched for the token is not passed on.
        raise ResourceServerBroken(log_detail="a text answer came in an encoding that was not asked for")
    return _Decoder(is_gzip=codings[0] != b"deflate")
