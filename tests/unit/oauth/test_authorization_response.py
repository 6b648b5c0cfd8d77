"""Of an authorization response state is read first, then iss, then error, then code, and each just once."""

from __future__ import annotations

import ast
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import (
    AuthorizationDenied,
    AuthorizationRefused,
    GatewayError,
    IssuerMismatch,
    ParameterRepeated,
    RequestInvalid,
    StateUnknown,
)
from gateway.oauth import authorization
from gateway.oauth.authorization import (
    AuthorizationCode,
    parse_authorization_response,
    validate_authorization_response,
)

STATE = "state-of-this-browser"
ISSUER = "https://as.example"
RIGHT = {"state": STATE, "iss": ISSUER, "code": "code-canary"}


def validate(
    query: bytes | dict[str, str], *, issuer: str | None = ISSUER, iss_required: bool = False
) -> AuthorizationCode:
    """Parse and validate a response."""
    raw = urlencode(query).encode() if isinstance(query, dict) else query
    response = parse_authorization_response(raw)
    return validate_authorization_response(response, state=STATE, issuer=issuer, iss_required=iss_required)


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in RIGHT.items() if name not in names}


@pytest.mark.parametrize("iss_required", [True, False])
def test_a_right_response_gives_its_code(*, iss_required: bool) -> None:
    assert validate(RIGHT, iss_required=iss_required).value == "code-canary"


def test_parameters_that_are_not_understood_are_ignored() -> None:
    extra = urlencode(RIGHT).encode() + b"&scope=a&scope=b&session_state=c&response=d&access_token=e"
    assert validate(extra).value == "code-canary"


@pytest.mark.parametrize(
    "state",
    [None, "", "other", STATE.upper(), STATE[:-1], f"{STATE}x", f" {STATE}", f"{STATE}\x00", "\u20ac" * 9_00],
)
@pytest.mark.parametrize(
    "rest",
    [
        {"code": "code-canary"},
        {"error": "access_denied"},
        {"error": "server_error", "iss": "https://evil.example"},
        {"iss": "https://evil.example", "code": "code-canary"},
        {},
    ],
)
def test_a_foreign_state_is_refused_before_anything_else_is_read(
    state: str | None, rest: dict[str, str]
) -> None:
    """RFC 9700 §4.7: login CSRF, in which an attacker's response is sent to a victim's browser."""
    with pytest.raises(StateUnknown):
        validate(rest if state is None else {**rest, "state": state}, iss_required=True)


@pytest.mark.parametrize(
    "iss",
    [
        *("", "https://evil.example", f"{ISSUER}/", "HTTPS://as.example", "https://as.example:443", "null"),
        *("https://as.example/tenant", f"{ISSUER}\x00", "https://a%73.example", "\u20ac"),
    ],
)
@pytest.mark.parametrize("rest", [{"code": "code-canary"}, {"error": "access_denied"}, {}])
@pytest.mark.parametrize("iss_required", [True, False])
def test_another_issuer_is_refused_before_error_and_code_are_read(
    iss: str, rest: dict[str, str], *, iss_required: bool
) -> None:
    """RFC 9207 §2.4: simple string comparison, against mix-up."""
    with pytest.raises(IssuerMismatch):
        validate({"state": STATE, "iss": iss, **rest}, iss_required=iss_required)


@pytest.mark.parametrize("rest", [{"code": "code-canary"}, {"error": "access_denied"}, {}])
def test_a_promised_issuer_must_not_be_missing(rest: dict[str, str]) -> None:
    """RFC 9207 §2.4: who promises iss and leaves it out is somebody else."""
    with pytest.raises(IssuerMismatch):
        validate({"state": STATE, **rest}, iss_required=True)


def test_an_issuer_that_was_not_promised_may_be_missing() -> None:
    assert validate(without("iss")).value == "code-canary"
    assert validate(without("iss"), issuer=None).value == "code-canary"


def test_an_issuer_is_refused_where_the_authorization_server_has_none() -> None:
    with pytest.raises(IssuerMismatch):
        validate(RIGHT, issuer=None)


@pytest.mark.parametrize("also", [{}, {"code": "code-canary"}, {"error_description": "no"}])
def test_a_denial_is_a_denial_even_beside_a_code(also: dict[str, str]) -> None:
    with pytest.raises(AuthorizationDenied) as refusal:
        validate({"state": STATE, "error": "access_denied", **also})
    assert refusal.value.status == 403


