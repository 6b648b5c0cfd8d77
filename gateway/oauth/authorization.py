"""The authorization request and its response: what is asked, and what of the answer is believed."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from gateway.errors import (
    AuthorizationDenied,
    AuthorizationRefused,
    IssuerMismatch,
    ParameterRepeated,
    RequestInvalid,
    StateUnknown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_QUERY_BYTES = 16_384
_MAX_FIELDS = 50
_RESPONSE_PARAMETERS = ("state", "iss", "error", "error_description", "error_uri", "code", "session_state")
# RFC 6749 appendix A.7: the error code's alphabet.
_ERROR_CODE = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]{1,100}")
# RFC 6749 appendix A.11: VSCHAR.
_CODE = re.compile(r"[\x20-\x7e]{1,4096}")
_WORDS = r"[A-Za-z0-9._:/~+-]{1,200}(?: [A-Za-z0-9._:/~+-]{1,200}){0,9}"
_LOGIN_PARAMETERS = {
    "prompt": re.compile(
        r"none|(?:login|consent|select_account|create)(?: (?:login|consent|select_account))*"
    ),
    "login_hint": re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,254}"),
    "acr_values": re.compile(_WORDS),
    "ui_locales": re.compile(r"[A-Za-z0-9-]{2,35}(?: [A-Za-z0-9-]{2,35}){0,9}"),
    "max_age": re.compile(r"\d{1,9}", re.ASCII),
}


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """What came to the redirect URI; only `state` may be read before validation."""

    state: str | None = field(repr=False)
    unvalidated: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """A code that came with the right state and issuer; only `validate_authorization_response` makes one."""

    value: str = field(repr=False)


def new_state() -> str:
    """Return 256 random bits that bind the response to this browser's attempt (RFC 6749 §10.12: CSRF)."""
    return secrets.token_urlsafe(32)


def new_nonce() -> str:
    """Return 256 random bits that bind the id_token to this attempt (token injection)."""
    return secrets.token_urlsafe(32)


def validate_login_parameters(query: bytes) -> dict[str, str]:
    """Pick the parameters that an app may pass on to the authorization server.

    Raises ParameterRepeated or RequestInvalid, naming the parameter; what it does not know it leaves out.
    """
    picked: dict[str, str] = {}
    for name, value in _parse_query(query):
        pattern = _LOGIN_PARAMETERS.get(name)
        if pattern is None:
            continue
        if name in picked:
            raise ParameterRepeated(f"{name} is given twice.")
        if not pattern.fullmatch(value):
            raise RequestInvalid(f"{name} is not well formed.")
        picked[name] = value
    return picked


def build_authorization_url(
    endpoint: str,
    *,
    client_id: str,
    redirect_uri: str,
    scope: str,
    state: str,
    code_challenge: str,
    nonce: str | None,
    parameters: Mapping[str, str],
) -> str:
    """Build the URL of the authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3).

    `parameters` come beside the protocol's own and never replace one; the endpoint's query is kept (§3.1).
    """
    protocol = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": state,
        "code_challenge": code_challenge,
        "code_challenge_method": "S256",
    }
    reserved = {*protocol, "nonce"}
    if nonce is not None:
        protocol["nonce"] = nonce
    parts = urlsplit(endpoint)
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in reserved and name not in parameters
    ]
    added = [(name, value) for name, value in parameters.items() if name not in reserved]
    query = urlencode([*kept, *protocol.items(), *added])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def parse_authorization_response(query: bytes) -> AuthorizationResponse:
    """Read the query of the redirect URI; raises ParameterRepeated or RequestInvalid.

    RFC 6749 §3.1: parameters must not be included more than once. Of two, each party would read another one.
    """
    found: dict[str, str] = {}
    for name, value in _parse_query(query):
        if name not in _RESPONSE_PARAMETERS:
            continue
        if name in found:
            raise ParameterRepeated(f"{name} is given twice.")
        found[name] = value
    return AuthorizationResponse(found.get("state") or None, found)


def validate_authorization_response(
    response: AuthorizationResponse, *, state: str, issuer: str | None, iss_required: bool
) -> AuthorizationCode:
    """Check state, then issuer, then error, then code, and return the code.

    Raises StateUnknown, IssuerMismatch, AuthorizationDenied or AuthorizationRefused.
    """
    # RFC 9700 §4.7: nothing else in a response is read before its state is known to be ours.
    if response.state is None or not hmac.compare_digest(response.state.encode(), state.encode()):
        raise StateUnknown
    _validate_issuer(response.unvalidated.get("iss"), issuer, iss_required=iss_required)
    if "error" in response.unvalidated:
        raise _build_refusal(response.unvalidated["error"])
    code = response.unvalidated.get("code", "")
    if not _CODE.fullmatch(code):
        raise AuthorizationRefused(log_detail="neither a code nor an error")
    return AuthorizationCode(code)


def _validate_issuer(iss: str | None, issuer: str | None, *, iss_required: bool) -> None:
    # RFC 9207 §2.4: simple string comparison; a server that promises `iss` and leaves it out is another one.
    if iss is None:
        if iss_required:
            raise IssuerMismatch(log_detail="iss is promised but missing")
        return
    if issuer is None or not hmac.compare_digest(iss.encode(), issuer.encode()):
        raise IssuerMismatch(log_detail="iss names another authorization server")


def _build_refusal(error: str) -> AuthorizationDenied | AuthorizationRefused:
    if error == "access_denied":
        return AuthorizationDenied()
    code = error if _ERROR_CODE.fullmatch(error) else "malformed error code"
    return AuthorizationRefused(log_detail=code)


def _parse_query(query: bytes) -> list[tuple[str, str]]:
    if len(query) > _MAX_QUERY_BYTES:
        raise RequestInvalid("The query string is too long.")
    try:
        return parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError:
        raise RequestInvalid("The query string is not valid.") from None
