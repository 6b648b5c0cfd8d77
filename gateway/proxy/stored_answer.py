"""A whole answer as the browser may see it, and what is said of it when it is served again (PURE)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.proxy.caching import build_etag

if TYPE_CHECKING:
    from gateway.proxy.caching import Freshness
    from gateway.proxy.headers import Headers

_OK, _NOT_MODIFIED = 200, 304
# What was said to the one call whose answer this is, or is said anew with each.
_DROPPED = frozenset(
    b"accept-ranges age cache-control cache-status content-length etag expires last-modified pragma"
    b" server-timing vary x-request-id".split()
)
# RFC 9110 §15.4.5: what a 304 repeats of the 200 that it stands for.
_REPEATED = frozenset({b"cache-control", b"content-location", b"etag", b"vary"})
_OVERHEAD_BYTES = 1024
_PRIVATE = b"private, no-cache"


@dataclass(slots=True, eq=False, kw_only=True)
class StoredAnswer:
    """An answer with its strong ETag; `body` and `fields` were searched for the tokens of `searched_for`.

    `wall` and `monotonic` say when it was asked for, on two clocks; `number` orders the calls.
    """

    fields: Headers
    content_type: bytes | None
    body: bytes = field(repr=False)
    etag: bytes
    freshness: Freshness
    wall: float
    monotonic: float
    number: int
    searched_for: bytes = field(repr=False)
    resource: str | None = None

    @property
    def size(self) -> int:
        """What it takes in memory, about."""
        return _OVERHEAD_BYTES + len(self.body) + sum(len(name) + len(value) for name, value in self.fields)

    def age(self, *, wall: float, monotonic: float) -> float:
        """Seconds since the resource server made it; a clock that is set back does not make it younger."""
        return self.freshness.age + max(wall - self.wall, monotonic - self.monotonic, 0.0)

    def ttl(self, age: float) -> int:
        """Seconds for which it is fresh, or fewer than none (RFC 9211 §2.4)."""
        return int(self.freshness.seconds - age)


@dataclass(slots=True, eq=False)
class StoredHead:
    """The head of one answer made of a stored one, as OwnFields wants it."""

    status: int
    fields: Headers
    content_type: bytes | None
    has_body: bool
    length: int | None


def build_stored_fields(passed: Headers, content_type: bytes | None, body: bytes) -> tuple[Headers, bytes]:
    """Return the fields under which an answer is served again, and its ETag.

    The browser may keep it, and asks with If-None-Match before each use. RFC 9111 §3.5: no shared cache may.
    """
    etag = build_etag(content_type, body)
    vary = b", ".join(
        [b"Cookie", *(value for name, value in passed if name == b"vary" and value != b"Cookie")]
    )
    kept = [(name, value) for name, value in passed if name not in _DROPPED]
    return [*kept, (b"etag", etag), (b"cache-control", _PRIVATE), (b"vary", vary)], etag


def build_stored_head(
    stored: StoredAnswer, *, is_match: bool, age: float | None, cache_status: bytes
) -> StoredHead:
    """Return the head of a 200, or of a 304 where the browser has the very same bytes (`is_match`).

    `age` is None for an answer that was made for this call.
    """
    # RFC 9111 §5.1: Age says that the answer was not made for this request.
    told = [(b"cache-status", cache_status), *([] if age is None else [(b"age", b"%d" % age)])]
    if is_match:
        # RFC 9110 §13.1.2: the condition of If-None-Match is false.
        fields = [named for named in stored.fields if named[0] in _REPEATED]
        return StoredHead(_NOT_MODIFIED, [*fields, *told], None, has_body=False, length=None)
    length = len(stored.body)
    fields = [*stored.fields, *told, (b"content-length", b"%d" % length)]
    return StoredHead(_OK, fields, stored.content_type, has_body=True, length=length)
