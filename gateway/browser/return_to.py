"""Where a sign-in leads back to: a path of the app's own origin, or of a sibling's, or its root."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

DEFAULT_RETURN_TO = "/"
SIGNED_IN = "/auth/signed-in"
"""The gateway's page at which a sign-in in a window of its own ends."""

_MAX_LENGTH = 512
"""The path travels in a sealed cookie, five of which must fit into a request."""
# RFC 3986 §3.3, §3.4, §3.5: a path, a query, a fragment; all else must be percent-encoded.
_REFERENCE = re.compile(
    r"(?P<path>/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)"
    # Browsers leave some more as they are in a query, and an app hands on its `location.search`.
    r"(?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]{}|^`-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:\#(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
)
_ABSOLUTE = re.compile(r"(?P<origin>https?://[^/?#]+)(?P<path>/.*)?")
_DOT_SEGMENTS = frozenset({".", ".."})
_OWN_ENDPOINTS = ("auth", "api", "webhooks")
_MAX_DECODINGS = 3


def validate_return_to(raw: str | None, sibling_origins: AbstractSet[str] = frozenset()) -> str:
    """Return a same-origin path with its query and fragment unchanged, or "/" for anything else.

    One of the origins of `sibling_origins`, letter by letter, may stand before such a path, or alone.

    RFC 9700 §4.11: no open redirector. What browsers, servers or proxies could read as another origin (two
    slashes, a backslash, a control character, any of them percent-encoded or in a compatible form such as the
    full-width slash) is refused rather than mended.
    """
    if not raw or len(raw) > _MAX_LENGTH:
        return DEFAULT_RETURN_TO
    path = raw
    if sibling_origins and (absolute := _ABSOLUTE.fullmatch(raw)) and absolute["origin"] in sibling_origins:
        path = absolute["path"] or DEFAULT_RETURN_TO
    match = _REFERENCE.fullmatch(path)
    if match is None or not _is_harmless(match["path"]):
        return DEFAULT_RETURN_TO
    return raw


def validate_sign_in_return_to(raw: str | None, sibling_origins: AbstractSet[str] = frozenset()) -> str:
    """Return `SIGNED_IN`, letter by letter, or what `validate_return_to` returns."""
    return SIGNED_IN if raw == SIGNED_IN else validate_return_to(raw, sibling_origins)


def build_return_url(return_to: str, public_url: str) -> str:
    """Return the whole address of what `validate_return_to` returned."""
    return f"{public_url}{return_to}" if return_to.startswith("/") else return_to


def _is_harmless(path: str) -> bool:
    for _ in range(_MAX_DECODINGS):
        if not _is_plain(path):
            return False
        decoded = unicodedata.normalize("NFKC", unquote(path, errors="replace"))
        if decoded == path:
            return True
        path = decoded
    return False


def _is_plain(path: str) -> bool:
    segments = path.split("/")[1:]
    if "//" in path or "\\" in path or not path.isprintable() or "\ufffd" in path:
        return False
    # Servers cut parameters and trim blanks: "/;/" and "/..%20/" are "//" and "/../" to them.
    names = [segment.partition(";")[0].strip() for segment in segments]
    if any(
        name in _DOT_SEGMENTS or (segment and not name) for segment, name in zip(segments, names, strict=True)
    ):
        return False
    # RFC 3986 §3.2.1: userinfo would make an authority of the first segment where a prefix is cut off.
    if "@" in segments[0] or ":" in segments[0]:
        return False
    return names[0].lower() not in _OWN_ENDPOINTS
