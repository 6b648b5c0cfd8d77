"""Takes bearer tokens out of what the resource server answers, whatever chunks it comes in.

The resource server's error messages can quote the token they were sent. A token is found as it was sent and
with any of its characters other than letters and digits percent-encoded (once or twice), escaped for JSON or
JavaScript, or written as an HTML character reference. What replaces it is as long as what was there, so that
Content-Length and Content-Range stay true. Base64 of a token, or a token in pieces, is not looked for.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, NamedTuple

from gateway.proxy.small_cache import small_cache

if TYPE_CHECKING:
    from collections.abc import Iterable

MARK = b"[redacted]"
SHORTEST_CUT = 8
"""A body that ends within a token gives this many of its bytes away at most (less one)."""

_ANCHOR_BYTES = 16
_CUT, _MISSED = -1, -2
_LETTERS_OR_ONE = re.compile(rb"[A-Za-z0-9]+|[^A-Za-z0-9]", re.DOTALL)
_ESCAPES = ("%{0:02X}", "%{0:02x}", "%25{0:02X}", "%25{0:02x}", "\\u{0:04X}", "\\u{0:04x}", "\\x{0:02X}")
_REFERENCES = ("\\x{0:02x}", "&#{0};", "&#x{0:X};", "&#x{0:x};", "&#X{0:X};")
_LONGEST_FORM = 7
"""Bytes that one byte of a token becomes at most: "&#x2F;" and its like, and a margin."""
_RUN = re.compile(rb"[A-Za-z0-9]{3,64}")
_NAMED = {b"/": (b"\\/",), b"\\": (b"\\\\",), b'"': (b'\\"', b"&quot;"), b"&": (b"&amp;",), b"<": (b"&lt;",)}

_BINARY_TYPES = frozenset(
    b"application/gzip application/msword application/octet-stream application/pdf"
    b" application/vnd.ms-excel application/wasm application/x-7z-compressed application/x-gzip"
    b" application/x-tar application/zip".split()
)
_BINARY_FAMILIES = (b"audio/", b"font/", b"image/", b"video/", b"application/vnd.openxmlformats-")


class _Found(NamedTuple):
    start: int
    end: int
    complete: bool


class TokenRedactor:
    """Replaces every occurrence of the tokens in one body, fed chunk by chunk.

    Holds back only what may turn out to be the beginning of a token: less than its longest form.
    """

    __slots__ = ("_held", "_tokens")

    def __init__(self, tokens: Iterable[str | bytes]) -> None:
        encoded = {token.encode("utf-8") if isinstance(token, str) else token for token in tokens}
        self._tokens = tuple(_Token(token) for token in encoded if token)
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take the next chunk; return what may be sent on by now, possibly nothing."""
        return self._redact(self._held + chunk if self._held else chunk, at_end=False)

    def flush(self) -> bytes:
        """Return what was held back, at the end of the body; the beginning of a token is replaced as well."""
        return self._redact(self._held, at_end=True)

    def redact_header_value(self, value: bytes) -> bytes:
        """Redact one whole header value, independently of the body."""
        whole = self.for_another_body()
        return whole.feed(value) + whole.flush()

    def is_clear(self, whole: bytes) -> bool:
        """Say whether nothing in this whole body needs replacing; it may say no where nothing does."""
        return not [True for token in self._tokens if token.may_be_in(whole)]

    def are_clear(self, values: bytes) -> bool:
        """Say the same of header values, joined: each of them may end within a token."""
        return not [True for token in self._tokens for start in token.starts if start in values]

    def for_another_body(self) -> TokenRedactor:
        """Return a redactor of the same tokens that holds nothing back yet; cheaper than a new one."""
        another = TokenRedactor(())
        another._tokens = self._tokens
        return another

    def _redact(self, buffer: bytes, *, at_end: bool) -> bytes:
        self._held = b""
        passed: list[bytes] = []
        # What lies before holds nothing: most chunks are passed on after one fast search.
        position = min([token.first_place(buffer) for token in self._tokens], default=len(buffer))
        beginning = buffer[:position]
        while found := self._first(buffer, position, at_end=at_end):
            passed.append(buffer[position : found.start])
            position = found.start
            if not (found.complete or at_end):
                self._held = buffer[position:]
                return beginning + b"".join(passed)
            passed.append(_fill(found.end - found.start))
            position = found.end
        if not passed:
            return buffer
        passed.append(buffer[position:])
        return beginning + b"".join(passed)

    def _first(self, buffer: bytes, start: int, *, at_end: bool) -> _Found | None:
        hits = [hit for token in self._tokens if (hit := token.search(buffer, start, at_end=at_end))]
        # The longer of two at the same place, and the one that is not yet complete: where a token begins with
        # another, the rest of it must not stay.
        return min(hits, key=lambda hit: (hit.start, -hit.end, hit.complete), default=None)


