"""Which header fields of a browser's request pass on to the resource server (PURE)."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from gateway.errors import RequestInvalid
from gateway.proxy.small_cache import small_cache

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Headers = list[tuple[bytes, bytes]]

# What a browser may say to the resource server. Not here, and so dropped: Cookie, Authorization, Host,
# Origin, Referer, X-CSRF, Forwarded and every X-Forwarded-*, X-Original-URL, X-HTTP-Method-Override and
# their variants with underscores (CVE-2025-64484), Proxy, Expect, Upgrade; traceparent is the gateway's own.
REQUEST_HEADERS = frozenset(
    b"accept accept-language cache-control content-digest content-disposition content-encoding"
    b" content-language content-type idempotency-key if-match if-modified-since"
    b" if-none-match if-range if-unmodified-since last-event-id pragma prefer priority range"
    b" user-agent".split()
)

# RFC 9112 §3.2 asks for 400 where Host is repeated; the others would frame or type the body in two ways.
_SINGLE_REQUEST_HEADERS = frozenset((b"host", b"content-length", b"content-type", b"transfer-encoding"))

# RFC 9110 §7.6.1: fields of one connection; passed on, they desynchronize the next one (request smuggling).
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authentication-info proxy-authorization"
    b" proxy-connection te trailer transfer-encoding upgrade".split()
)

# What browsers send, for one look at a set in place of one at each name.
_KNOWN_NAMES = REQUEST_HEADERS | frozenset(
    b"accept-encoding authorization connection content-length cookie dnt host origin referer sec-ch-ua"
    b" sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user"
    b" sec-gpc te traceparent tracestate transfer-encoding upgrade-insecure-requests x-csrf"
    b" x-forwarded-for".split()
)
_IDENTITY = (b"accept-encoding", b"identity")

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""What ends a field for some servers: CR, LF, NUL and their like; a tab is none."""
_LENGTH = re.compile(rb"[0-9]{1,18}")


def filter_request_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Keep what the browser may say to the resource server, names in lower case.

    `Accept-Encoding: identity` is always sent, in place of the browser's: a compressed answer could not be
    searched for the token. The bearer token, Host, the framing and traceparent are for the caller to add.
    """
    passed: Headers = []
    named: frozenset[bytes] = frozenset()
    for field in headers:
        name = field[0]
        if name in REQUEST_HEADERS:
            passed.append(field)
        elif name == b"connection":
            named |= find_named(field[1])
        elif name.lower() != name:
            return filter_request_headers((name.lower(), value) for name, value in headers)
    if named:
        passed = [field for field in passed if field[0] not in named]
    passed.append(_IDENTITY)
    return passed


def validate_request_framing(headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Raise RequestInvalid where two servers could see two messages, or fields, in one."""
    seen = {name.lower(): value for name, value in headers}
    if len(seen) != len(headers):
        _validate_singles(headers)
    # RFC 9110 §5.1: a name is a token; "Content-Length " or "Content-Length\0" is another name elsewhere.
    if not _KNOWN_NAMES.issuperset(seen) and not all(_TOKEN.fullmatch(name) for name in seen):
        raise RequestInvalid("A header field has an invalid name.")
    # RFC 9110 §5.5, RFC 9112 §5.2: CR, LF and NUL end a field for some, obs-fold continues it for others
    # (header injection).
    if CONTROL.search(b"\t".join([value for _, value in headers])):
        raise RequestInvalid("A header field holds a control character.")
    _validate_length(seen)


def _validate_singles(headers: Iterable[tuple[bytes, bytes]]) -> None:
    counted = Counter(name.lower() for name, _ in headers)
    for name in _SINGLE_REQUEST_HEADERS:
        if counted[name] > 1:
            raise RequestInvalid(f"{name.decode('ascii')} is given twice.")


def _validate_length(seen: dict[bytes, bytes]) -> None:
    length, coding = seen.get(b"content-length"), seen.get(b"transfer-encoding")
    # RFC 9110 §8.6: digits alone; a list, a sign or blanks within is read in more than one way.
    if length is not None and not _LENGTH.fullmatch(length):
        raise RequestInvalid("content-length is not a number.")
    if coding is not None:
        # RFC 9112 §6.1: both together, or a coding that is not understood, are signs of request smuggling.
        if length is not None:
            raise RequestInvalid("content-length and transfer-encoding exclude each other.")
        if coding.lower() != b"chunked":
            raise RequestInvalid("transfer-encoding can only be chunked.")


@small_cache
def find_named(value: bytes) -> frozenset[bytes]:
    """Return the field names that a Connection field claims for this connection (RFC 9110 §7.6.1)."""
    return frozenset(option.strip().lower() for option in value.split(b",")) - {b"keep-alive", b"close"}
