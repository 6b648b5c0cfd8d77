"""An authorization server's metadata are its own, over TLS, and of the right types."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MetadataInvalid
from gateway.oauth.metadata import (
    ASYMMETRIC_ALGORITHMS,
    ServerMetadata,
    build_lexware_metadata,
    build_metadata_url,
    parse_metadata,
)

ISSUER = "https://as.example/tenant"
RIGHT: dict[str, object] = {
    "issuer": ISSUER,
    "authorization_endpoint": "https://as.example/authorize?tenant=a",
    "token_endpoint": "https://as.example/token",
    "revocation_endpoint": "https://as.example/revoke",
    "end_session_endpoint": "https://as.example/logout",
    "jwks_uri": "https://keys.example/jwks",
    "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
    "id_token_signing_alg_values_supported": ["none", "HS256", "RS256", "ES256"],
    "code_challenge_methods_supported": ["plain", "S256"],
    "authorization_response_iss_parameter_supported": True,
}
URLS = [name for name, value in RIGHT.items() if str(value).startswith("https://") and name != "issuer"]
LISTS = [name for name, value in RIGHT.items() if isinstance(value, list)]


def parse(changes: dict[str, object] | None = None, issuer: str = ISSUER) -> ServerMetadata:
    """Parse the right metadata with some changes; None leaves a name out."""
    document = {name: value for name, value in {**RIGHT, **(changes or {})}.items() if value is not None}
    return parse_metadata(json.dumps(document).encode(), issuer)


def test_right_metadata_are_read() -> None:
    assert parse({"unknown": 1}) == ServerMetadata(
        issuer=ISSUER,
        authorization_endpoint="https://as.example/authorize?tenant=a",
        token_endpoint="https://as.example/token",
        revocation_endpoint="https://as.example/revoke",
        end_session_endpoint="https://as.example/logout",
        jwks_uri="https://keys.example/jwks",
        token_endpoint_auth_methods=("client_secret_post", "private_key_jwt"),
        id_token_algorithms=("RS256", "ES256"),
        iss_parameter_supported=True,
    )


def test_metadata_may_say_the_least() -> None:
    document = {name: RIGHT[name] for name in ("issuer", "authorization_endpoint", "token_endpoint")}
    assert parse_metadata(json.dumps(document).encode(), ISSUER) == ServerMetadata(
        issuer=ISSUER,
        authorization_endpoint="https://as.example/authorize?tenant=a",
        token_endpoint="https://as.example/token",
    )


@pytest.mark.parametrize(
    "issuer",
    [
        *(None, "", "https://evil.example", f"{ISSUER}/", "https://as.example", "https://AS.example/tenant"),
        *("http://as.example/tenant", f"{ISSUER}\x00", f" {ISSUER}", 7, [ISSUER], {"issuer": ISSUER}, True),
    ],
)
def test_metadata_of_another_issuer_are_refused(issuer: object) -> None:
    """RFC 8414 §3.3: under this address they are an impersonation."""
    with pytest.raises(MetadataInvalid, match="issuer"):
        parse({"issuer": issuer})


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint"])
def test_an_endpoint_that_the_flow_needs_must_be_there(name: str) -> None:
    with pytest.raises(MetadataInvalid, match=f"{name} is missing"):
        parse({name: None})


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://as.example/a",
            "HTTP://as.example/a",
            "ftp://as.example/a",
            "ws://as.example",
            "//as.example/a",
        ),
        *("/a", "a", "", " ", "https:", "https://", "https:///a", "https:/as.example", "https:as.example"),
        *("javascript:alert(1)", "data:text/html,a", "file:///etc/passwd", "https://?a", "https://:443/a"),
        *("https://user@as.example/a", "https://user:pass@as.example/a", "https://@as.example/a"),
        *("https://as.example@evil.example", "https://as.example\\@evil.example", "https://as.example\\a"),
        *(
            "https://evil.example\\.as.example/",
            "https://as.example/a#b",
            "https://as.example/a#",
            "https://#a",
        ),
        *(
            "https://as.example/a b",
            " https://as.example/a",
            "https://as.example/a\r\nHost: evil",
            "https://a\tb",
        ),
        *(
            "https://\u00e4s.example/",
            "https://as.example/\u20ac",
            "https://as.example/\ud800",
            "https://a<b>/",
        ),
        *(
            "https://as.example:99999/a",
            "https://as.example:port/a",
            "https://as.example:-1/",
            "https://[::1/",
        ),
        *(
            "https://[zz]/",
            "https://as%2eexample/",
            "https://[fe80::1%25eth0]/",
            "http://127.0.0.1.evil.example/",
        ),
        *(
            "http://localhost.evil.example/",
            "http://localhost@evil.example/",
            "http://0.0.0.0/",
            "http://[::2]/",
        ),
        *("https://as.example/" + "a" * 2048, 7, True, [], ["https://as.example/a"], {}, 1.5),
    ],
)
def test_a_url_that_is_not_https_is_refused(name: str, url: object) -> None:
    # RFC 6749 §3.1, RFC 6749 §3.2: TLS, no fragment. RFC 3986 §2: the characters of a URL.
    with pytest.raises(MetadataInvalid, match=f"{name} is not an https URL"):
        parse({name: url})


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://as.example",
            "https://as.example:8443/a/b?c=d&e=%20",
            "HTTPS://as.example/",
            "https://[::1]/a",
        ),
        *("http://localhost/a", "http://localhost:9000/a", "http://127.0.0.1:9000/", "http://[::1]:9000/a"),
    ],
)
def test_a_url_over_tls_or_on_this_machine_is_taken(name: str, url: str) -> None:
    """RFC 6749 §3.2: TLS; what never leaves the machine needs none."""
    metadata = parse({name: url})
    assert url in {getattr(metadata, field) for field in (name, "jwks_uri")}


@pytest.mark.parametrize("methods", [[], ["plain"], ["s256"], ["S512", "plain"], ["S256 "]])
def test_a_server_that_excludes_s256_is_refused(methods: list[str]) -> None:
    """RFC 9700 §2.1.1: PKCE, with a challenge that does not show the verifier."""
    with pytest.raises(MetadataInvalid, match="PKCE"):
        parse({"code_challenge_methods_supported": methods})


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "value", ["S256", 7, True, {}, {"S256": 1}, [7], ["S256", None], [["S256"]], [{}], 0, ""]
)
def test_a_list_of_another_type_is_refused(name: str, value: object) -> None:
    with pytest.raises(MetadataInvalid, match=f"{name} is not a list of strings"):
        parse({name: value})


@pytest.mark.parametrize(
    ("supported", "taken"),
    [
        (None, ("RS256",)),
        ([], ("RS256",)),
        (["none"], ()),
        (["HS256", "HS384", "HS512", "none"], ()),
        (["PS256", "EdDSA", "Ed25519", "ES256K", "RS1"], ("PS256", "EdDSA", "Ed25519")),
        (list(ASYMMETRIC_ALGORITHMS), ASYMMETRIC_ALGORITHMS),
    ],
)
def test_only_signatures_that_published_keys_verify_are_taken(
    supported: list[str] | None, taken: tuple[str, ...]
) -> None:
    """RFC 7518 §3.1, RFC 8037, RFC 9864: RSA, ECDSA and Edwards curves."""
    assert parse({"id_token_signing_alg_values_supported": supported}).id_token_algorithms == taken


@pytest.mark.parametrize("promise", [None, False, "true", 1, [], {}])
def test_the_iss_parameter_is_promised_by_true_alone(promise: object) -> None:
    assert not parse({"authorization_response_iss_parameter_supported": promise}).iss_parameter_supported


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"<html>",
            b"null",
            b"[]",
            b"\xff",
            b"{",
            b'{"issuer": NaN}',
            b"[" * 100_000,
            b" " * 1_048_577,
        ),
        b'{"issuer": "https://evil.example", "issuer": "https://as.example/tenant"}',
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    """RFC 8414: metadata are a JSON object; a name that stands twice has two readings."""
    with pytest.raises(MetadataInvalid, match="not a JSON object"):
        parse_metadata(body, ISSUER)


@pytest.mark.parametrize("issuer", ["https://as.example/tenant", "https://as.example/tenant/"])
def test_the_metadata_stand_below_the_issuer(issuer: str) -> None:
    # OpenID Connect Discovery §4.1: a slash at the issuer's end is removed first.
    assert build_metadata_url(issuer) == "https://as.example/tenant/.well-known/openid-configuration"


def test_lexware_has_fixed_endpoints_and_no_issuer() -> None:
    assert build_lexware_metadata("https://app.example") == ServerMetadata(
        issuer=None,
        authorization_endpoint="https://app.example/oauth2/authorize",
        token_endpoint="https://app.example/oauth2/token",
        revocation_endpoint="https://app.example/oauth2/revoke",
        token_endpoint_auth_methods=("client_secret_basic",),
    )


@given(st.sampled_from(URLS), st.text(max_size=30).map(lambda text: f"https://{text}"))
def test_any_url_is_taken_or_refused(name: str, url: str) -> None:
    try:
        metadata = parse({name: url})
    except MetadataInvalid:
        return
    assert getattr(metadata, name) == url
    assert url.isascii()
    assert "\\" not in url
