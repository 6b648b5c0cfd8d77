"""Which destination a call under /api has, if any, and the request target sent there byte for byte."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from gateway.errors import MethodRefused, PathRefused, RouteUnknown

if TYPE_CHECKING:
    from collections.abc import Iterable

API_PREFIX = "/api"
DEFAULT_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
MAX_TARGET_BYTES = 8 * 1024
MAX_DECODINGS = 3

_MOUNT = API_PREFIX.encode("ascii")
# Segments of unreserved characters that do not begin with a dot cannot be read in two ways: the usual case.
_PLAIN_PATH = re.compile(rb"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")
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


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, to the first byte of the answer, between two reads, and for the whole call."""

    connect: float = 5.0
    first_byte: float = 35.0
    idle: float = 60.0
    total: float = 300.0


@dataclass(frozen=True, slots=True)
class Route:
    """Everything decided about calls below `prefix`: where they go, by which methods, within which limits.

    `prefix` is "/api" or below it. `destination` is an origin with an optional base path, such as
    "https://api.lexware.io"; the part of the path after "/api" is appended to it. `body_limit` is in bytes.
    """

    prefix: str
    destination: str
    methods: frozenset[str] = DEFAULT_METHODS
    body_limit: int = 10 * 1024 * 1024
    timeouts: Timeouts = field(default_factory=Timeouts)
    attaches_token: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError for a prefix that is not below /api or a destination without scheme and host."""
        if not _is_below(self.prefix.rstrip("/"), API_PREFIX):
            raise ValueError(f"a route's prefix is {API_PREFIX} or below it, not {self.prefix!r}")
        if not re.fullmatch(r"https?://[^/?#@\s]+(/[^?#\s]*)?", self.destination, re.ASCII):
            raise ValueError("a route's destination is an http or https origin with an optional base path")

    @property
    def origin(self) -> str:
        """Scheme and authority of the destination: "https://api.lexware.io"."""
        scheme, _, rest = self.destination.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}"

    @property
    def base_path(self) -> str:
        """The destination's path without a trailing slash: "" or "/base"."""
        return self.destination.removeprefix(self.origin).rstrip("/")


@dataclass(frozen=True, slots=True)
class MatchedRoute:
    """A route and the request target to send: the base path, the raw path after "/api", the raw query."""

    route: Route
    target: bytes


class RouteTable:
    """The routes, longest prefix first; no destination comes from anywhere else."""

    def __init__(self, routes: Iterable[Route]) -> None:
        ordered = sorted(routes, key=lambda route: len(route.prefix.rstrip("/")), reverse=True)
        self._entries = tuple(
            (route.prefix.rstrip("/"), route, route.base_path.encode("ascii")) for route in ordered
        )

    def match(self, *, method: str, raw_path: bytes, query: bytes) -> MatchedRoute:
        """Find the route of a call; `raw_path` and `query` are as received, `query` without its "?".

        Raises PathRefused for a path or query that two servers could read in two ways, RouteUnknown where no
        route leads, MethodRefused where the route does not allow the method.
        """
        _validate_length(raw_path, query)
        path = validate_path(raw_path)
        validate_query(query)
        for prefix, route, base_path in self._entries:
            if _is_below(path, prefix):
                _validate_method(route, method)
                return MatchedRoute(route, _build_target(base_path, raw_path, query))
        raise RouteUnknown


def validate_path(raw_path: bytes) -> str:
    """Decode a raw path once, as routes are matched on it; raises PathRefused where it is ambiguous."""
    if _PLAIN_PATH.fullmatch(raw_path):
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
    if _is_below(path, API_PREFIX):
        return
    if _is_below(decoded, API_PREFIX) or "@" in decoded.split("/")[1]:
        raise PathRefused("The path must begin with /api/.")


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _validate_length(raw_path: bytes, query: bytes) -> None:
    if len(raw_path) + len(query) > MAX_TARGET_BYTES:
        raise PathRefused(f"The path and query string are longer than {MAX_TARGET_BYTES} bytes.")


def _validate_method(route: Route, method: str) -> None:
    # RFC 9110 §9.3.8: TRACE would echo the bearer token; §9.3.6: CONNECT is a tunnel. No route allows them.
    allowed = route.methods - {"TRACE", "TRACK", "CONNECT"}
    if method not in allowed:
        raise MethodRefused(tuple(sorted(allowed)))


def _build_target(base_path: bytes, raw_path: bytes, query: bytes) -> bytes:
    target = base_path + raw_path.removeprefix(_MOUNT) or b"/"
    return target + b"?" + query if query else target
