"""Which header fields of the resource server's answer pass on to the browser (PURE)."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from gateway.proxy.headers import CONTROL, HOP_BY_HOP, find_named
from gateway.proxy.location import rewrite_link, rewrite_location
from gateway.proxy.small_cache import small_cache

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.proxy.headers import Headers

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
_SINGLE_PLAIN = frozenset((b"content-type", b"content-length"))
_NO_STORE = ((b"cache-control", b"no-store"),)
_PLANS_KEPT = 512
_LONGEST_NAMES = 1024
_SHARED_CACHING = re.compile(rb"\A(?:public|s-maxage\s*=.*|private\s*=.*)\Z", re.IGNORECASE)
_DIRECTIVE = re.compile(rb'(?:[^,"]|"[^"]*")+')


def filter_response_headers(
    headers: Sequence[tuple[bytes, bytes]], *, destination: str, api_prefix: str = "/api"
) -> Headers:
    """Keep what the resource server may say to the app's origin, names in lower case.

    `destination` is the route's: URLs below it in Location, Content-Location and Link are rewritten to
    `api_prefix`. Cache-Control is always present in the result, and never allows a shared cache to store.
    """
    plan = _find_plan(headers)
    if plan is not None and _has_usual_values(headers, plan):
        return [headers[place] for place in plan.passed] + list(_NO_STORE)
    return _filter_one_by_one(headers, destination, api_prefix)


class _Plan(NamedTuple):
    """For a list of names that all servers write alike: which places pass, and which values to look at."""

    passed: tuple[int, ...]
    connection: int | None
    length: int | None


_plans: dict[bytes, _Plan | None] = {}


def _find_plan(headers: Sequence[tuple[bytes, bytes]]) -> _Plan | None:
    """Return what to do with fields of these names, if that hardly depends on their values."""
    names = b" ".join([name for name, _ in headers])
    try:
        return _plans[names]
    except KeyError:
        plan = _make_plan([name for name, _ in headers])
        if len(_plans) < _PLANS_KEPT and len(names) <= _LONGEST_NAMES:
            _plans[names] = plan
        return plan


def _make_plan(names: list[bytes]) -> _Plan | None:
    fates = [_FATES.get(name, _Fate.PASS if name in _SINGLE_PLAIN else _Fate.OTHER) for name in names]
    if not {_Fate.PASS, _Fate.DROP, _Fate.CONNECTION}.issuperset(fates) or len(set(names)) != len(names):
        return None
    return _Plan(
        tuple(place for place, fate in enumerate(fates) if fate is _Fate.PASS),
        names.index(b"connection") if b"connection" in names else None,
        names.index(b"content-length") if b"content-length" in names else None,
    )


def _has_usual_values(headers: Sequence[tuple[bytes, bytes]], plan: _Plan) -> bool:
    if plan.connection is not None and find_named(headers[plan.connection][1]):
        return False
    if plan.length is not None and not headers[plan.length][1].isdigit():
        return False
    return not CONTROL.search(b"\t".join([value for _, value in headers]))


def _filter_one_by_one(headers: Sequence[tuple[bytes, bytes]], destination: str, api_prefix: str) -> Headers:
    passed: Headers = []
    caching: list[bytes] = []
    named: frozenset[bytes] = frozenset()
    if not b"".join([name for name, _ in headers]).islower():
        headers = [(name.lower(), value) for name, value in headers]
    if CONTROL.search(b"\t".join([value for _, value in headers])):
        headers = [field for field in headers if not CONTROL.search(field[1])]
    for field in headers:
        fate = _FATES.get(field[0]) or _Fate.OTHER
        if fate is _Fate.PASS:
            passed.append(field)
        elif fate is _Fate.CACHING:
            caching.append(field[1])
        elif fate is _Fate.CONNECTION:
            named |= find_named(field[1])
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


def build_safety_headers(content_type: bytes | None) -> tuple[tuple[bytes, bytes], ...]:
    """Build what makes an answer of the API harmless as a page of the app's origin, by its Content-Type.

    A PDF may be framed by the app itself, and gets no sandbox: browsers don't show one in it.
    """
    return _safety_headers(content_type or b"")


@small_cache
def _safety_headers(content_type: bytes) -> tuple[tuple[bytes, bytes], ...]:
    media_type = content_type.partition(b";")[0].strip().lower()
    policy = b"default-src 'none'; frame-ancestors 'none'; sandbox"
    if media_type == b"application/pdf":
        policy = b"frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    return (
        (b"content-security-policy", policy),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"same-origin"),
    )


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


@small_cache
def _cache_headers(value: bytes) -> tuple[tuple[bytes, bytes], ...]:
    directives = [found.strip() for found in _DIRECTIVE.findall(value) if found.strip()]
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
    return list(_cache_headers(b",".join(values)))
