"""What is asked of the authorization server is ours, whatever an app or an endpoint's URL adds."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BrowserError, ParameterRepeated, RequestInvalid
from gateway.oauth.authorization import (
    build_authorization_url,
    new_nonce,
    new_state,
    validate_login_parameters,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

ENDPOINT = "https://as.example/authorize"
OWN = {
    "response_type": "code",
    "client_id": "client & co",
    "redirect_uri": "https://app.example/auth/callback?x=1",
    "scope": "openid profile",
    "state": "state/+",
    "code_challenge": "challenge",
    "code_challenge_method": "S256",
}


def build(
    endpoint: str = ENDPOINT, *, nonce: str | None = None, parameters: Mapping[str, str] | None = None
) -> str:
    return build_authorization_url(
        endpoint,
        client_id=OWN["client_id"],
        redirect_uri=OWN["redirect_uri"],
        scope=OWN["scope"],
        state=OWN["state"],
        code_challenge=OWN["code_challenge"],
        nonce=nonce,
        parameters=parameters or {},
    )


def read(url: str) -> dict[str, str]:
    """Return a URL's parameters, none of which may be repeated."""
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)


def test_the_request_has_the_parameters_of_the_code_flow_with_pkce() -> None:
    """RFC 6749 §4.1.1 and RFC 7636 §4.3."""
    url = build()
    assert url.startswith(f"{ENDPOINT}?")
    assert read(url) == OWN


def test_the_request_carries_a_nonce_where_there_is_one() -> None:
    assert read(build(nonce="once")) == {**OWN, "nonce": "once"}


def test_parameters_are_added_and_never_replace_the_protocols_own() -> None:
    hostile = dict.fromkeys([*OWN, "nonce"], "evil")
    hostile["prompt"] = "login"
    assert read(build(parameters=hostile)) == {**OWN, "prompt": "login"}
    assert read(build(nonce="once", parameters=hostile)) == {
        **OWN,
        "nonce": "once",
        "prompt": "login",
    }


def test_the_endpoints_query_is_kept_and_never_replaces_the_protocols_own() -> None:
    """RFC 6749 §3.1: the endpoint may have a query, which must be retained."""
    endpoint = f"{ENDPOINT}?tenant=a%26b&empty=&client_id=evil&state=evil&nonce=evil&prompt=none"
    assert read(build(endpoint)) == {**OWN, "tenant": "a&b", "empty": "", "prompt": "none"}
    assert read(build(endpoint, parameters={"prompt": "login"})) == {
        **OWN,
        "tenant": "a&b",
        "empty": "",
        "prompt": "login",
    }


def test_a_value_cannot_add_a_parameter_a_fragment_or_a_line() -> None:
    url = build(parameters={"login_hint": "a&state=evil#b\r\nc d"})
    assert read(url) == {**OWN, "login_hint": "a&state=evil#b\r\nc d"}
    assert url.isascii()
    assert url.isprintable()
    assert "#" not in url
    assert " " not in url


@pytest.mark.parametrize("new", [new_state, new_nonce])
def test_state_and_nonce_have_256_random_bits(new: object) -> None:
    """RFC 6749 §10.12: a value that cannot be guessed binds the answer to the browser."""
    assert callable(new)
    values = {str(new()) for _ in range(200)}
    assert len(values) == 200
    assert {len(value) for value in values} == {43}


