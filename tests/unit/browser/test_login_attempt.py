"""A sign-in attempt survives its journey in a cookie, and no longer than ten minutes."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest

from gateway.browser.login_attempt import (
    LOGIN_ATTEMPT_LIFETIME,
    MAX_LOGIN_ATTEMPTS,
    LoginAttempt,
    build_login_cookie_name,
    select_surplus_attempts,
    validate_login_attempt,
)
from gateway.errors import LoginAttemptExpired
from gateway.oauth.authorization import new_nonce, new_state
from gateway.oauth.pkce import new_code_verifier

NOW = 1_790_000_000.0
ATTEMPT = LoginAttempt(
    state="state-canary",
    code_verifier="verifier-canary",
    nonce="nonce-canary",
    return_to="/vouchers?status=open#top",
    created_at=NOW,
    previous_session=bytes(range(32)),
    max_age=3600,
)
MINIMAL = replace(ATTEMPT, nonce=None, previous_session=None, max_age=None, return_to="/")


@pytest.mark.parametrize("attempt", [ATTEMPT, MINIMAL])
def test_an_attempt_is_read_again(attempt: LoginAttempt) -> None:
    assert LoginAttempt.from_bytes(attempt.to_bytes()) == attempt


def test_an_attempt_is_written_with_its_version() -> None:
    assert json.loads(ATTEMPT.to_bytes())["version"] == 1


@pytest.mark.parametrize("version", [0, 2, "1", None, [1]])
def test_an_attempt_of_another_version_is_refused(version: object) -> None:
    document = {**json.loads(ATTEMPT.to_bytes()), "version": version}
    with pytest.raises(ValueError, match="another version"):
        LoginAttempt.from_bytes(json.dumps(document).encode())


@pytest.mark.parametrize("name", ["version", "state", "code_verifier", "previous_session", "created_at"])
def test_an_attempt_that_lacks_a_field_is_refused(name: str) -> None:
    document = json.loads(ATTEMPT.to_bytes())
    del document[name]
    with pytest.raises(ValueError, match="not an attempt"):
        LoginAttempt.from_bytes(json.dumps(document).encode())


def test_an_attempt_with_a_field_of_tomorrow_is_refused() -> None:
    document = {**json.loads(ATTEMPT.to_bytes()), "tomorrow": 1}
    with pytest.raises(ValueError, match="not an attempt"):
        LoginAttempt.from_bytes(json.dumps(document).encode())


@pytest.mark.parametrize("document", [b"", b"{", b"null", b"7", b"[]", b'"text"', b"\xff", b'{"version":1}'])
def test_what_is_no_attempt_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match="not an attempt"):
        LoginAttempt.from_bytes(document)


@pytest.mark.parametrize("previous", ["no hex", 7, [], {}])
def test_an_attempt_with_a_malformed_session_key_is_refused(previous: object) -> None:
    document = {**json.loads(ATTEMPT.to_bytes()), "previous_session": previous}
    with pytest.raises(ValueError, match="not an attempt"):
        LoginAttempt.from_bytes(json.dumps(document).encode())


def test_an_attempt_shows_no_secret_where_it_is_printed() -> None:
    assert "canary" not in repr(ATTEMPT)
    assert ATTEMPT.previous_session is not None
    assert repr(ATTEMPT.previous_session) not in repr(ATTEMPT)


def test_five_attempts_of_the_longest_fit_into_a_request() -> None:
    attempt = replace(
        ATTEMPT,
        state=new_state(),
        code_verifier=new_code_verifier(),
        nonce=new_nonce(),
        return_to="/" + "a" * 1023,
        max_age=999_999_999,
    )
    sealed = bytes(33) + attempt.to_bytes()
    cookie = f"{build_login_cookie_name(attempt.state)}={urlsafe_b64encode(sealed).decode()}"
    assert len(cookie) < 4096 - 200
    assert 5 * len(cookie) < 16_384


@pytest.mark.parametrize("age", [-60, 0, 0.5, 599, 600])
def test_an_attempt_lives_ten_minutes(age: float) -> None:
    validate_login_attempt(ATTEMPT, now=NOW + age)


@pytest.mark.parametrize("age", [600.001, 601, 86_400, 1e12, -60.001, -3600, float("nan"), float("inf")])
def test_an_attempt_expires_and_does_not_come_from_the_future(age: float) -> None:
    with pytest.raises(LoginAttemptExpired):
        validate_login_attempt(ATTEMPT, now=NOW + age)


def test_limits_are_the_documented_ones() -> None:
    assert (LOGIN_ATTEMPT_LIFETIME, MAX_LOGIN_ATTEMPTS) == (600, 5)


def test_each_state_has_a_cookie_of_its_own() -> None:
    names = {build_login_cookie_name(new_state()) for _ in range(100)}
    assert len(names) == 100
    # SHA-256("state-canary"), its first 16 hex digits
    assert build_login_cookie_name("state-canary") == "__Host-Http-lexgate-login-1844b4e8c8c311fa"


def test_a_cookie_name_can_be_had_of_any_state() -> None:
    for state in ("", "\u20ac", "; Path=/evil", "a" * 16_384):
        suffix = build_login_cookie_name(state).rpartition("-")[2]
        assert len(suffix) == 16
        assert set(suffix) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    ("created_at", "keep", "surplus"),
    [
        ({}, 4, []),
        ({"a": 1.0, "b": 2.0}, 4, []),
        ({"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}, 4, []),
        ({"e": 5.0, "a": 1.0, "d": 4.0, "b": 2.0, "c": 3.0}, 4, ["a"]),
        ({"e": 5.0, "a": 1.0, "d": 4.0, "b": 2.0, "c": 3.0}, 2, ["a", "b", "c"]),
        ({"a": 1.0, "b": 2.0}, 0, ["a", "b"]),
        ({"a": None}, 4, ["a"]),
        ({"a": None, "b": 1.0, "c": None}, 4, ["a", "c"]),
        ({"x": None, "b": 2.0, "a": 1.0}, 1, ["x", "a"]),
        ({"b": 1.0, "a": 1.0}, 1, ["a"]),
    ],
)
def test_broken_attempts_and_the_oldest_are_cleared(
    created_at: dict[str, float | None], keep: int, surplus: list[str]
) -> None:
    assert select_surplus_attempts(created_at, keep=keep) == surplus