@pytest.mark.parametrize("error", ["server_error", "temporarily_unavailable", "login_required", "a b!~"])
def test_another_error_is_logged_by_its_code(error: str) -> None:
    with pytest.raises(AuthorizationRefused) as refusal:
        validate({**RIGHT, "error": error, "error_description": "secret of the description"})
    assert refusal.value.log_detail == error
    assert "secret" not in str(refusal.value)
    assert refusal.value.status == 502


@pytest.mark.parametrize("error", ["", 'a"b', "a\\b", "a\r\nb", "\u20ac", "e" * 101, "\x7f"])
def test_a_malformed_error_is_not_repeated_in_the_log(error: str) -> None:
    """RFC 6749 appendix A.7: the characters of an error code; a line end would forge a line in the log."""
    with pytest.raises(AuthorizationRefused) as refusal:
        validate({**RIGHT, "error": error})
    assert refusal.value.log_detail == "malformed error code"


@pytest.mark.parametrize("code", [None, "", "a\r\nb", "a\x00", "\u20ac", "\x7f", "c" * 4097])
def test_a_response_without_a_well_formed_code_is_refused(code: str | None) -> None:
    """RFC 6749 appendix A.11: the characters of a code."""
    with pytest.raises(AuthorizationRefused):
        validate(without("code") if code is None else {**RIGHT, "code": code})


@pytest.mark.parametrize("code", ["c", "a b", "!~", "c" * 4096])
def test_a_code_may_have_every_visible_character(code: str) -> None:
    assert validate({**RIGHT, "code": code}).value == code


@pytest.mark.parametrize(
    "name", ["state", "iss", "error", "error_description", "error_uri", "code", "session_state"]
)
@pytest.mark.parametrize("spelling", ["{}", "%{:02x}{}"])
def test_a_repeated_parameter_is_refused(name: str, spelling: str) -> None:
    """RFC 6749 §3.1: of two values each party would read another one; so would an encoded name hide one."""
    again = name if spelling == "{}" else f"%{ord(name[0]):02x}{name[1:]}"
    for value in ("same", "other", ""):
        with pytest.raises(ParameterRepeated) as refusal:
            parse_authorization_response(f"{name}=same&a=b&{again}={value}".encode())
        assert refusal.value.status == 400


@pytest.mark.parametrize(
    "query",
    [
        *(b"state=\xff", b"state=%FF", b"%ff=a", b"code=%C3", b"code=%C0%80", b"code=%ED%A0%80", b"\xe4"),
        *(b"state=" + b"a" * 16_384, b"&".join([b"a=b"] * 51), b"&" * 60, b"=&" * 8_000),
    ],
)
def test_a_query_that_is_too_long_or_no_text_is_refused(query: bytes) -> None:
    with pytest.raises(RequestInvalid):
        parse_authorization_response(query)


@pytest.mark.parametrize(
    "query", [b"", b"&", b"=", b"?", b"state", b"state=%zz", b"STATE=a", b"state;code=1"]
)
def test_a_query_without_this_state_leads_to_no_attempt(query: bytes) -> None:
    with pytest.raises(StateUnknown):
        validate(query)


def test_neither_code_nor_state_is_shown_where_a_response_is_printed() -> None:
    response = parse_authorization_response(urlencode(RIGHT).encode())
    assert "canary" not in repr(response)
    assert STATE not in repr(response)
    assert "canary" not in repr(validate(RIGHT))


@given(st.binary(max_size=80))
def test_any_query_is_refused(query: bytes) -> None:
    with pytest.raises(GatewayError):
        validate(query)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_any_values_are_read_or_refused(iss: str, error: str, code: str) -> None:
    encoded = {
        "state": STATE.encode(),
        "iss": iss.encode(errors="surrogatepass"),
        "error": error.encode(errors="surrogatepass"),
        "code": code.encode(errors="surrogatepass"),
    }
    with pytest.raises(GatewayError):
        validate(urlencode(encoded).encode())


def test_only_the_validation_of_a_response_makes_a_code() -> None:
    """The token request takes nothing else, so state and issuer have been compared before any exchange."""
    makers = [
        f"{path.name}:{function.name}"
        for path in sorted(Path(authorization.__file__).parents[1].rglob("*.py"))
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] == "AuthorizationCode"
    ]
    assert makers == ["authorization.py:validate_authorization_response"]
