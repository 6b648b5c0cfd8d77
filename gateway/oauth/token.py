"""Messages to and from the token and revocation endpoints (RFC 6749 §4.1.3, §5, §6; RFC 7009)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.errors import (
    AuthorizationServerBusy,
    AuthorizationServerUnreachable,
    ClientRefused,
    GrantRefused,
    TokenRequestRefused,
    TokenResponseInvalid,
)
from gateway.oauth.strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.oauth.authorization import AuthorizationCode

_OK = 200
_TOO_MANY_REQUESTS = 429
_CLIENT_ERROR = range(400, 500)
_SERVER_ERROR = range(500, 600)
_LONGEST_WAIT = 3600
_MAX_TOKEN = 16_384
# RFC 6749 appendix A.12 without the blank, which RFC 6750 §2.1 has not: CR, LF and blanks end a credential in
# its header (injection).
_BEARER = re.compile(r"[\x21-\x7e]+")
# RFC 6749 appendix A.17: VSCHAR.
_VISIBLE = re.compile(r"[\x20-\x7e]+")
# RFC 6749 appendix A.7: the error code's alphabet.
_ERROR_CODE = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]{1,100}")
_SECONDS = re.compile(r"\d{1,10}(?:\.\d{1,20})?", re.ASCII)
_REFUSALS: dict[str, type[TokenRequestRefused]] = {
    "invalid_grant": GrantRefused,
    "invalid_client": ClientRefused,
    "unauthorized_client": ClientRefused,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenResponse:
    """A successful token response; lifetimes in seconds, None where it says nothing."""

    access_token: str = field(repr=False)
    expires_in: int | None
    refresh_token: str | None = field(repr=False)
    scope: str | None
    id_token: str | None = field(repr=False)
    refresh_expires_in: int | None = None
    """Of the refresh token; None where it is not said, or said to be without end (0)."""


def build_code_exchange(code: AuthorizationCode, *, redirect_uri: str, code_verifier: str) -> dict[str, str]:
    """Build the form that exchanges a code (RFC 6749 §4.1.3, RFC 7636 §4.5)."""
    return {
        "grant_type": "authorization_code",
        "code": code.value,
        "redirect_uri": redirect_uri,
        "code_verifier": code_verifier,
    }


def build_refresh_request(refresh_token: str) -> dict[str, str]:
    """Build the form that spends a refresh token (RFC 6749 §6); the scope stays as granted."""
    return {"grant_type": "refresh_token", "refresh_token": refresh_token}


def build_revocation_request(token: str, *, token_type_hint: str) -> dict[str, str]:
    """Build the form that revokes a token (RFC 7009 §2.1)."""
    return {"token": token, "token_type_hint": token_type_hint}


def parse_token_response(status: int, body: bytes, retry_after: int | None = None) -> TokenResponse:
    """Read the answer of the token endpoint; `retry_after` is in seconds.

    Raises GrantRefused, ClientRefused, TokenRequestRefused, AuthorizationServerBusy,
    AuthorizationServerUnreachable, or TokenResponseInvalid for what is none of RFC 6749 §5.
    """
    if status == _TOO_MANY_REQUESTS:
        raise AuthorizationServerBusy(log_detail="429", retry_after=retry_after or 5)
    if status in _SERVER_ERROR:
        raise AuthorizationServerUnreachable(
            log_detail=f"the token endpoint answered {status}", retry_after=retry_after or 5
        )
    try:
        document = parse_object(body)
    except ValueError:
        raise TokenResponseInvalid(log_detail=f"status {status}, not a JSON object") from None
    if status in _CLIENT_ERROR and isinstance(document.get("error"), str):
        raise _build_refusal(str(document["error"]))
    if status != _OK:
        raise TokenResponseInvalid(log_detail=f"status {status}")
    return _parse_success(document)


def parse_retry_after(value: str | None) -> int | None:
    """Return the delay of a Retry-After field in seconds, an hour at most (RFC 9110 §10.2.3); dates: None."""
    if value is None or not re.fullmatch(r"\s*\d{1,9}\s*", value, re.ASCII):
        return None
    return min(int(value), _LONGEST_WAIT)


def _build_refusal(error: str) -> TokenRequestRefused:
    # RFC 6749 §5.2. The description is left alone: it is for nobody here, and may quote what was sent.
    code = error if _ERROR_CODE.fullmatch(error) else "malformed error code"
    return _REFUSALS.get(code, TokenRequestRefused)(code)


def _parse_success(document: Mapping[str, object]) -> TokenResponse:
    token_type = document.get("token_type")
    # RFC 6749 §7.1: a token of a type that is not understood must not be used.
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise TokenResponseInvalid(log_detail="token_type is not Bearer")
    access_token = _parse_token(document, "access_token", _BEARER)
    if access_token is None:
        raise TokenResponseInvalid(log_detail="access_token is missing")
    scope = document.get("scope")
    return TokenResponse(
        access_token=access_token,
        expires_in=_parse_seconds(document, "expires_in"),
        refresh_token=_parse_token(document, "refresh_token", _VISIBLE),
        scope=scope if isinstance(scope, str) else None,
        id_token=_parse_token(document, "id_token", _BEARER),
        refresh_expires_in=_parse_seconds(document, "refresh_expires_in")
        or _parse_seconds(document, "refresh_token_expires_in")
        or None,
    )


def _parse_token(document: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> str | None:
    value = document.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _MAX_TOKEN or not pattern.fullmatch(value):
        raise TokenResponseInvalid(log_detail=f"{name} is malformed")
    return value


def _parse_seconds(document: Mapping[str, object], name: str) -> int | None:
    value = document.get(name)
    if value is None:
        return None
    # Some servers write the number as text, or with a fraction.
    is_number = isinstance(value, int | float | str) and not isinstance(value, bool)
    if not is_number or not _SECONDS.fullmatch(str(value)):
        raise TokenResponseInvalid(log_detail=f"{name} is not a number of seconds")
    return int(float(str(value)))
