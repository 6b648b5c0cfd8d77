"""Only what was signed here is read as a session id, and a Cookie field is read without surprises."""

from __future__ import annotations

import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.browser.cookie import (
    LOGIN_COOKIE_PREFIX,
    SESSION_COOKIE,
    SessionCookie,
    build_clear_cookie,
    build_set_cookie,
    parse_cookies,
)

OLD = b"the old key, which has thirty-two bytes in it"
NEW = b"the new key, which has thirty-two bytes in it"
SESSION_ID = "u3TQfmJnAo-_b0XWqk2d5Rz8LhVtY7cKpGsE1xN9wDM"
URL_SAFE = string.ascii_letters + string.digits + "-_"


def test_a_signed_session_id_is_read_again() -> None:
    cookie = SessionCookie([NEW])
    for session_id in (SESSION_ID, *(secrets.token_urlsafe(32) for _ in range(50))):
        assert cookie.verify(cookie.sign(session_id)) == session_id


def test_the_newest_key_signs_and_all_verify() -> None:
    signed_before = SessionCookie([OLD]).sign(SESSION_ID)
    rotated = SessionCookie([NEW, OLD])
    assert rotated.sign(SESSION_ID) == SessionCookie([NEW]).sign(SESSION_ID)
    assert rotated.verify(signed_before) == SESSION_ID
    assert rotated.verify(rotated.sign(SESSION_ID)) == SESSION_ID


def test_a_removed_key_verifies_no_more() -> None:
    assert SessionCookie([NEW]).verify(SessionCookie([OLD]).sign(SESSION_ID)) is None


def test_every_changed_character_of_a_cookie_is_noticed() -> None:
    cookie = SessionCookie([NEW, OLD])
    value = cookie.sign(SESSION_ID)
    for position, original in enumerate(value):
        for changed in f"{URL_SAFE}.=%+/ \x00\xe4\u20ac".replace(original, ""):
            tampered = value[:position] + changed + value[position + 1 :]
            assert cookie.verify(tampered) is None, (position, changed)


def test_every_shorter_and_longer_cookie_is_noticed() -> None:
    cookie = SessionCookie([NEW])
    value = cookie.sign(SESSION_ID)
    for length in range(len(value)):
        assert cookie.verify(value[:length]) is None
        assert cookie.verify(value[length + 1 :]) is None
        assert cookie.verify(f"{value[:length]}%{value[length:]}") is None
        assert cookie.verify(f"{value[:length]}{value[length : length + 1]}{value[length:]}") is None
    for longer in (f"{value}=", f"{value}\n", f" {value}", f"{value}.{value}", f"{SESSION_ID}.{value}"):
        assert cookie.verify(longer) is None


def test_a_signed_text_that_is_no_session_id_is_not_read() -> None:
    cookie = SessionCookie([NEW])
    for text in (
        "",
        "admin",
        SESSION_ID[:-1],
        f"{SESSION_ID}A",
        f"{SESSION_ID[:-1]}.",
        f"{SESSION_ID[:-1]}+",
    ):
        assert cookie.verify(cookie.sign(text)) is None


@given(st.text(max_size=120))
def test_no_invented_cookie_verifies(value: str) -> None:
    assert SessionCookie([NEW, OLD]).verify(value) is None


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ("", {}),
        ("a=1", {"a": ["1"]}),
        ("a=1; b=2", {"a": ["1"], "b": ["2"]}),
        ("a=1;b=2", {"a": ["1"], "b": ["2"]}),
        ("a=1;\tb=2 ", {"a": ["1"], "b": ["2"]}),
        ("a=1; a=2; b=3; a=1", {"a": ["1", "2", "1"], "b": ["3"]}),
        ("a=", {"a": [""]}),
        ("a=b=c", {"a": ["b=c"]}),
        ("A=1; a=2", {"A": ["1"], "a": ["2"]}),
        (";;a=1;;", {"a": ["1"]}),
        ("a", {}),
        ("=1", {}),
        ("=a=1", {}),
        ("a =1", {}),
        ("a= 1", {}),
        ("a=1 2", {}),
        ('a="1"', {}),
        ("a=1,b=2", {}),
        ("a=1\\2", {}),
        ("a=\x001", {}),
        ("a=1\r\nb=2", {}),
        ("a\x00=1", {}),
        ("a=\xe4; b=2", {"b": ["2"]}),
        ("\xe4=1; b=2", {"b": ["2"]}),
        ("a[]=1; (a)=1; a@b=1; b=2", {"b": ["2"]}),
        ("$Version=1; a=1; $Path=/", {"$Version": ["1"], "a": ["1"], "$Path": ["/"]}),
        ("a={}; b=2", {"a": ["{}"], "b": ["2"]}),
    ],
)
def test_a_cookie_field_is_read_pair_by_pair(header: str, cookies: dict[str, list[str]]) -> None:
    """RFC 6265 §4.2.1: pairs with a semicolon between them."""
    assert parse_cookies(header) == cookies


@pytest.mark.parametrize("character", [chr(code) for code in range(0x100) if code != ord(";")])
def test_a_value_has_cookie_octets_alone(character: str) -> None:
    """RFC 6265 §4.1.1: no controls, blanks, quotes, commas, semicolons, backslashes."""
    is_octet = "\x21" <= character <= "\x7e" and character not in '",;\\'
    found = parse_cookies(f"a=x{character}y")
    assert found == ({"a": [f"x{character}y"]} if is_octet else {})
    if not is_octet:
        with pytest.raises(ValueError, match="name or value"):
            build_set_cookie("a", f"x{character}y", same_site="Lax", max_age=None)


def test_a_field_of_very_many_cookies_is_read_to_a_limit() -> None:
    header = "; ".join(f"c{number}=1" for number in range(5_000))
    assert len(parse_cookies(header)) == 200
    assert parse_cookies(";" * 1_000_000) == {}


def test_two_cookies_of_one_name_are_both_seen() -> None:
    found = parse_cookies(f"{SESSION_COOKIE}=planted; {SESSION_COOKIE}=own")
    assert found[SESSION_COOKIE] == ["planted", "own"]


def test_set_cookie_has_the_attributes_of_the_strictest_prefix() -> None:
    # draft-ietf-httpbis-rfc6265bis §4.1.3: Secure, HttpOnly, Path=/ and no Domain.
    assert SESSION_COOKIE == "__Host-Http-lexgate"
    assert LOGIN_COOKIE_PREFIX == "__Host-Http-lexgate-login-"
    assert build_set_cookie(SESSION_COOKIE, "v", same_site="Strict", max_age=None) == (
        "__Host-Http-lexgate=v; Path=/; Secure; HttpOnly; SameSite=Strict"
    )
    assert build_set_cookie("a", "v", same_site="Lax", max_age=600) == (
        "a=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"
    )


def test_clear_cookie_repeats_the_attributes_and_ends_at_once() -> None:
    assert build_clear_cookie("a", same_site="Strict") == (
        "a=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
    )


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a;b", "a\r\nSet-Cookie: b", "\xe4", "a,b", '"a"', "a/b"])
def test_set_cookie_refuses_a_name_that_is_no_token(name: str) -> None:
    with pytest.raises(ValueError, match="name or value"):
        build_set_cookie(name, "v", same_site="Lax", max_age=None)


@given(st.text(max_size=60))
def test_any_field_is_read_without_failing(header: str) -> None:
    for name, values in parse_cookies(header).items():
        for value in values:
            assert f"{name}={value}" in header
            assert build_set_cookie(name, value, same_site="Lax", max_age=0)
