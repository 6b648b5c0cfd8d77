"""An id_token is believed by the signature of a published key, made as the metadata promise."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import RSAKey

from gateway.errors import IdTokenInvalid
from gateway.oauth.metadata import ASYMMETRIC_ALGORITHMS
from tests.unit.oauth.issuing import (
    CLAIMS,
    encode,
    forge,
    key_for,
    sign,
    sign_with_hmac,
    validate,
)


@pytest.mark.parametrize("algorithm", ASYMMETRIC_ALGORITHMS)
def test_a_signature_of_every_promised_algorithm_is_verified(algorithm: str) -> None:
    """RFC 7518 §3.1, RFC 8037, RFC 9864."""
    key = key_for(algorithm)
    assert validate(sign(CLAIMS, algorithm), key) == CLAIMS
    with pytest.raises(IdTokenInvalid):
        validate(sign(CLAIMS, algorithm, key=key_for(algorithm, "thief"), kid=algorithm), key)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("signature", [b"", b"signature"])
def test_an_unsigned_token_is_refused(algorithm: str, signature: bytes) -> None:
    """RFC 8725 §3.1: `none` is never expected."""
    payload = json.dumps(CLAIMS).encode()
    for header in ({"alg": algorithm}, {"alg": algorithm, "kid": "RS256"}):
        for algorithms in (ASYMMETRIC_ALGORITHMS, ("none",), ()):
            with pytest.raises(IdTokenInvalid):
                validate(forge(header, payload, signature), algorithms=algorithms)


@pytest.mark.parametrize("algorithms", [ASYMMETRIC_ALGORITHMS, ("HS256",), ("HS256", "RS256"), ()])
def test_the_public_key_is_no_secret_to_sign_with(algorithms: tuple[str, ...]) -> None:
    """RFC 8725 §3.1: with HS256 everybody who knows the published key could sign."""
    key = key_for("RS256")
    assert isinstance(key, RSAKey)
    jwk = json.dumps(key.as_dict(private=False)).encode()
    for secret in (key.as_pem(private=False), key.as_der(private=False), jwk, b"", b"RS256"):
        for header in ({"alg": "HS256"}, {"alg": "HS256", "kid": "RS256"}, {"alg": "RS256", "kid": "RS256"}):
            with pytest.raises(IdTokenInvalid):
                validate(sign_with_hmac(header, CLAIMS, secret), algorithms=algorithms)


def test_an_algorithm_that_the_metadata_do_not_promise_is_refused() -> None:
    """RFC 8725 §3.1; an empty promise is none, and not the library's own choice."""
    for algorithms in ((), ("RS512",), ("ES256", "PS256"), ("HS256",), ("none",), ("rs256",)):
        with pytest.raises(IdTokenInvalid, match="alg"):
            validate(sign(CLAIMS), algorithms=algorithms)


@pytest.mark.parametrize(("signed", "claimed"), [("RS256", "PS256"), ("RS256", "RS512"), ("PS256", "RS256")])
def test_an_algorithm_cannot_be_switched(signed: str, claimed: str) -> None:
    key = key_for("RS256")
    _, payload, signature = sign(CLAIMS, signed, key=key).split(".")
    header = encode(json.dumps({"alg": claimed, "kid": "RS256"}).encode())
    with pytest.raises(IdTokenInvalid):
        validate(f"{header}.{payload}.{signature}", key)


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": False},
        {"crit": ["b64"], "b64": True},
        {"crit": []},
        {"crit": ["tomorrow"], "tomorrow": 1},
        {"b64": True},
    ],
)
def test_an_extension_that_must_be_understood_is_refused(header: dict[str, object]) -> None:
    """RFC 7515 §4.1.11, and RFC 7797 §7 for `b64`."""
    token = forge({"alg": "RS256", "kid": "RS256", **header}, json.dumps(CLAIMS).encode())
    with pytest.raises(IdTokenInvalid, match="crit"):
        validate(token)


