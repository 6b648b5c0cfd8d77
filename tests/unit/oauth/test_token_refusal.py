"""Of the token endpoint's answers only a success is a success, and only invalid_grant ends a grant."""

from __future__ import annotations

import json

import pytest

from gateway.errors import (
    AuthorizationServerBusy,
    AuthorizationServerUnreachable,
    ClientRefused,
    GrantRefused,
    TokenRequestRefused,
    TokenResponseInvalid,
)
from gateway.oauth.token import parse_retry_after, parse_token_response

RIGHT = b'{"access_token": "access-canary", "token_type": "Bearer", "refresh_token": "refresh-canary"}'


@pytest.mark.parametrize("status", [400, 401, 403])
def test_invalid_grant_ends_the_grant(status: int) -> None:
    """RFC 6749 §5.2."""
    with pytest.raises(GrantRefused) as refusal:
        parse_token_response(status, b'{"error": "invalid_grant", "error_description": "secret"}')
    assert refusal.value.error == "invalid_grant"
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 499])
@pytest.mark.parametrize(
    "error", ["invalid_client", "unauthorized_client", "invalid_grant ", "Invalid_grant", ""]
)
def test_another_error_ends_no_grant(status: int, error: str) -> None:
    """RFC 6749 §5.2."""
    with pytest.raises(TokenRequestRefused) as refusal:
        parse_token_response(status, json.dumps({"error": error}).encode())
    assert not isinstance(refusal.value, GrantRefused)
    assert isinstance(refusal.value, ClientRefused) is (error in {"invalid_client", "unauthorized_client"})
    assert refusal.value.error == (error or "malformed error code")


@pytest.mark.parametrize("error", ["a\r\nb", 'a"b', "a\\b", "\u20ac", "\ud800", "e" * 101])
def test_a_malformed_error_is_not_repeated_in_the_log(error: str) -> None:
    """RFC 6749 appendix A.7."""
    with pytest.raises(TokenRequestRefused) as refusal:
        parse_token_response(400, json.dumps({"error": error}).encode())
    assert refusal.value.error == str(refusal.value) == "malformed error code"


@pytest.mark.parametrize("status", [100, 201, 204, 301, 302, 400, 401, 404, 499, 600, 999])
def test_another_status_is_no_success_whatever_its_body(status: int) -> None:
    """RFC 6749 §5.1: success is 200."""
    with pytest.raises(TokenResponseInvalid, match=f"status {status}"):
        parse_token_response(status, RIGHT)


@pytest.mark.parametrize("error", [7, [], {}, None, True, ["invalid_grant"]])
def test_an_error_of_another_type_is_no_error_response(error: object) -> None:
    with pytest.raises(TokenResponseInvalid):
        parse_token_response(400, json.dumps({"error": error}).encode())


def test_an_error_with_status_200_is_no_success_and_ends_no_grant() -> None:
    with pytest.raises(TokenResponseInvalid):
        parse_token_response(200, b'{"error": "invalid_grant"}')


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error": "invalid_grant"}', RIGHT])
def test_a_server_error_is_worth_another_try_and_ends_no_grant(status: int, body: bytes) -> None:
    with pytest.raises(AuthorizationServerUnreachable, match=str(status)) as refusal:
        parse_token_response(status, body)
    assert refusal.value.retry_after == 5
    with pytest.raises(AuthorizationServerUnreachable) as refusal:
        parse_token_response(status, body, 30)
    assert refusal.value.retry_after == 30


@pytest.mark.parametrize(("asked", "waited"), [(None, 5), (0, 5), (1, 1), (600, 600)])
@pytest.mark.parametrize("body", [b"", b'{"error": "invalid_grant"}', RIGHT])
def test_a_busy_server_is_waited_for(body: bytes, asked: int | None, waited: int) -> None:
    with pytest.raises(AuthorizationServerBusy) as refusal:
        parse_token_response(429, body, asked)
    assert refusal.value.retry_after == waited


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"<html>",
            b"null",
            b"[]",
            b'"access_token"',
            b"access_token=a&token_type=bearer",
            b"\xff",
            b"{",
        ),
        *(b'{"access_token": NaN}', b"[" * 100_000, b'{"expires_in": ' + b"9" * 10_000 + b"}"),
        b'{"access_token": "a", "access_token": "b", "token_type": "Bearer"}',
        b'{"token_type": "Bearer", "access_token": "a", "token_type": "mac"}',
        b'{"error": "invalid_request", "error": "invalid_grant"}',
        b" " * 1_048_577,
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_that_is_no_json_object_is_refused(status: int, body: bytes) -> None:
    """RFC 6749 §5: of a name that stands twice two readers would take two values."""
    with pytest.raises(TokenResponseInvalid, match="not a JSON object"):
        parse_token_response(status, body)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *((None, None), ("", None), ("0", 0), ("5", 5), (" 5 ", 5), ("3600", 3600), ("3601", 3600)),
        *(("999999999", 3600), ("9999999999", None), ("1.5", None), ("-1", None), ("+1", None), ("5s", None)),
        *(("\u0661", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("5, 6", None), ("9" * 5_000, None)),
    ],
)
def test_a_delay_is_read_and_bounded(value: str | None, seconds: int | None) -> None:
    """RFC 9110 §10.2.3: seconds, or a date that is left alone."""
    assert parse_retry_after(value) == seconds
