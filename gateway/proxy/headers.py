"""Which header fields pass between browser and resource server, in each direction."""

from __future__ import annotations

import re
from collections import Counter
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from gateway.errors import RequestInvalid
from gateway.proxy.location import rewrite_link, rewrite_location

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

# What the resource server may not say to the app's origin: it would set state there (cookies, storage,
# service workers, credentials), change the page's policies, direct a server in front of the gateway, or name
# software. Date is written by the gateway's own server, Cache-Control by _build_cache_headers.
_DROPPED_RESPONSE_HEADERS = HOP_BY_HOP | frozenset(
    b"accept-ch activate-storage-access alt-svc alt-used authentication-info authorization"
    b" cache-control clear-site-data content-security-policy content-security-policy-report-only"
    b" critical-ch date document-policy document-policy-report-only expect-ct feature-policy nel"
    b" observe-browsing-topics origin-agent-cluster origin-trial permissions-policy"
    b" permissions-policy-report-only public-key-pins public-key-pins-report-only referrer-policy"
    b" refresh report-to reporting-endpoints server service-worker-allowed"
    b" service-worker-navigation-preload set-cookie set-cookie2 set-login sourcemap speculation-rules"
    b" strict-transport-security supports-loading-mode surrogate-control timing-allow-origin"
    b" use-as-dictionary via x-aspnet-version x-aspnetmvc-version x-content-type-options"
    b" x-dns-prefetch-control x-frame-options x-generator x-permitted-cross-domain-policies"
    b" x-powered-by x-sendfile x-sourcemap x-xss-protection".split()
)
_DROPPED_RESPONSE_PREFIXES = (
    b"access-control-",
    b"attribution-reporting-",
    b"cdn-",
    b"cloudflare-cdn-",
    b"cross-origin-",
    b"sec-",
    b"x-accel-",
    b"x-lighttpd-",
)
_SINGLE_RESPONSE_HEADERS = frozenset((b"content-type", b"content-length", b"location", b"content-location"))

# What browsers send, for one look at a set in place of one at each name.
_KNOWN_NAMES = REQUEST_HEADERS | frozenset(
    b"accept-encoding authorization connection content-length cookie dnt host origin referer sec-ch-ua"
    b" sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user"
    b" sec-gpc te traceparent tracestate transfer-encoding upgrade-insecure-requests x-csrf"
    b" x-forwarded-for".split()
)
_SINGLE_PLAIN = frozenset((b"content-type", b"content-length"))
_LONGEST_USUAL = 64
_NO_STORE = ((b"cache-control", b"no-store"),)
_IDENTITY = (b"accept-encoding", b"identity")

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_SHARED_CACHING = re.compile(rb"\A(?:public|s-maxage\s*=.*|private\s*=.*)\Z", re.IGNORECASE)
_DIRECTIVE = re.compile(rb'(?:[^,"]|"[^"]*")+')


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
            named |= _named(field[1])
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
    if _CONTROL.search(b"\t".join([value for _, value in headers])):
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


def filter_response_headers(
    headers: Sequence[tuple[bytes, bytes]], *, destination: str, api_prefix: str = "/api"
) -> Headers:
    """Keep what the resource server may say to the app's origin, names in lower case.

    `destination` is the route's: URLs below it in Location, Content-Location and Link are rewritten to
    `api_prefix`. Cache-Control is always present in the result, and never allows a shared cache to store.
    """
    names = tuple([name for name, _ in headers])
    plan = _plan(names)
    if plan is not None and _has_usual_values(headers, plan):
        return [headers[place] for place in plan.passed] + list(_NO_STORE)
    return _filter_response_headers(headers, destination, api_prefix)


class _Plan(NamedTuple):
    """For a list of names that all servers write alike: which places pass, and which values to look at."""

    passed: tuple[int, ...]
    connection: int | None
    length: int | None


@lru_cache(maxsize=512)
def _plan(names: tuple[bytes, ...]) -> _Plan | None:
    """Return what to do with fields of these names, if that hardly depends on their values."""
    fates = [_FATES.get(name, _Fate.PASS if name in _SINGLE_PLAIN else _Fate.OTHER) for name in names]
    if not {_Fate.PASS, _Fate.DROP, _Fate.CONNECTION}.issuperset(fates) or len(set(names)) != len(names):
        return None
    return _Plan(
        tuple(place for place, fate in enumerate(fates) if fate is _Fate.PASS),
        names.index(b"connection") if b"connection" in names else None,
        names.index(b"content-length") if b"content-length" in names else None,
    )


def _has_usual_values(headers: Sequence[tuple[bytes, bytes]], plan: _Plan) -> bool:
    if plan.connection is not None and _named(headers[plan.connection][1]):
        return False
    if plan.length is not None and not headers[plan.length][1].isdigit():
        return False
    return not _CONTROL.search(b"\t".join([value for _, value in headers]))


