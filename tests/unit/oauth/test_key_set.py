"""A key set gives the keys that can verify, and no other text makes it fail in a strange way."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OctKey, OKPKey

from gateway.errors import MetadataInvalid
from gateway.oauth.id_token import parse_key_set
from tests.unit.oauth.issuing import encode, key_for, publish

GOOD = key_for("ES256").as_dict(private=False)
X = encode(b"1" * 32)
UNFIT: list[object] = [
    *(None, 7, True, "text", [], [GOOD], {}, {"kty": None}, {"kty": []}, {"kty": {}}, {"kty": ["RSA"]}),
    *(
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AQ"},
        {"kty": "rsa"},
        {"kty": "RSA"},
        {"kty": "EC"},
        {"kty": "OKP"},
    ),
    *({**GOOD, "use": "enc"}, {**GOOD, "use": None}, {**GOOD, "use": []}, {**GOOD, "use": "sign"}),
    *(
        {**GOOD, "kid": 7},
        {**GOOD, "kid": []},
        {**GOOD, "kid": None},
        {**GOOD, "alg": []},
        {**GOOD, "alg": 7},
    ),
    *({**GOOD, "key_ops": [[]]}, {**GOOD, "key_ops": 7}, {**GOOD, "use": "sig", "key_ops": ["encrypt"]}),
    *(
        {**GOOD, "crv": "P-999"},
        {**GOOD, "crv": []},
        {**GOOD, "crv": None},
        {**GOOD, "x": 7},
        {**GOOD, "x": ""},
    ),
    *(
        {**GOOD, "x": "AQ"},
        {**GOOD, "y": GOOD["x"]},
        {**GOOD, "x": "\ud800"},
        {**GOOD, "x": encode(b"\xff" * 4000)},
    ),
    *({**GOOD, "d": "AQ"}, {**GOOD, "k": "AQ"}, {**GOOD, "d": None}),
    {"kty": "OKP", "crv": "X25519", "x": X},
    {"kty": "OKP", "crv": "X448", "x": encode(b"1" * 56)},
    {"kty": "OKP", "crv": "Ed25519", "x": "AQ"},
    {"kty": "OKP", "crv": {}, "x": X},
    {"kty": "RSA", "n": "", "e": ""},
    {"kty": "RSA", "n": 7, "e": None},
    {"kty": "RSA", "n": "\ud800", "e": "AQAB"},
    {"kty": "RSA", "n": encode(b"\xff" * 256), "e": encode(b"\xff" * 300)},
    {"kty": "RSA", "n": encode(b"\xff" * 256), "e": "AQ"},
    {"kty": "RSA", "n": encode(b"\xff" * 3000), "e": encode(b"\xff" * 3000)},
    OctKey.generate_key(256).as_dict(private=True),
    key_for("RS256").as_dict(private=True),
    key_for("ES256").as_dict(private=True),
    key_for("EdDSA").as_dict(private=True),
]


@pytest.mark.parametrize("document", UNFIT, ids=str)
def test_a_key_that_cannot_verify_is_left_out(document: object) -> None:
    """RFC 7517 §5: what is not understood is ignored; symmetric and private keys never verify."""
    keys = parse_key_set(json.dumps({"keys": [document, GOOD, document]}).encode())
    assert [key.kid for key in keys] == ["ES256"]
    with pytest.raises(MetadataInvalid, match="no key"):
        parse_key_set(json.dumps({"keys": [document]}).encode())


@pytest.mark.parametrize("size", [64, 128, 192, 255])
def test_an_rsa_key_below_2048_bits_is_left_out(size: int) -> None:
    """RFC 7518 §3.3."""
    weak = {"kty": "RSA", "n": encode(b"\xff" * size), "e": "AQAB"}
    with pytest.raises(MetadataInvalid, match="no key"):
        parse_key_set(json.dumps({"keys": [weak]}).encode())


def test_keys_of_every_type_are_taken() -> None:
    keys = [key_for("RS256"), key_for("ES256"), key_for("ES384"), key_for("ES512"), key_for("EdDSA")]
    keys.append(OKPKey.generate_key("Ed448", {"kid": "Ed448"}))
    assert [key.kid for key in parse_key_set(publish(*keys))] == [key.kid for key in keys]
    assert not any(key.is_private for key in parse_key_set(publish(*keys)))


@pytest.mark.parametrize("parameters", [{"use": "sig"}, {"alg": "ES256"}, {"x5t": "a"}, {"x5t#S256": "b"}])
def test_a_keys_other_parameters_do_not_matter(parameters: dict[str, str]) -> None:
    assert [key.kid for key in parse_key_set(publish(key_for("ES256"), **parameters))] == ["ES256"]


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"keys": null}', b'{"keys": {}}'),
        *(
            b'{"keys": []}',
            b'{"keys": "text"}',
            b'{"keys": 7}',
            b'{"keys": [], "keys": []}',
            b" " * 1_048_577,
        ),
    ],
)
def test_what_is_no_key_set_is_refused(body: bytes) -> None:
    """RFC 7517 §5."""
    with pytest.raises(MetadataInvalid):
        parse_key_set(body)


def test_a_key_set_is_bounded() -> None:
    assert len(parse_key_set(json.dumps({"keys": [GOOD] * 50}).encode()).keys) == 50
    with pytest.raises(MetadataInvalid, match="too long"):
        parse_key_set(json.dumps({"keys": [GOOD] * 51}).encode())


VALUES = (
    st.none() | st.integers() | st.text(max_size=6) | st.lists(st.text(max_size=3)) | st.binary().map(encode)
)
NAMES = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg", "key_ops", "x5c", "x5u"])


@given(
    st.sampled_from([GOOD, key_for("RS256").as_dict(private=False), key_for("EdDSA").as_dict(private=False)]),
    st.dictionaries(NAMES, VALUES | st.sampled_from(["RSA", "EC", "OKP", "Ed448", "P-521", "secp256k1"])),
)
def test_any_key_is_taken_or_left_out(good: dict[str, object], changes: dict[str, object]) -> None:
    body = json.dumps({"keys": [{**good, **changes}, {**GOOD, "kid": "last"}]}).encode()
    assert list(parse_key_set(body))[-1].kid == "last"
