"""Which requests may reach the dev server of `--dev`, and which of their header fields go along (PURE)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.browser.csrf import judge_request, judge_websocket
from gateway.errors import CrossSiteRefused, MethodRefused, PathRefused
from gateway.proxy.headers import REQUEST_HEADERS, find_named
from gateway.proxy.route import DEFAULT_METHODS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.proxy.headers import Headers

METHODS = DEFAULT_METHODS | {"OPTIONS"}
"""Those with which a page, or a tool in it, speaks to its dev server."""

# As of a call to the API: no cookie, no Authorization. Vite tells a style from a module by Sec-Fetch-Dest.
_PASSED = REQUEST_HEADERS | frozenset(
    (b"sec-fetch-dest", b"sec-fetch-mode", b"sec-fetch-site", b"sec-fetch-user")
)
_LOOPBACK = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
_TARGET = re.compile(rb"/[\x21-\x7e]*")


def judge_dev_request(*, method: str, headers: Sequence[tuple[bytes, bytes]], public_origin: str) -> None:
    """Return for a navigation, and for what a page of the gateway's asks for; CrossSiteRefused for all else.

    Any page can ask for sources by `<script src>`, and for an editor to be opened by a GET. A navigation may
    begin anywhere: a sign-in ends with one that comes from the authorization server.
    """
    _judge_host(headers)
    if method not in METHODS:
        raise MethodRefused(tuple(sorted(METHODS)))
    if method in {"GET", "HEAD"} and _text(headers, b"sec-fetch-mode") == "navigate":
        return
    judge_request(
        method=method,
        sec_fetch_site=_text(headers, b"sec-fetch-site"),
        origin=_text(headers, b"origin"),
        csrf_header=None,
        public_origin=public_origin,
        header_required=False,  # nothing here acts for whoever is signed in
    )


def judge_dev_websocket(headers: Sequence[tuple[bytes, bytes]], *, public_origin: str) -> None:
    """Return for a WebSocket that a page of the gateway's opens; CrossSiteRefused for every other."""
    _judge_host(headers)
    judge_websocket(
        origin=_text(headers, b"origin"),
        sec_fetch_site=_text(headers, b"sec-fetch-site"),
        public_origin=public_origin,
    )


def build_dev_target(raw_path: bytes, query: bytes) -> bytes:
    """Return what is asked of the dev server, byte for byte; PathRefused for what is no request target."""
    target = raw_path + b"?" + query if query else raw_path
    if not _TARGET.fullmatch(target):
        raise PathRefused("The path holds a character that must be percent-encoded.")
    return target


def filter_dev_request_headers(headers: Sequence[tuple[bytes, bytes]], *, dev_origin: str) -> Headers:
    """Keep what the dev server may know, names in lower case; Origin, which was judged, becomes its own."""
    named = frozenset[bytes]().union(*(find_named(value) for name, value in headers if name == b"connection"))
    passed = [field for field in headers if field[0] in _PASSED - named]
    if any(name == b"origin" for name, _ in headers):
        passed.append((b"origin", dev_origin.encode("ascii")))
    passed.append((b"accept-encoding", b"identity"))
    return passed


def _judge_host(headers: Sequence[tuple[bytes, bytes]]) -> None:
    # The dev server hears a Host of ours, so its own guard against DNS rebinding sleeps: a foreign name that
    # leads to this machine would make its page an equal of the app.
    if not _LOOPBACK.fullmatch(_text(headers, b"host") or ""):
        raise CrossSiteRefused("With --dev the gateway answers on localhost alone.", cause="foreign_host")


def _text(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> str | None:
    values = [value for key, value in headers if key == name]
    # One that is given twice is equal to nothing.
    return b", ".join(values).decode("latin-1") if values else None