def test_another_unknown_header_is_ignored() -> None:
    assert validate(sign(CLAIMS, tomorrow=1, typ="JWT")) == CLAIMS


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "logout+jwt", "AT+JWT", "secevent+jwt"])
def test_a_token_made_for_another_purpose_is_refused(typ: str) -> None:
    """RFC 8725 §3.11: such tokens say what they are."""
    with pytest.raises(IdTokenInvalid, match="typ"):
        validate(sign(CLAIMS, typ=typ))


@pytest.mark.parametrize(
    "token",
    [
        *("", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e", "\x00", "\u20ac.\u20ac.\u20ac"),
        *(
            "\ud800.a.b",
            " . . ",
            "a b.c.d",
            "e30.e30.",
            ".e30.e30",
            "e30..e30",
            "e30.e30.e30",
            "e30.e30.e30==",
        ),
        *("a" * 1_000_000, "." * 1_000_000, "e30." + "a" * 1_000_000 + ".a", "a" * 1_000_000 + ".a.a"),
    ],
)
def test_what_is_no_signed_token_is_refused(token: str) -> None:
    """RFC 7515 §7.1: three parts in base64url."""
    with pytest.raises(IdTokenInvalid):
        validate(token)


@pytest.mark.parametrize(
    "header",
    [
        *(b'["alg"]', b'"alg"', b"null", b"7", b"", b"{", b"\xff", b"{}", b'{"alg": null}', b'{"alg": 7}'),
        *(
            b'{"alg": []}',
            b'{"alg": {}}',
            b'{"alg": ["RS256"]}',
            b'{"alg": NaN}',
            b"[" * 5_000,
            b'{"a":' * 5_000,
        ),
        b'{"alg": "none", "alg": "RS256"}',
        b'{"alg": "RS256", "kid": "RS256", "kid": "RS256"}',
        b'{"alg": "RS256", "kid": "RS256", "pad": "' + b"a" * 600 + b'"}',
        b'{"alg": "RS256", "kid": "RS256", "typ": 7}',
    ],
)
def test_a_header_that_is_no_header_is_refused(header: bytes) -> None:
    with pytest.raises(IdTokenInvalid):
        validate(forge(header, json.dumps(CLAIMS).encode()))


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"null", b"[]", b"7", b'"text"', b"{", b"\xff", b"[" * 50_000, b'{"a":' * 20_000),
        json.dumps(CLAIMS).encode()[:-1] + b', "exp": NaN}',
        json.dumps(CLAIMS).encode()[:-1] + b', "sub": "another"}',
        b'{"exp": ' + b"9" * 5_000 + b"}",
        json.dumps({**CLAIMS, "pad": "a" * 128_000}).encode(),
    ],
)
def test_claims_that_are_no_claims_are_refused_though_signed(payload: bytes) -> None:
    with pytest.raises(IdTokenInvalid):
        validate(sign(payload) if payload else forge({"alg": "RS256", "kid": "RS256"}, payload))


def test_every_changed_character_of_a_token_is_noticed() -> None:
    token = sign(CLAIMS, "ES256")
    for position, original in enumerate(token):
        changed = {"A": "B", ".": "A"}.get(original, "A")
        with pytest.raises(IdTokenInvalid):
            validate(token[:position] + changed + token[position + 1 :], key_for("ES256"))
        with pytest.raises(IdTokenInvalid):
            validate(token[:position], key_for("ES256"))


@pytest.mark.parametrize(
    "signature", [b"\x00" * 64, b"\xff" * 64, b"\x00" * 63, b"\x00" * 65, b"\x00" * 2_000]
)
@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"])
def test_a_signature_of_zeros_or_of_another_length_is_refused(algorithm: str, signature: bytes) -> None:
    token = forge({"alg": algorithm, "kid": algorithm}, json.dumps(CLAIMS).encode(), signature)
    with pytest.raises(IdTokenInvalid):
        validate(token, key_for(algorithm))


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_any_three_parts_are_refused(header: bytes, payload: bytes, signature: bytes) -> None:
    with pytest.raises(IdTokenInvalid):
        validate(forge(header, payload, signature))


@given(st.text(max_size=60))
def test_any_text_is_refused(token: str) -> None:
    with pytest.raises(IdTokenInvalid):
        validate(token)