def _filter_response_headers(
    headers: Sequence[tuple[bytes, bytes]], destination: str, api_prefix: str
) -> Headers:
    passed: Headers = []
    caching: list[bytes] = []
    named: frozenset[bytes] = frozenset()
    if not b"".join([name for name, _ in headers]).islower():
        headers = [(name.lower(), value) for name, value in headers]
    if _CONTROL.search(b"\t".join([value for _, value in headers])):
        headers = [field for field in headers if not _CONTROL.search(field[1])]
    for field in headers:
        fate = _FATES.get(field[0]) or _Fate.OTHER
        if fate is _Fate.PASS:
            passed.append(field)
        elif fate is _Fate.CACHING:
            caching.append(field[1])
        elif fate is _Fate.CONNECTION:
            named |= _named(field[1])
        elif fate is not _Fate.DROP:
            _check(field, passed, destination, api_prefix)
    if named:
        passed = [field for field in passed if field[0] not in named]
    return passed + _build_cache_headers(tuple(caching))


class _Fate(Enum):
    PASS = 1
    DROP = 2
    CACHING = 3
    CONNECTION = 4
    OTHER = 5


def _check(field: tuple[bytes, bytes], passed: Headers, destination: str, api_prefix: str) -> None:
    """Pass a field on whose name or value wants a closer look; perhaps rewritten."""
    name, value = field
    if name in _DROPPED_RESPONSE_HEADERS or name.startswith(_DROPPED_RESPONSE_PREFIXES):
        return
    if name in _SINGLE_RESPONSE_HEADERS and any(name == other for other, _ in passed):
        return  # browsers take the last Content-Type, the gateway's safety headers follow the first
    rewritten = _rewrite(name, value, destination, api_prefix)
    if rewritten is not None:
        passed.append((name, rewritten))


# By the name as most servers write it: what needs no look at its value, and no lower-casing.
_FATES = {
    **dict.fromkeys(_DROPPED_RESPONSE_HEADERS, _Fate.DROP),
    **dict.fromkeys(
        b"accept-ranges age allow content-disposition content-encoding content-language content-range etag"
        b" expires last-modified retry-after server-timing vary x-request-id".split(),
        _Fate.PASS,
    ),
    b"cache-control": _Fate.CACHING,
    b"connection": _Fate.CONNECTION,
}


@lru_cache(maxsize=256)
def build_safety_headers(content_type: bytes | None) -> tuple[tuple[bytes, bytes], ...]:
    """Build what makes an answer of the API harmless as a page of the app's origin, by its Content-Type.

    A PDF may be framed by the app itself, and gets no sandbox: browsers don't show one in it.
    """
    media_type = (content_type or b"").partition(b";")[0].strip().lower()
    policy = b"default-src 'none'; frame-ancestors 'none'; sandbox"
    if media_type == b"application/pdf":
        policy = b"frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    return (
        (b"content-security-policy", policy),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"same-origin"),
    )


def _named(value: bytes) -> frozenset[bytes]:
    """Return the field names that a Connection field claims for this connection (RFC 9110 §7.6.1)."""
    # Anybody can send a long one, and many of them: what they make is not kept.
    return _usually_named(value) if len(value) <= _LONGEST_USUAL else _usually_named.__wrapped__(value)


@lru_cache(maxsize=256)
def _usually_named(value: bytes) -> frozenset[bytes]:
    return frozenset(option.strip().lower() for option in value.split(b",")) - {b"keep-alive", b"close"}


def _rewrite(name: bytes, value: bytes, destination: str, api_prefix: str) -> bytes | None:
    if name == b"content-type":
        return value
    if name in {b"location", b"content-location"}:
        return rewrite_location(value, destination=destination, api_prefix=api_prefix)
    if name == b"link":
        return rewrite_link(value, destination=destination, api_prefix=api_prefix)
    if name == b"content-length":
        return value.strip()
    if name == b"www-authenticate" and not value.lower().startswith((b"bearer", b"dpop")):
        return None  # RFC 9110 §11.6.1: Basic would open the browser's password dialog under the app's name
    return value


@lru_cache(maxsize=256)
def _cache_headers(values: tuple[bytes, ...]) -> tuple[tuple[bytes, bytes], ...]:
    directives = [found.strip() for found in _DIRECTIVE.findall(b",".join(values)) if found.strip()]
    kept = [directive for directive in directives if not _SHARED_CACHING.match(directive)]
    names = {directive.lower() for directive in kept}
    if not directives or b"no-store" in names:
        return ((b"cache-control", b", ".join(kept) or b"no-store"),)
    if b"private" not in names:
        kept.append(b"private")
    return ((b"cache-control", b", ".join(kept)), (b"vary", b"Cookie"))


def _build_cache_headers(values: tuple[bytes, ...]) -> Headers:
    """Keep the API's Cache-Control but for shared caches; no-store where it says nothing.

    RFC 9111 §3.5 keeps shared caches from what was asked with Authorization; behind the gateway that field is
    a cookie, so another user's answer could be served from one (cache leak).
    """
    return list(_cache_headers(values))
