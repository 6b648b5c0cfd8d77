"""Which calls may be answered together, and what tells one answer from another (PURE).

What the resource server is sent for a shared call is made of its key and nothing else, but for the token and
the trace: a field that is not in the key cannot change what others are answered (cache poisoning).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gateway.proxy.caching import Wanted, join_fields, read_wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.proxy.request_fields import RequestFields
    from gateway.proxy.route import MatchedRoute

# RFC 9110 §13.1, §14.2: these make an answer that is one caller's alone.
_ALONE = frozenset({b"range", b"if-range", b"if-match", b"if-unmodified-since"})
_CONDITIONS = frozenset({b"if-none-match", b"if-modified-since"})
# RFC 9218 §4: how urgent it is to one caller says nothing of the answer.
_UNTOLD = b"priority"
# RFC 9111 §5.2: caches on the way to the resource server are told that a stored answer will not do, in words
# of the gateway's own: a browser's would be in no key.
_INSISTING = b"cache-control: no-cache\r\n"
_ALONE_WITH_CONTENT = b"content-"
_WAIT_ALONE = re.compile(rb'wait\s*=\s*"?\d{1,6}"?', re.IGNORECASE)
_KEYED = (b"accept", b"accept-language")
_FIXED = b"user-agent: lexgate\r\naccept-encoding: identity\r\n"


class SharedKey(NamedTuple):
    """Whose answer it is (by the key of a session or a grant), and to what; `lines` are the fields sent."""

    owner: bytes
    prefix: str
    target: bytes
    lines: bytes


class Sharing(NamedTuple):
    """How a call is shared: it may join a call of one of `keys`, and else begins one of the last.

    `seconds` is how long the path's answers may be kept, under `kept_as`, and 0 if they are not; `path` is
    the public one.
    """

    keys: tuple[SharedKey, ...]
    kept_as: SharedKey
    path: bytes
    wanted: Wanted
    seconds: float
    if_none_match: bytes | None


class CachedPaths:
    """Paths, and for how many seconds answers below them are kept: the longest counts, and 0 is none."""

    def __init__(self, seconds: Mapping[str, float]) -> None:
        ordered = sorted(seconds.items(), key=lambda entry: len(entry[0]), reverse=True)
        self._entries = [(path.encode("ascii"), path.encode("ascii") + b"/", kept) for path, kept in ordered]

    def seconds(self, path: bytes) -> float:
        """Return them for a path as it was received: one that is written otherwise is not kept."""
        for exact, beginning, kept in self._entries:
            if path == exact or path.startswith(beginning):
                return kept
        return 0.0


def public_path(matched: MatchedRoute) -> bytes:
    """Return the path under /api of which the target was made, as it was received."""
    path = matched.target.partition(b"?")[0]
    return matched.route.strip.encode("ascii") + path[len(matched.route.base_path) :]


def plan_sharing(
    fields: RequestFields, matched: MatchedRoute, *, session: bytes, connection: bytes, cached: CachedPaths
) -> Sharing | None:
    """Plan a GET without a body; None for one that is answered alone.

    `session` and `connection` are the keys of the caller's session and of its grant.
    """
    lines = [line for line in fields.passed.split(b"\r\n") if line]
    passed = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
    named = join_fields(passed)
    wanted = read_wanted(named)
    path = public_path(matched)
    seconds = cached.seconds(path)
    # RFC 9111 §5.2.1.5: nothing of a no-store call is kept. Where nothing is, only-if-cached has no meaning.
    if wanted.no_store or (wanted.only_if_cached and not seconds) or not _may_be_shared(named):
        return None
    route, target = matched.route, matched.target
    if seconds:
        kept_as = SharedKey(connection, route.prefix, target, _keyed_lines(named))
        insisting = kept_as._replace(lines=kept_as.lines + _INSISTING)
        insists = wanted.no_cache or wanted.max_age is not None
        keys: tuple[SharedKey, ...] = (insisting,) if insists else (insisting, kept_as)
    else:
        told = [(name, value) for name, value in passed if not _is_untold(name, value)]
        plain = [field for field in told if field[0] not in _CONDITIONS]
        keys = tuple(
            SharedKey(session, route.prefix, target, _lines(each))
            for each in ((plain,) if plain == told else (plain, told))
        )
        kept_as = keys[0]
    return Sharing(keys, kept_as, path, wanted, seconds, named.get(b"if-none-match"))


def _may_be_shared(named: Mapping[bytes, bytes]) -> bool:
    return _ALONE.isdisjoint(named) and not any(
        name.startswith(_ALONE_WITH_CONTENT) or name in {b"idempotency-key", b"last-event-id"}
        for name in named
    )


def _is_untold(name: bytes, value: bytes) -> bool:
    return name == _UNTOLD or (name == b"prefer" and bool(_WAIT_ALONE.fullmatch(value.strip())))


def _keyed_lines(named: Mapping[bytes, bytes]) -> bytes:
    kept = [(name, named[name]) for name in _KEYED if name in named]
    return _lines(kept) + _FIXED


def _lines(fields: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % field for field in fields])