@pytest.mark.parametrize(
    ("query", "picked"),
    [
        (b"", {}),
        (b"return_to=/a", {}),
        (b"unknown=1&unknown=2", {}),
        (b"state=evil&client_id=evil&redirect_uri=evil&nonce=evil&scope=evil&request_uri=evil", {}),
        (b"prompt=none", {"prompt": "none"}),
        (b"prompt=login", {"prompt": "login"}),
        (b"prompt=login+consent", {"prompt": "login consent"}),
        (b"prompt=login%20select_account", {"prompt": "login select_account"}),
        (b"prompt=create", {"prompt": "create"}),
        (b"login_hint=anna%40example.com", {"login_hint": "anna@example.com"}),
        (b"login_hint=J%C3%BCrgen+M", {"login_hint": "J\u00fcrgen M"}),
        (b"login_hint=" + b"a" * 254, {"login_hint": "a" * 254}),
        (b"acr_values=urn:mace:incommon:iap:silver+2", {"acr_values": "urn:mace:incommon:iap:silver 2"}),
        (b"ui_locales=de-DE+en", {"ui_locales": "de-DE en"}),
        (b"max_age=0", {"max_age": "0"}),
        (b"max_age=999999999", {"max_age": "999999999"}),
        (b"max%5Fage=1", {"max_age": "1"}),
        (b"prompt=login&max_age=1&return_to=/a", {"prompt": "login", "max_age": "1"}),
    ],
)
def test_well_formed_parameters_of_an_app_pass(query: bytes, picked: dict[str, str]) -> None:
    assert validate_login_parameters(query) == picked


@pytest.mark.parametrize(
    "query",
    [
        *(b"prompt=", b"prompt=evil", b"prompt=none+login", b"prompt=login+none", b"prompt=Login"),
        *(b"prompt=login++consent", b"prompt=+login", b"prompt=login%0Aconsent", b"prompt=login%00"),
        *(b"login_hint=", b"login_hint=" + b"a" * 255, b"login_hint=a%0D%0Ab", b"login_hint=%00"),
        *(b"login_hint=%7F", b"login_hint=%C2%85", b"login_hint=%E2%80%A8"),
        *(b"acr_values=", b"acr_values=a++b", b"acr_values=%3Cscript%3E", b"acr_values=" + b"a+" * 10 + b"a"),
        *(b"acr_values=" + b"a" * 201, b"acr_values=a%22b", b"acr_values=%C3%BC"),
        *(b"ui_locales=d", b"ui_locales=de_DE", b"ui_locales=de,en", b"ui_locales=" + b"a" * 36),
        *(b"max_age=", b"max_age=-1", b"max_age=1.5", b"max_age=1e9", b"max_age=+1", b"max_age=1+"),
        *(b"max_age=1000000000", b"max_age=%D9%A1", b"max_age=0x10", b"max_age=1_0", b"max_age=1%0A"),
    ],
)
def test_a_malformed_parameter_of_an_app_is_refused_by_its_name(query: bytes) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        validate_login_parameters(query)
    assert refusal.value.detail.startswith(query.partition(b"=")[0].decode())
    assert refusal.value.status == 400


@pytest.mark.parametrize("name", ["prompt", "login_hint", "acr_values", "ui_locales", "max_age"])
def test_a_repeated_parameter_of_an_app_is_refused_by_its_name(name: str) -> None:
    value = {"prompt": "login", "max_age": "1"}.get(name, "de")
    with pytest.raises(ParameterRepeated) as refusal:
        validate_login_parameters(f"{name}={value}&a=b&{name}={value}".encode())
    assert name in refusal.value.detail


@pytest.mark.parametrize(
    "query",
    [
        *(b"a=\xff", b"\xc3\xbc=1", b"a=%FF", b"%FF=1", b"a=%C3", b"a=%C0%AF", b"a=%ED%A0%80"),
        *(b"a=" + b"b" * 16_384, b"&".join([b"a=b"] * 51), b"&" * 51),
    ],
)
def test_a_query_that_is_too_long_or_no_text_is_refused(query: bytes) -> None:
    with pytest.raises(RequestInvalid):
        validate_login_parameters(query)


@given(
    st.binary(max_size=60)
    | st.sampled_from([b"prompt", b"max_age"]).flatmap(
        lambda name: st.binary(max_size=20).map(lambda value: name + b"=" + value)
    )
)
def test_any_query_is_answered_or_refused(query: bytes) -> None:
    try:
        picked = validate_login_parameters(query)
    except BrowserError:
        return
    url = build(parameters=picked)
    assert {name: values for name, values in parse_qs(urlsplit(url).query).items() if name in OWN} == {
        name: [value] for name, value in OWN.items()
    }
