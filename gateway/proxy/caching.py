"""What RFC 9111 says of storing an answer and of using one that is stored (PURE).

The cache is private: what it keeps belongs to one connection at the authorization server, so that RFC 9111
§3.5, on requests with Authorization, does not stand in its way, and `private` does not either. It does not
validate at the resource server: what may be used only after that is not stored.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from gateway.proxy.headers import REQUEST_HEADERS
from gateway.proxy.small_cache import small_cache

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Refusal = Literal["request", "stale"]
"""Why a stored answer is not used, in the words of RFC 9211 §2.2."""

_OK = 200
_MOST_SECONDS = 2**31
_DIRECTIVE = re.compile(rb'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,";]+))?\s*')
_SEPARATED = re.compile(rb'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_ETAG = re.compile(rb'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
# What the request's line of the key holds, and what the gateway itself decides alike for every request.
_KEYED = frozenset({b"accept", b"accept-language"})
# RFC 9111 §4.1: a field that passes to the resource server, but is not in the key, can make answers differ.
_UNKEYED = REQUEST_HEADERS - _KEYED
_NEVER_STORED = frozenset({b"no-store", b"no-cache"})
_NEVER_STALE = frozenset({b"must-revalidate", b"proxy-revalidate"})
_ETAG_BYTES = 18


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request's Cache-Control asks for (RFC 9111 §5.2.1), in seconds; `max_stale` may be infinite."""

    no_store: bool = False
    no_cache: bool = False
    only_if_cached: bool = False
    max_age: float | None = None
    max_stale: float = 0.0
    min_fresh: float = 0.0


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long an answer is fresh from when it was asked for, and how old it was by its own word."""

    seconds: float
    age: float
    may_be_stale: bool


PLAIN = Wanted()


def read_wanted(fields: Mapping[bytes, bytes]) -> Wanted:
    """Read the request's fields, each name's values joined by commas."""
    value = fields.get(b"cache-control")
    if value is not None:
        return _read_wanted(value)
    # RFC 9111 §5.4: Pragma counts where there is no Cache-Control.
    return _read_wanted(b"no-cache") if b"no-cache" in parse_directives(fields.get(b"pragma", b"")) else PLAIN


@small_cache
def _read_wanted(value: bytes) -> Wanted:
    directives = parse_directives(value)
    stale = parse_seconds(directives.get(b"max-stale"))
    if b"max-stale" in directives and directives[b"max-stale"] is None:
        stale = float("inf")  # RFC 9111 §5.2.1.2: without a value, of any age
    return Wanted(
        no_store=b"no-store" in directives,
        # RFC 9111 §4.2.1: what cannot be understood is taken for the stricter.
        no_cache=b"no-cache" in directives or _is_unreadable(directives, b"max-age"),
        only_if_cached=b"only-if-cached" in directives,
        max_age=parse_seconds(directives.get(b"max-age")),
        max_stale=stale or 0.0,
        min_fresh=parse_seconds(directives.get(b"min-fresh")) or 0.0,
    )


def find_freshness(
    status: int, headers: Sequence[tuple[bytes, bytes]], *, limit: float, now: float
) -> Freshness | None:
    """Say how long an answer to a GET may be used, up to `limit` seconds; None if it is not to be stored.

    `headers` have lower-case names; `now` is Unix time.
    """
    if status != _OK or any(name == b"content-range" for name, _ in headers):
        return None
    if not _varies_by_key_alone(_joined(headers, b"vary")):
        return None
    value = _joined(headers, b"cache-control")
    directives = parse_directives(b"" if value is None else value)
    # RFC 9111 §5.2.2.4, §5.2.2.5: with or without field names, the stricter reading.
    if not _NEVER_STORED.isdisjoint(directives):
        return None
    if value is None and b"no-cache" in parse_directives(_joined(headers, b"pragma") or b""):
        return None  # RFC 9111 §5.4 leaves it open; who writes it does not want to be cached
    seconds = min(limit, _stated_lifetime(directives, headers, now))
    age = parse_seconds((_joined(headers, b"age") or b"0").split(b",")[0].strip()) or 0.0
    if seconds <= age:
        return None
    return Freshness(seconds, age, _NEVER_STALE.isdisjoint(directives))


def refuse_stored(wanted: Wanted, freshness: Freshness, age: float) -> Refusal | None:
    """Say why a stored answer of this age, in seconds, will not do; None if it does (RFC 9111 §4.2)."""
    if wanted.no_cache or wanted.no_store:
        return "request"
    # RFC 9111 §5.2.1.1: older than that is not wanted, unless max-stale says so too. That old will not do
    # either: a reload asks by max-age=0, perhaps in the very moment in which the answer came.
    if wanted.max_age is not None and age >= wanted.max_age + wanted.max_stale:
        return "request"
    left = freshness.seconds - age
    if left > 0:
        return "request" if left < wanted.min_fresh else None
    # RFC 9111 §4.2.4: stale answers are for who asks for them, and for no one where the server forbids it.
    return None if freshness.may_be_stale and -left <= wanted.max_stale and wanted.max_stale else "stale"


def allows_joining(wanted: Wanted, since_sent: float | None) -> bool:
    """Say whether the answer to a call that was sent that long ago, or not yet (None), is new enough."""
    if since_sent is None:
        return True
    if wanted.no_cache or wanted.no_store:
        return False
    return wanted.max_age is None or since_sent < wanted.max_age


def build_etag(content_type: bytes | None, body: bytes) -> bytes:
    """Return a strong entity tag: other bytes, or the same of another type, have another.

    RFC 9110 §8.8.1: it names these bytes and no others.
    """
    digest = hashlib.blake2b(b"%b\0%b" % (content_type or b"", body), digest_size=_ETAG_BYTES).digest()
    return b'"%b"' % base64.urlsafe_b64encode(digest)


def matches_etag(if_none_match: bytes | None, etag: bytes) -> bool:
    """Evaluate If-None-Match by the weak comparison (RFC 9110 §13.1.2); absent, it matches nothing."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == b"*" or etag in _ETAG.findall(if_none_match)


