"""The client authenticates in a way that its characters cannot bend."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MetadataInvalid
from gateway.oauth.client_auth import build_client_authentication, choose_client_auth_method

if TYPE_CHECKING:
    from gateway.oauth.client_auth import ClientAuthMethod


@pytest.mark.parametrize(
    ("client_id", "client_secret", "joined"),
    [
        ("client", "secret", "client:secret"),
        ("s6BhdRkqt3", "gX1fBat3bV", "s6BhdRkqt3:gX1fBat3bV"),
        ("a:b", "c:d", "a%3Ab:c%3Ad"),
        ("50%", "100%", "50%25:100%25"),
        ("a+b", "c d", "a%2Bb:c+d"),
        ("m\u00fcller", "\u20ac", "m%C3%BCller:%E2%82%AC"),
        ("a&b=c", "/?#", "a%26b%3Dc:%2F%3F%23"),
        ("a-b_c.d~e", "\r\n", "a-b_c.d~e:%0D%0A"),
        ("client", "", "client:"),
    ],
)
def test_basic_joins_what_was_form_encoded_before(client_id: str, client_secret: str, joined: str) -> None:
    """RFC 6749 §2.3.1: a colon in an id would cut it in two."""
    authentication = build_client_authentication("client_secret_basic", client_id, client_secret)
    assert not authentication.form
    scheme, _, credentials = authentication.headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    assert b64decode(credentials).decode() == joined


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.text(alphabet=st.characters(codec="utf-8"))
)
def test_any_credentials_come_back_from_basic(client_id: str, client_secret: str) -> None:
    headers = build_client_authentication("client_secret_basic", client_id, client_secret).headers
    assert headers["Authorization"].isprintable()
    joined = b64decode(headers["Authorization"].partition(" ")[2]).decode()
    assert [unquote_plus(part) for part in joined.split(":")] == [client_id, client_secret]
    assert parse_qsl(f"id={joined.split(':')[0]}", keep_blank_values=True) == [("id", client_id)]


def test_post_sends_both_in_the_form_and_no_header() -> None:
    authentication = build_client_authentication("client_secret_post", "a:b", "c d")
    assert authentication.form == {"client_id": "a:b", "client_secret": "c d"}
    assert not authentication.headers


@pytest.mark.parametrize("client_secret", [None, "unused"])
def test_a_public_client_sends_its_id_alone(client_secret: str | None) -> None:
    authentication = build_client_authentication("none", "client", client_secret)
    assert authentication.form == {"client_id": "client"}
    assert not authentication.headers


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_method_with_a_secret_needs_one(method: ClientAuthMethod) -> None:
    with pytest.raises(ValueError, match=method):
        build_client_authentication(method, "client", None)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_credentials_are_not_shown_where_they_are_printed(method: ClientAuthMethod) -> None:
    assert "Authorization" not in repr(build_client_authentication(method, "client", "secret"))
    assert "secret'" not in repr(build_client_authentication(method, "client", "secret"))


@pytest.mark.parametrize(
    ("configured", "supported", "has_secret", "chosen"),
    [
        ("client_secret_post", ("client_secret_basic",), True, "client_secret_post"),
        ("none", None, True, "none"),
        ("client_secret_basic", (), False, "client_secret_basic"),
        (None, None, False, "none"),
        (None, ("client_secret_basic",), False, "none"),
        (None, None, True, "client_secret_basic"),
        (None, ("client_secret_basic",), True, "client_secret_basic"),
        (None, ("client_secret_post", "client_secret_basic"), True, "client_secret_basic"),
        (None, ("private_key_jwt", "client_secret_post"), True, "client_secret_post"),
    ],
)
def test_the_method_is_what_is_configured_or_supported(
    configured: ClientAuthMethod | None, supported: tuple[str, ...] | None, chosen: str, *, has_secret: bool
) -> None:
    """RFC 8414 §2: silence means client_secret_basic."""
    assert choose_client_auth_method(configured, supported, has_secret=has_secret) == chosen


@pytest.mark.parametrize("supported", [(), ("private_key_jwt",), ("none",), ("CLIENT_SECRET_BASIC",)])
def test_no_method_in_common_is_an_error(supported: tuple[str, ...]) -> None:
    with pytest.raises(MetadataInvalid):
        choose_client_auth_method(None, supported, has_secret=True)
