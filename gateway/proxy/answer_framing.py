"""How the head of an answer frames its body, and what llhttp would take that must not be believed (PURE)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_FIELDS = 200
_FRAMING = frozenset((b"content-length", b"transfer-encoding"))


class UnacceptableAnswer(Exception):
    """An answer that llhttp can parse, but that must not be believed."""


def parse_framing(fields: Sequence[tuple[bytes, bytes]]) -> tuple[bool, int | None]:
    """Return whether a head with these lower-case names frames its body, and the length that it states.

    Raises UnacceptableAnswer for a body whose end two recipients could see in different places, and for more
    fields than an answer may have.
    """
    if len(fields) > MAX_FIELDS:
        raise UnacceptableAnswer("too many fields")
    framing = [field for field in fields if field[0] in _FRAMING]
    if len(framing) > 1:
        raise UnacceptableAnswer("framed twice")
    if not framing:
        return False, None
    name, value = framing[0]
    if name == b"content-length":
        return True, int(value)
    if value.lower() != b"chunked":
        # RFC 9112 §6.1: of another coding than chunked the gateway could not undo the inner one.
        raise UnacceptableAnswer("an unknown transfer coding")
    return True, None
