"""Which destination a call under /api has, if any, and the request target sent there byte for byte."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gateway.errors import MethodRefused, PathRefused, RouteUnknown, WebSocketRefused
from gateway.proxy.request_target import API_PREFIX, is_below, validate_target

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
# RFC 9110 §9.3.8: TRACE would echo the bearer token; §9.3.6: CONNECT is a tunnel. No route allows them.
FORBIDDEN_METHODS = frozenset({"TRACE", "TRACK", "CONNECT"})


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, to the first byte of the answer, between two reads, and for the whole call.

    Of a WebSocket, `first_byte` is for the handshake, `idle` between two messages in either direction, and
    `total` does not count.
    """

    connect: float = 5.0
    first_byte: float = 35.0
    idle: float = 60.0
    total: float = 300.0


@dataclass(frozen=True, slots=True)
class Route:
    """Everything decided about calls below `prefix`: where they go, by which methods, within which limits.

    `prefix` is "/api" or below it. `destination` is an origin with an optional base path, such as
    "https://api.lexware.io"; it stands for `strip`, the beginning of the path, and the rest is appended.
    `body_limit` is in bytes. `ca_file` names the certificates that the destination's is checked against, or
    None for the system's. A route that `is_paced` keeps to the budget, which goes by the token; identical
    calls of one that `is_shared` are answered together, and answers kept. What follows from these is worked
    out once, here.
    """

    prefix: str
    destination: str
    methods: frozenset[str] = DEFAULT_METHODS
    body_limit: int = 10 * 1024 * 1024
    timeouts: Timeouts = field(default_factory=Timeouts)
    attaches_token: bool = True
    websocket: bool = False
    strip: str = API_PREFIX
    ca_file: str | None = None
    is_paced: bool = False
    is_shared: bool = False

    origin: str = field(init=False)
    """Scheme and authority of the destination: "https://api.lexware.io"."""
    base_path: str = field(init=False)
    """The destination's path without a trailing slash: "" or "/base"."""
    host: bytes = field(init=False)
    """The Host field of a request to the destination (RFC 9110 §7.2)."""
    template: str = field(init=False)
    """The route as metrics and logs name it: "/api/*"."""
    goes_in_lane: bool = field(init=False)
    """Whether a plain call may go the short way: it has a token, no queue, and an answer of its own."""

    def __post_init__(self) -> None:
        """Raise ValueError for a prefix not below /api or `strip`, and for what is no destination."""
        prefix, strip = self.prefix.rstrip("/"), self.strip.rstrip("/")
        if not is_below(prefix, API_PREFIX):
            raise ValueError(f"a route's prefix is {API_PREFIX} or below it, not {self.prefix!r}")
        if not is_below(strip, API_PREFIX) or not is_below(prefix, strip):
            raise ValueError(
                f"what a route strips is {API_PREFIX}, or more of its prefix, not {self.strip!r}"
            )
        found = re.fullmatch(r"(https?://([^/?#@\s]+))(/[^?#\s]*)?", self.destination, re.ASCII)
        if not found:
            raise ValueError("a route's destination is an http or https origin with an optional base path")
        derived = {
            "prefix": prefix,
            "strip": strip,
            "methods": self.methods - FORBIDDEN_METHODS,
            "origin": found[1],
            "base_path": (found[3] or "").rstrip("/"),
            "host": found[2].encode("ascii"),
            "template": f"{prefix}/*",
            "is_paced": self.is_paced and self.attaches_token,
            "is_shared": self.is_shared and self.attaches_token,
            "goes_in_lane": self.attaches_token and not self.is_paced and not self.is_shared,
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)


class MatchedRoute(NamedTuple):
    """A route and the request target to send: the base path, the raw path after `strip`, the raw query."""

    route: Route
    target: bytes


class _Entry(NamedTuple):
    prefix: bytes
    beginning: bytes
    strip: bytes
    base_path: bytes
    route: Route


class RouteTable:
    """The routes, longest prefix first; no destination comes from anywhere else."""

    def __init__(self, routes: Iterable[Route]) -> None:
        ordered = sorted(routes, key=lambda route: len(route.prefix), reverse=True)
        self._entries = tuple(map(_build_entry, ordered))

    def match(self, *, method: str, raw_path: bytes, query: bytes) -> MatchedRoute:
        """Find the route of a call; `raw_path` and `query` are as received, `query` without its "?".

        Raises PathRefused for a path or query that two servers could read in two ways, RouteUnknown where no
        route leads, MethodRefused where the route does not allow the method.
        """
        entry = self._find(raw_path, query)
        route = entry.route
        if method not in route.methods:
            raise MethodRefused(tuple(sorted(route.methods)))
        return MatchedRoute(route, _build_target(entry, raw_path, query))

    def match_websocket(self, *, raw_path: bytes, query: bytes) -> MatchedRoute:
        """Find the route of a WebSocket as `match` does; raises WebSocketRefused where it allows none."""
        entry = self._find(raw_path, query)
        if not entry.route.websocket:
            raise WebSocketRefused("This route allows no WebSockets.")
        return MatchedRoute(entry.route, _build_target(entry, raw_path, query))

    def _find(self, raw_path: bytes, query: bytes) -> _Entry:
        path = validate_target(raw_path, query)
        for entry in self._entries:
            if path.startswith(entry.beginning) or path == entry.prefix:
                return entry
        raise RouteUnknown


def _build_entry(route: Route) -> _Entry:
    prefix, strip = route.prefix.encode("ascii"), route.strip.encode("ascii")
    return _Entry(prefix, prefix + b"/", strip, route.base_path.encode("ascii"), route)


def _build_target(entry: _Entry, raw_path: bytes, query: bytes) -> bytes:
    if not raw_path.startswith(entry.strip):
        # Matched on the decoded path, it would be cut at another place than it was matched.
        raise PathRefused(f"The path must begin with {entry.route.strip}.")
    target = entry.base_path + raw_path[len(entry.strip) :] or b"/"
    return target + b"?" + query if query else target
