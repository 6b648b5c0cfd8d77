"""Cookies: their names and attributes, and the signature on the session cookie."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Literal

from itsdangerous import BadSignature, Signer

if TYPE_CHECKING:
    from collections.abc import Sequence

# draft-ietf-httpbis-rfc6265bis §4.1.3: a browser that knows the prefix takes such a cookie from a secure
# origin's answer alone, for this host alone; no script and no sibling host can plant one.
_PREFIX = "__Host-Http-"
SESSION_COOKIE = f"{_PREFIX}lexgate"
LOGIN_COOKIE_PREFIX = f"{_PREFIX}lexgate-login-"

_SALT = b"lexgate session cookie"
# 256 bits each. The last character of the signature has two unused bits: only the spelling that leaves them
# zero counts, or one cookie would have four values that verify (and a cache by value four entries).
_SIGNED = re.compile(r"[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
# RFC 6265 §4.1.1: cookie-octet, and the token that a name is.
_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_MAX_COOKIES = 200


class SessionCookie:
    """Signs session ids, so that a forged one costs no look-up; `signing_keys` newest first: all verify."""

    def __init__(self, signing_keys: Sequence[bytes]) -> None:
        self._signer = Signer(
            list(reversed(signing_keys)),  # itsdangerous signs with the last one
            salt=_SALT,
            key_derivation="hmac",
            digest_method=hashlib.sha256,
        )

    def sign(self, session_id: str) -> str:
        """Return the cookie's value for a session id."""
        return self._signer.sign(session_id).decode("ascii")

    def verify(self, value: str) -> str | None:
        """Return the session id of a value that was signed here, else None."""
        if not _SIGNED.fullmatch(value):
            return None
        try:
            return self._signer.unsign(value).decode("ascii")
        except BadSignature:
            return None


def parse_cookies(header: str) -> dict[str, list[str]]:
    """Read a Cookie field (RFC 6265 §4.2.1): all values by name, in order; what is malformed is left out.

    A name that stands twice has two values: which one a server believes is what cookie tossing plays with.
    """
    cookies: dict[str, list[str]] = {}
    for pair in header.split(";", _MAX_COOKIES)[:_MAX_COOKIES]:
        name, separator, value = pair.strip(" \t").partition("=")
        if separator and _NAME.fullmatch(name) and _VALUE.fullmatch(value):
            cookies.setdefault(name, []).append(value)
    return cookies


def build_set_cookie(
    name: str, value: str, *, same_site: Literal["Strict", "Lax"], max_age: int | None
) -> str:
    """Build a Set-Cookie value; `max_age` in seconds, None until the browser closes.

    ValueError for a name or value that RFC 6265 §4.1.1 does not allow (header injection).
    """
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise ValueError("not a cookie's name or value")
    lifetime = [] if max_age is None else [f"Max-Age={max_age}"]
    return "; ".join([f"{name}={value}", "Path=/", "Secure", "HttpOnly", f"SameSite={same_site}", *lifetime])


def build_clear_cookie(name: str, *, same_site: Literal["Strict", "Lax"]) -> str:
    """Build the Set-Cookie value that removes a cookie."""
    return build_set_cookie(name, "", same_site=same_site, max_age=0)
