"""Whether a request provably came from the app's own origin (CSRF), by what browsers say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import CrossSiteRefused, NavigationRequired

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

CSRF_HEADER = "X-CSRF"
CSRF_VALUE = "1"
"""Not CORS-safelisted: another origin cannot send it without a preflight, which fails here."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def is_safe_method(method: str) -> bool:
    """Say whether a method is safe (RFC 9110 §9.2.1); one that nobody knows is not."""
    return method in _SAFE_METHODS


def judge_request(
    *,
    method: str,
    sec_fetch_site: str | None,
    origin: str | None,
    csrf_header: str | None,
    public_origin: str,
    sibling_origins: AbstractSet[str] = frozenset(),
    header_required: bool = True,
) -> None:
    """Return for a request from the app, raise CrossSiteRefused naming the check for any other.

    Fetch metadata decide where they are present; Origin must agree wherever it is. A request with neither
    passes only if its method is safe (RFC 9110 §9.2.1) and it reads with no browser's help. An app on one of
    `sibling_origins` is known by its Origin: without it a request may be any sibling host's.
    """
    is_safe = method in _SAFE_METHODS
    if origin in sibling_origins:
        _judge_sibling(sec_fetch_site)
    else:
        _judge_site(sec_fetch_site, is_safe=is_safe)
        _judge_origin(origin, public_origin, is_required=not is_safe and sec_fetch_site is None)
    if not is_safe and header_required and csrf_header != CSRF_VALUE:
        raise CrossSiteRefused(f"Send the header {CSRF_HEADER}: {CSRF_VALUE}.", cause="csrf_header_missing")


def judge_websocket(
    *,
    origin: str | None,
    sec_fetch_site: str | None,
    public_origin: str,
    sibling_origins: AbstractSet[str] = frozenset(),
) -> None:
    """Return for a handshake of the app, raise CrossSiteRefused naming the check for any other.

    RFC 6455 §10.2: any page may open a WebSocket anywhere, cookies included, and read what comes (cross-site
    WebSocket hijacking); browsers always send Origin with it, so that its absence is no excuse.
    """
    if origin in sibling_origins:
        _judge_sibling(sec_fetch_site)
    else:
        _judge_site(sec_fetch_site, is_safe=False)
        _judge_origin(origin, public_origin, is_required=True)


def judge_navigation(
    *, method: str, sec_fetch_mode: str | None, sec_fetch_dest: str | None, sec_purpose: str | None
) -> None:
    """Raise NavigationRequired unless this is, as far as the browser says, a person's top-level navigation.

    A frame or a script could sign its user in unnoticed (login CSRF), and a prefetch spends attempts.
    """
    is_navigation = sec_fetch_mode in {None, "navigate"} and sec_fetch_dest in {None, "document"}
    is_speculative = sec_purpose is not None and "prefetch" in sec_purpose
    if method not in {"GET", "HEAD"} or not is_navigation or is_speculative:
        raise NavigationRequired


def _judge_site(sec_fetch_site: str | None, *, is_safe: bool) -> None:
    if sec_fetch_site in {None, "same-origin"}:
        return
    if sec_fetch_site == "none":
        # The address bar or a bookmark: a person, but never a write of the app's.
        if is_safe:
            return
        raise CrossSiteRefused(cause="not_from_the_app")
    # A sibling host is no friend: it may be another team's, or taken over.
    raise CrossSiteRefused(cause=_name_site(sec_fetch_site))


def _judge_sibling(sec_fetch_site: str | None) -> None:
    """Judge a request whose Origin is on the list: it must be of the same site, and cannot be our own."""
    if sec_fetch_site in {None, "same-site"}:
        return
    if sec_fetch_site == "none":
        raise CrossSiteRefused(cause="not_from_the_app")
    raise CrossSiteRefused(
        cause="origin_mismatch" if sec_fetch_site == "same-origin" else _name_site(sec_fetch_site)
    )


def _name_site(sec_fetch_site: str | None) -> str:
    known = sec_fetch_site in {"cross-site", "same-site"}
    return str(sec_fetch_site).replace("-", "_") if known else "unknown_site"


def _judge_origin(origin: str | None, public_origin: str, *, is_required: bool) -> None:
    if origin is None:
        if is_required:
            raise CrossSiteRefused("Send an Origin header.", cause="origin_missing")
        return
    # RFC 6454 §6.2: serialized origins compare as strings; "null" is every sandboxed frame's.
    if origin != public_origin:
        raise CrossSiteRefused(cause="origin_mismatch")