class _Token:
    """One token as a chain of parts, each with the forms it can take; built when its beginning was seen."""

    __slots__ = ("_anchors", "_probe", "_raw", "_reach", "_steps", "starts")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._steps: tuple[tuple[bytes, ...], ...] = ()
        first, *rest = _LETTERS_OR_ONE.findall(raw[:_ANCHOR_BYTES])
        # A lone "-" stands everywhere; with the letters behind it, it is as rare as the token.
        following = rest[0] if rest and rest[0].isalnum() and not first.isalnum() else b""
        self._anchors = tuple(form + following for form in _build_forms(first))
        self.starts = tuple({anchor[:SHORTEST_CUT] for anchor in self._anchors})
        """How anything that is to be replaced begins."""
        # A part that no form changes: the longer, the faster it is found.
        run = max(_RUN.finditer(raw), key=lambda run: len(run[0]), default=None)
        self._probe = run[0] if run else b""
        self._reach = _LONGEST_FORM * run.end() if run else 0

    def may_be_in(self, whole: bytes) -> bool:
        """Look for what no form of the token changes, and for a beginning at the end: that is faster."""
        place = self.first_place(whole)
        return any(whole.find(start, place) >= 0 for start in self.starts)

    def first_place(self, buffer: bytes) -> int:
        """Return from where on there can be anything to replace: all of the token, or a cut beginning."""
        if not self._probe or self._probe in buffer:
            return 0
        # Not all of it is there, so at most a beginning that the end has cut off before the probe's own end.
        return max(0, len(buffer) - self._reach)

    def search(self, buffer: bytes, start: int, *, at_end: bool) -> _Found | None:
        while (start := self._candidate(buffer, start)) >= 0:
            end = self._walk(buffer, start)
            if end >= 0:
                return _Found(start, end, complete=True)
            if end == _CUT and (not at_end or len(buffer) - start >= SHORTEST_CUT):
                return _Found(start, len(buffer), complete=False)
            start += 1
        return None

    def _candidate(self, buffer: bytes, start: int) -> int:
        """Return the first place at which the token could begin, or -1."""
        if len(self._anchors) == 1:
            place = buffer.find(self._anchors[0], start)
        else:
            # All forms in one pass: a search for each would read the whole chunk again at every candidate.
            found = _compile(self._anchors).search(buffer, start)
            place = found.start() if found else -1
        if place >= 0:
            return place
        cut = [place for anchor in self._anchors if (place := _find_cut(anchor, buffer, start)) >= 0]
        return min(cut, default=-1)

    def _walk(self, buffer: bytes, start: int) -> int:
        """Return where the token beginning at `start` ends, _CUT where the buffer ends first, or _MISSED."""
        if buffer.startswith(self._raw, start):
            return start + len(self._raw)
        if not self._steps:
            self._steps = tuple(_build_forms(part) for part in _LETTERS_OR_ONE.findall(self._raw))
        place = start
        for forms in self._steps:
            left = buffer[place : place + len(forms[0])]
            for form in forms:
                if left.startswith(form):
                    place += len(form)
                    break
                if form.startswith(left) and place + len(left) == len(buffer):
                    return _CUT
            else:
                return _CUT if self._is_cut_raw(buffer, start) else _MISSED
        return place

    def _is_cut_raw(self, buffer: bytes, start: int) -> bool:
        # A token that itself holds "%" or "\" can be misread as encoded: what was sent literally goes first.
        return len(buffer) - start < len(self._raw) and self._raw.startswith(buffer[start:])


def build_redactor(authorization: Iterable[bytes]) -> TokenRedactor:
    """Return what finds the tokens of Authorization fields' values."""
    return TokenRedactor([value.removeprefix(b"Bearer ") for value in authorization])


def is_text_like(content_type: bytes | None) -> bool:
    """Return whether a body of this type is searched: all but those known to be binary."""
    return _is_text_like(content_type or b"")


@small_cache
def _is_text_like(content_type: bytes) -> bool:
    media_type = content_type.partition(b";")[0].strip().lower()
    if media_type.endswith(b"+xml"):
        return True
    return media_type not in _BINARY_TYPES and not media_type.startswith(_BINARY_FAMILIES)


def _build_forms(part: bytes) -> tuple[bytes, ...]:
    """Every form of a run of letters and digits (itself) or of one other character, longest first."""
    if part.isalnum():
        return (part,)
    escapes = {pattern.format(part[0]).encode("ascii") for pattern in (*_ESCAPES, *_REFERENCES)}
    return tuple(sorted({part, *escapes, *_NAMED.get(part, ())}, key=len, reverse=True))


def _find_cut(anchor: bytes, buffer: bytes, start: int) -> int:
    """Return the first place from which the end of the buffer is a part of the anchor, or -1."""
    place = max(start, len(buffer) - len(anchor) + 1)
    while (place := buffer.find(anchor[:1], place)) >= 0:
        if anchor.startswith(buffer[place:]):
            return place
        place += 1
    return -1


@functools.lru_cache(maxsize=1024)
def _compile(anchors: tuple[bytes, ...]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(map(re.escape, anchors)))


def _fill(length: int) -> bytes:
    return MARK.ljust(length, b"*")[:length]
