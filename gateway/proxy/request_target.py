"""Whether a request target can be read in one way only, and its path decoded, as routes are matched on it."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from gateway.errors import PathRefused

API_PREFIX = "/api"
MAX_TARGET_BYTES = 8 * 1024
MAX_DECODINGS = 3

# Segments of unreserved characters that do not begin with a dot cannot be read in two ways: the usual case.
_is_plain = re.compile(rb"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*+)++/?+").fullmatch
# RFC 3986 §3.3: what a path may consist of. All else is refused raw: controls, spaces, backslashes, non-ASCII
# bytes, a fragment, half an escape.
_PATH_CHARACTERS = re.compile(rb"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_QUERY_CHARACTERS = re.compile(rb"[\x21\x22\x24-\x7e]*")
_ENCODED_SEPARATOR = re.compile(r"%(?:2f|5c)", re.IGNORECASE)
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
# Dots alone, or with what some servers cut off: spaces, ";parameters", what looks like a query or fragment.
_DOT_SEGMENT = re.compile(r"(?:\A|/) *\.[. ]*(?:[;?#][^/]*)?(?:/|\Z)")
# Unicode categories that a server may strip or stop at: controls, invisible format characters, separators.
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Look-alikes that best-fit conversions turn into a dot or slash, though Unicode's own folding does not.
_LOOKALIKES = frozenset("\u2044\u2215\u2216\u29f5\u29f8\u29f9\u3002\uff61")


def validate_target(raw_path: bytes, query: bytes) -> bytes:
    """Return the path decoded once, in UTF-8; raises PathRefused for an ambiguous or too long target."""
    if len(raw_path) + len(query) > MAX_TARGET_BYTES:
        raise PathRefused(f"The path and query string are longer than {MAX_TARGET_BYTES} bytes.")
    if query:
        validate_query(query)
    if _is_plain(raw_path):
        return raw_path
    return validate_path(raw_path).encode("utf-8")


def validate_path(raw_path: bytes) -> str:
    """Decode a raw path once, as routes are matched on it; raises PathRefused where it is ambiguous."""
    if _is_plain(raw_path):
        return raw_path.decode("ascii")
    # RFC 9112 §3.2.1: the origin-form alone. Absolute-form ("http://other/"), "*" and authority-form name a
    # destination of the browser's choice (request routing by the client).
    if not _PATH_CHARACTERS.fullmatch(raw_path):
        raise PathRefused("The path holds a character that must be percent-encoded.")
    path = raw_path.decode("ascii")
    _validate_structure(path)
    decoded = _decode(path)
    _validate_mount(path, decoded)
    _validate_further_decodings(decoded)
    return decoded


def validate_query(query: bytes) -> None:
    """Raise PathRefused for raw controls, spaces, non-ASCII bytes or a fragment; escapes pass as they are."""
    if not _QUERY_CHARACTERS.fullmatch(query):
        raise PathRefused("The query string holds a character that must be percent-encoded.")


def _validate_structure(path: str) -> None:
    # RFC 3986 §5.2.4: removing dot segments after the route was matched leaves the route (path traversal).
    if _DOT_SEGMENT.search(path):
        raise PathRefused("Dot segments are not allowed.")
    if _ENCODED_SEPARATOR.search(path) or "\\" in path:
        raise PathRefused("Encoded slashes and backslashes are not allowed.")
    if "//" in path:  # merged by some servers, the start of an authority for others
        raise PathRefused("Empty segments are not allowed.")


def _decode(path: str) -> str:
    try:
        # RFC 3629 §3: strict decoding, for overlong forms hide dots and slashes (%C0%AE).
        decoded = unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise PathRefused("The path is not UTF-8.") from None
    _validate_structure(decoded)
    _validate_characters(decoded)
    return decoded


def _validate_characters(decoded: str) -> None:
    if not decoded.isprintable():  # False for spaces other than U+0020 too: those are looked at one by one
        for character in decoded:
            if unicodedata.category(character) in _UNSEEN_CATEGORIES:
                raise PathRefused("Control characters are not allowed.")
    if not decoded.isascii():
        _validate_lookalikes(decoded)


def _validate_lookalikes(decoded: str) -> None:
    for character in decoded:
        if character.isascii():
            continue
        # Full-width and small forms fold into dots and slashes wherever NFKC is applied.
        folded = unicodedata.normalize("NFKC", character)
        if character in _LOOKALIKES or not {".", "/", "\\"}.isdisjoint(folded):
            raise PathRefused("Look-alikes of dots and slashes are not allowed.")


def _validate_further_decodings(decoded: str) -> None:
    """Refuse what would be refused by a server behind that decodes once more (double encoding)."""
    for _ in range(MAX_DECODINGS):
        if not _ESCAPE.search(decoded):
            return
        decoded = _decode(decoded)
    raise PathRefused("The path is encoded too many times.")


def _validate_mount(path: str, decoded: str) -> None:
    # "/%61pi" would be cut at another place than it was matched; "/api@host" and "/api:80@host" become a
    # foreign authority where a destination is put together as a string.
    if is_below(path, API_PREFIX):
        return
    if is_below(decoded, API_PREFIX) or "@" in decoded.split("/")[1]:
        raise PathRefused("The path must begin with /api/.")


def is_below(path: str, prefix: str) -> bool:
    """Return whether a path is the prefix itself or continues it with a further segment."""
    return path == prefix or path.startswith(f"{prefix}/")
