"""URLs of the resource server in an answer's header fields, mapped to the app's origin."""

from __future__ import annotations

import re
from urllib.parse import unquote

_LISTED_RELATIONS = frozenset((b"first", b"last", b"next", b"prev", b"self"))
_RELATION = re.compile(rb';\s*rel\s*=\s*(?:"([^"]*)"|([^\s";,]+))', re.IGNORECASE)
_LINK_TARGET = re.compile(rb"<([^<>]*)>")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# What a browser takes for something else than it says: tabs vanish, backslashes are slashes, two slashes at
# the beginning name another authority in the browser's scheme.
_MISLEADING = re.compile(r"\A[/\\]{2}|[\t\\]")
_DOT_SEGMENT = re.compile(r"(?:\A|/)\.{1,2}(?:[/;]|\Z)")


def rewrite_location(value: bytes, *, destination: str, api_prefix: str = "/api") -> bytes | None:
    """Map a URL reference of the resource server to the app's origin; None where it must not pass.

    Below `destination` it becomes a path below `api_prefix`; an http(s) URL of another host stays as it is.
    """
    reference = value.decode("latin-1").strip()
    origin, base_path = _split_origin(destination.rstrip("/"))
    path = reference
    if _SCHEME.match(reference):
        named_origin, path = _split_origin(reference)
        if named_origin != origin:
            return value if named_origin else None
    elif not reference.startswith("/"):
        return None if _MISLEADING.search(reference) or _has_dot_segment(reference) else value
    return None if _MISLEADING.search(path) else _below_prefix(path or "/", base_path, api_prefix)


def rewrite_link(value: bytes, *, destination: str, api_prefix: str = "/api") -> bytes | None:
    """Map the targets of a Link field that lists pages; None for every other Link."""
    # RFC 8288 §3.3: paging passes; preload, stylesheet and their like would make the browser fetch.
    targets = _LINK_TARGET.findall(value)
    relations = [(quoted or plain).lower() for quoted, plain in _RELATION.findall(value)]
    if len(targets) != len(relations) or not _LISTED_RELATIONS.issuperset(b" ".join(relations).split()):
        return None
    for target in targets:
        rewritten = rewrite_location(target, destination=destination, api_prefix=api_prefix)
        if rewritten is None:
            return None
        value = value.replace(b"<" + target + b">", b"<" + rewritten + b">")
    return value


def _split_origin(url: str) -> tuple[str, str]:
    """Split into origin (lower case, without the scheme's own port) and rest; origin "" if not http(s)."""
    # An exact "//": browsers repair "https:/host" into a URL of another host.
    found = re.match(r"(https?)://([^/?#\\]+)", url, re.IGNORECASE)
    if not found:
        return "", url
    own_port = ":443" if found[1].lower() == "https" else ":80"
    return found[0].lower().removesuffix(own_port), url[found.end() :]


def _below_prefix(path: str, base_path: str, api_prefix: str) -> bytes | None:
    below = path.removeprefix(base_path)
    inside = path.startswith(base_path) and below[:1] in {"", "/", "?", "#"}
    if not inside or _has_dot_segment(path):
        return None  # the app cannot reach it through the gateway, or would leave /api
    return f"{api_prefix}{below}".encode("latin-1")


def _has_dot_segment(reference: str) -> bool:
    path = re.split(r"[?#]", reference, maxsplit=1)[0]
    return bool(_DOT_SEGMENT.search(unquote(path)))
