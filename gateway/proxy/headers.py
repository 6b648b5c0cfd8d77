"""Which header fields pass between browser and resource server, in each direction."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.errors import RequestInvalid
from gateway.proxy.location import rewrite_link, rewrite_location

if TYPE_CHECKING:
    from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

# What a browser may say to the resource server. Not here, and so dropped: Cookie, Authorization, Host,
# Origin, Referer, X-CSRF, Forwarded and every X-Forwarded-*, X-Original-URL, X-HTTP-Method-Override and
# their variants with underscores (CVE-2025-64484), Proxy, Expect, Upgrade; traceparent is the gateway's own.
REQUEST_HEADERS = frozenset(
    b"accept accept-language cache-control content-digest content-disposition content-encoding"
    b" content-language content-length content-type idempotency-key if-match if-modified-since"
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

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_SHARED_CACHING = re.compile(rb"\A(?:public|s-maxage\s*=.*|private\s*=.*)\Z", re.IGNORECASE)
_DIRECTIVE = re.compile(rb'(?:[^,"]|"[^"]*")+')


def filter_request_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Keep what the browser may say to the resource server, names in lower case.

    `Accept-Encoding: identity` is always sent, in place of the browser's: a compressed answer could not be
    searched for the token. The bearer token, Host and traceparent are for the caller to add. Content-Length
    passes, and is true only if `validate_request_framing` came first.
    """
    lowered = [(name.lower(), value) for name, value in headers]
    named = _named_by_connection(lowered)
    passed = [field for field in lowered if field[0] in REQUEST_HEADERS and field[0] not in named]
    passed.append((b"accept-encoding", b"identity"))
    return passed


def validate_request_framing(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raise RequestInvalid where two servers could see two messages, or fields, in one."""
    seen: dict[bytes, bytes] = {}
    for name, value in headers:
        lowered = name.lower()
        # RFC 9110 §5.1: a name is a token; "Content-Length " or "Content-Length\0" is another name elsewhere.
        if not _TOKEN.fullmatch(name):
            raise RequestInvalid("A header field has an invalid name.")
        # RFC 9110 §5.5, RFC 9112 §5.2: CR, LF and NUL end a field for some, obs-fold continues it for others
        # (header injection).
        if _CONTROL.search(value):
            raise RequestInvalid("A header field holds a control character.")
        if lowered in seen and lowered in _SINGLE_REQUEST_HEADERS:
            raise RequestInvalid(f"{lowered.decode('ascii')} is given twice.")
        seen[lowered] = value
    _validate_length(seen)


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
    headers: Iterable[tuple[bytes, bytes]], *, destination: str, api_prefix: str = "/api"
) -> Headers:
    """Keep what the resource server may say to the app's origin, names in lower case.

    `destination` is the route's: URLs below it in Location, Content-Location and Link are rewritten to
    `api_prefix`. Cache-Control is always present in the result, and never allows a shared cache to store.
    """
    lowered = [(name.lower(), value) for name, value in headers]
    named = _named_by_connection(lowered)
    passed: Headers = []
    seen: set[bytes] = set()
    for name, value in lowered:
        if name in _DROPPED_RESPONSE_HEADERS or name.startswith(_DROPPED_RESPONSE_PREFIXES):
            continue
        if name in named or _CONTROL.search(value):
            continue
        if name in _SINGLE_RESPONSE_HEADERS and name in seen:
            continue  # browsers take the last Content-Type, the gateway's safety headers follow the first
        seen.add(name)
        rewritten = _rewrite(name, value, destination, api_prefix)
        if rewritten is not None:
            passed.append((name, rewritten))
    passed.extend(_build_cache_headers(lowered))
    return passed


def build_safety_headers(content_type: bytes | None) -> Headers:
    """Build what makes an answer of the API harmless as a page of the app's origin, by its Content-Type.

    A PDF may be framed by the app itself, and gets no sandbox: browsers don't show one in it.
    """
    media_type = (content_type or b"").partition(b";")[0].strip().lower()
    policy = b"default-src 'none'; frame-ancestors 'none'; sandbox"
    if media_type == b"application/pdf":
        policy = b"frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    return [
        (b"content-security-policy", policy),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]


def _named_by_connection(headers: Headers) -> frozenset[bytes]:
    return frozenset(
        option.strip().lower()
        for name, value in headers
        if name == b"connection"
        for option in value.split(b",")
    )


def _rewrite(name: bytes, value: bytes, destination: str, api_prefix: str) -> bytes | None:
    if name in {b"location", b"content-location"}:
        return rewrite_location(value, destination=destination, api_prefix=api_prefix)
    if name == b"link":
        return rewrite_link(value, destination=destination, api_prefix=api_prefix)
    if name == b"www-authenticate" and not value.lower().startswith((b"bearer", b"dpop")):
        return None  # RFC 9110 §11.6.1: Basic would open the browser's password dialog under the app's name
    return value


def _build_cache_headers(lowered: Headers) -> Headers:
    """Keep the API's Cache-Control but for shared caches; no-store where it says nothing.

    RFC 9111 §3.5 keeps shared caches from what was asked with Authorization; behind the gateway that field is
    a cookie, so another user's answer could be served from one (cache leak).
    """
    values = [value for name, value in lowered if name == b"cache-control" and not _CONTROL.search(value)]
    directives = [found.strip() for found in _DIRECTIVE.findall(b",".join(values)) if found.strip()]
    kept = [directive for directive in directives if not _SHARED_CACHING.match(directive)]
    names = {directive.lower() for directive in kept}
    if not directives or b"no-store" in names:
        return [(b"cache-control", b", ".join(kept) or b"no-store")]
    if b"private" not in names:
        kept.append(b"private")
    return [(b"cache-control", b", ".join(kept)), (b"vary", b"Cookie")]
