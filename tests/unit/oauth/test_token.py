"""A token response is read when every part of it is what the standards say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import AuthorizationServerError, TokenResponseInvalid
from gateway.oauth.authorization import AuthorizationCode
from gateway.oauth.token import (
    TokenResponse,
    build_code_exchange,
    build_refresh_request,
    build_revocation_request,
    parse_token_response,
)

RIGHT: dict[str, object] = {
    "access_token": "access-canary",
    "token_type": "Bearer",
    "expires_in": 3600,
    "refresh_token": "refresh-canary",
    "scope": "openid profile",
    "id_token": "id-canary",
}


def parse(changes: dict[str, object] | None = None, *, status: int = 200) -> TokenResponse:
    """Parse the right answer with some changes; None leaves a name out."""
    document = {name: value for name, value in {**RIGHT, **(changes or {})}.items() if value is not None}
    return parse_token_response(status, json.dumps(document).encode())


def test_the_code_exchange_has_the_standards_fields() -> None:
    """RFC 6749 §4.1.3 and RFC 7636 §4.5."""
    assert build_code_exchange(AuthorizationCode("c"), redirect_uri="r", code_verifier="v") == {
        "grant_type": "authorization_code",
        "code": "c",
        "redirect_uri": "r",
        "code_verifier": "v",
    }


def test_the_refresh_request_has_the_standards_fields() -> None:
    """RFC 6749 §6: without a scope, it stays as granted."""
    assert build_refresh_request("r") == {"grant_type": "refresh_token", "refresh_token": "r"}


def test_the_revocation_request_has_the_standards_fields() -> None:
    """RFC 7009 §2.1."""
    assert build_revocation_request("r", token_type_hint="refresh_token") == {
        "token": "r",
        "token_type_hint": "refresh_token",
    }


def test_a_success_is_read() -> None:
    """RFC 6749 §5, RFC 7009 (whose answer has no body to read)."""
    assert parse({"unknown": {"nested": [1]}}) == TokenResponse(
        access_token="access-canary",
        expires_in=3600,
        refresh_token="refresh-canary",
        scope="openid profile",
        id_token="id-canary",
        refresh_expires_in=None,
    )


def test_a_success_may_say_no_more_than_the_token() -> None:
    document = b'{"access_token": "a", "token_type": "bEaReR"}'
    assert parse_token_response(200, document) == TokenResponse(
        access_token="a", expires_in=None, refresh_token=None, scope=None, id_token=None
    )


@pytest.mark.parametrize("name", ["refresh_token", "id_token"])
def test_an_empty_token_is_none(name: str) -> None:
    assert getattr(parse({name: ""}), name) is None


@pytest.mark.parametrize("scope", [7, [], {}, True])
def test_a_scope_of_another_type_is_none(scope: object) -> None:
    assert parse({"scope": scope}).scope is None


def test_tokens_are_not_shown_where_an_answer_is_printed() -> None:
    assert "canary" not in repr(parse())


@pytest.mark.parametrize(
    "token_type", [None, "", "mac", "DPoP", "Bearer ", "bearer,mac", 7, [], ["Bearer"], {}]
)
def test_a_token_of_another_type_is_not_used(token_type: object) -> None:
    """RFC 6749 §7.1: a token whose type is not understood must not be used."""
    with pytest.raises(TokenResponseInvalid):
        parse({"token_type": token_type})


@pytest.mark.parametrize("access_token", [None, ""])
def test_a_success_without_an_access_token_is_none(access_token: object) -> None:
    with pytest.raises(TokenResponseInvalid, match="access_token is missing"):
        parse({"access_token": access_token})


HOSTILE_TOKENS: list[object] = [
    *(
        "a\r\nSet-Cookie: b=c",
        "a\nb",
        "a\rb",
        "a\tb",
        "a\x00b",
        "\x7f",
        "\u00fc",
        "\u20ac",
        "\ud800",
        "\u2028",
    ),
    *("a" * 16_385, 7, 1.5, True, False, [], ["a"], {}, {"a": "b"}),
]


@pytest.mark.parametrize("name", ["access_token", "refresh_token", "id_token"])
@pytest.mark.parametrize("token", HOSTILE_TOKENS)
def test_a_token_that_could_break_out_of_a_header_is_refused(name: str, token: object) -> None:
    # RFC 6749 appendix A.12 and appendix A.17, RFC 6750 §2.1: the characters of tokens.
    with pytest.raises(TokenResponseInvalid, match=f"{name} is malformed"):
        parse({name: token})


@pytest.mark.parametrize("name", ["access_token", "id_token"])
@pytest.mark.parametrize("token", ["a b", " a", "a ", " "])
def test_a_bearer_token_has_no_blanks(name: str, token: str) -> None:
    """RFC 6750 §2.1: a blank ends the credentials."""
    with pytest.raises(TokenResponseInvalid):
        parse({name: token})


def test_a_refresh_token_may_have_every_visible_character() -> None:
    """RFC 6749 appendix A.17: VSCHAR, the blank included."""
    visible = "".join(map(chr, range(0x20, 0x7F)))
    assert parse({"refresh_token": visible}).refresh_token == visible
    assert parse({"access_token": visible[1:]}).access_token == visible[1:]
    assert parse({"access_token": "a" * 16_384}).access_token == "a" * 16_384


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *((0, 0), (1, 1), (14399, 14399), (9_999_999_999, 9_999_999_999), (3600.0, 3600), (3600.9, 3600)),
        *(("3600", 3600), ("3600.5", 3600), ("0", 0), ("007", 7), (None, None)),
    ],
)
def test_a_lifetime_is_a_number_of_seconds_or_its_text(value: object, seconds: int | None) -> None:
    assert parse({"expires_in": value}).expires_in == seconds


@pytest.mark.parametrize(
    "value",
    [
        *(-1, -0.5, 10_000_000_000, 10**4000, 1e16, 1e300, 1e-7, True, False, [], [3600], {}),
        *(
            "",
            " 3600",
            "3600 ",
            "3600s",
            "+1",
            "-1",
            "1e3",
            "0x10",
            "1_000",
            "\u0661",
            "\uff11",
            "nan",
            "inf",
        ),
        *("1" * 11, "1" * 100_000, "1." + "0" * 100_000, "1.", ".5", "1.5.5", "3600\n", "\x00"),
    ],
)
@pytest.mark.parametrize("name", ["expires_in", "refresh_expires_in", "refresh_token_expires_in"])
def test_a_lifetime_that_is_no_number_of_seconds_is_refused(name: str, value: object) -> None:
    with pytest.raises(TokenResponseInvalid, match=f"{name} is not a number of seconds"):
        parse({name: value})


def test_a_lifetime_of_deep_nesting_is_refused() -> None:
    for depth in (10, 300, 900, 960, 980, 990, 100_000):
        body = b'{"access_token":"a","token_type":"Bearer","expires_in":' + b"[" * depth + b"]" * depth + b"}"
        with pytest.raises(TokenResponseInvalid):
            parse_token_response(200, body)


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, None),
        ({"refresh_expires_in": 1800}, 1800),
        ({"refresh_token_expires_in": "86400"}, 86400),
        ({"refresh_expires_in": 1800, "refresh_token_expires_in": 86400}, 1800),
        ({"refresh_expires_in": 0}, None),
        ({"refresh_token_expires_in": 0}, None),
        ({"refresh_expires_in": 0, "refresh_token_expires_in": 86400}, 86400),
    ],
)
def test_a_refresh_tokens_lifetime_is_read_where_a_server_says_it(
    changes: dict[str, object], seconds: int | None
) -> None:
    assert parse(changes).refresh_expires_in == seconds


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from([200, 400, 401, 429, 500]),
    st.dictionaries(st.sampled_from([*RIGHT, "error", "refresh_expires_in"]), JSON),
)
def test_any_answer_is_read_or_refused(status: int, changes: dict[str, object]) -> None:
    body = json.dumps({**RIGHT, **changes}).encode()
    try:
        tokens = parse_token_response(status, body)
    except AuthorizationServerError:
        return
    assert tokens.access_token.isprintable()
    assert tokens.expires_in is None or 0 <= tokens.expires_in < 10**10