def parse_directives(value: bytes) -> dict[bytes, bytes | None]:
    """Parse a Cache-Control or Pragma field: names in lower case, each with its first value, unquoted."""
    directives: dict[bytes, bytes | None] = {}
    for part in _SEPARATED.findall(value):
        if found := _DIRECTIVE.fullmatch(part):
            argument: bytes | None = found[2]
            directives.setdefault(found[1].lower(), None if argument is None else argument.strip(b'"'))
        elif part.strip():
            # RFC 9111 §4.2.1: half a directive still says what its name says.
            name = re.split(rb"[\s=;]", part.strip(), maxsplit=1)[0]
            directives.setdefault(name.lower(), b"")
    return directives


def parse_seconds(value: bytes | None) -> float | None:
    """Parse delta-seconds (RFC 9111 §1.2.2); None for anything else."""
    if value is None or not value.isdigit():
        return None
    return float(min(int(value[:12]), _MOST_SECONDS))


def join_fields(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the fields by name, repeated ones joined by commas (RFC 9110 §5.3)."""
    joined: dict[bytes, bytes] = {}
    for name, value in headers:
        joined[name] = joined[name] + b", " + value if name in joined else value
    return joined


def _stated_lifetime(
    directives: Mapping[bytes, bytes | None], headers: Sequence[tuple[bytes, bytes]], now: float
) -> float:
    """Seconds that the resource server gives, infinite where it says nothing (RFC 9111 §4.2.1)."""
    ages = [directives[name] for name in (b"s-maxage", b"max-age") if name in directives]
    if ages:
        return min(parse_seconds(stated) or 0.0 for stated in ages)
    expires = _joined(headers, b"expires")
    if expires is None:
        return float("inf")
    end = _parse_date(expires)
    if end is None:
        return 0.0  # RFC 9111 §5.3: an invalid date, "0" above all, is in the past
    return end - (_parse_date(_joined(headers, b"date") or b"") or now)


def _parse_date(value: bytes) -> float | None:
    try:
        text = value.decode("ascii").strip()
        moment = datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp()


def _varies_by_key_alone(vary: bytes | None) -> bool:
    if vary is None:
        return True
    names = {name.strip().lower() for name in vary.split(b",")}
    return b"*" not in names and names.isdisjoint(_UNKEYED)


def _joined(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    values = [value for other, value in headers if other == name]
    return b", ".join(values) if values else None


def _is_unreadable(directives: Mapping[bytes, bytes | None], name: bytes) -> bool:
    return name in directives and parse_seconds(directives[name]) is None
