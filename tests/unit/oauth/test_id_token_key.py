"""The key that verifies an id_token comes from the key set: by its kid, for its algorithm."""

from __future__ import annotations

import json

import pytest
from joserfc.jwk import OctKey

from gateway.errors import IdTokenInvalid, KeyUnknown
from gateway.oauth.id_token import parse_key_set, validate_id_token
from tests.unit.oauth.issuing import CLAIMS, expect, forge, key_for, publish, sign, validate


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "Ed25519"])
def test_a_key_of_another_type_is_not_tried(algorithm: str) -> None:
    with pytest.raises(IdTokenInvalid, match="key is not for this alg"):
        validate(sign(CLAIMS, algorithm, kid="RS256"))


def test_a_key_of_another_curve_is_refused() -> None:
    token = forge({"alg": "ES384", "kid": "ES256"}, json.dumps(CLAIMS).encode(), bytes(96))
    with pytest.raises(IdTokenInvalid, match="InvalidKeyCurveError"):
        validate(token, key_for("ES256"))


def test_a_key_for_one_algorithm_verifies_no_other() -> None:
    key = key_for("RS256")
    keys = parse_key_set(publish(key, alg="PS256"))
    assert validate_id_token(sign(CLAIMS, "PS256", key=key), keys=keys, expected=expect()) == CLAIMS
    with pytest.raises(IdTokenInvalid, match="key is not for this alg"):
        validate_id_token(sign(CLAIMS, "RS256", key=key), keys=keys, expected=expect())


@pytest.mark.parametrize("kid", ["unknown", "", "rs256", 7, True, [], {}, ["RS256"]])
def test_an_unknown_kid_asks_for_the_keys_again(kid: object) -> None:
    token = forge({"alg": "RS256", "kid": kid}, json.dumps(CLAIMS).encode())
    with pytest.raises(KeyUnknown):
        validate(token)


def test_the_kid_chooses_among_several_keys() -> None:
    keys = [key_for("RS256"), key_for("RS256", "next"), key_for("ES256")]
    for signer in keys:
        algorithm = "ES256" if signer.key_type == "EC" else "RS256"
        assert validate(sign(CLAIMS, algorithm, key=signer), *keys) == CLAIMS


def test_two_types_of_keys_may_share_a_kid() -> None:
    keys = [key_for("ES256", "shared"), key_for("RS256", "shared")]
    for signer in keys:
        algorithm = "ES256" if signer.key_type == "EC" else "RS256"
        assert validate(sign(CLAIMS, algorithm, key=signer), *keys) == CLAIMS


@pytest.mark.parametrize("algorithm", ["RS256", "PS384", "ES256", "EdDSA"])
def test_without_a_kid_the_only_key_of_the_type_is_meant(algorithm: str) -> None:
    # OpenID Connect Core §10.1
    keys = [key_for("RS256"), key_for("ES256"), key_for("EdDSA")]
    signer = {"PS384": "RS256"}.get(algorithm, algorithm)
    assert validate(sign(CLAIMS, algorithm, key=key_for(signer), kid=None), *keys) == CLAIMS


def test_without_a_kid_several_keys_of_the_type_are_ambiguous() -> None:
    token = sign(CLAIMS, kid=None)
    with pytest.raises(KeyUnknown):
        validate(token, key_for("RS256"), key_for("RS256", "next"))
    with pytest.raises(KeyUnknown):
        validate(token, key_for("ES256"))


def test_a_key_that_the_token_brings_along_is_not_used() -> None:
    thief = key_for("RS256", "thief")
    jwk, url = thief.as_dict(private=False), "https://evil.example/jwks"
    for kid, refusal in (("RS256", IdTokenInvalid), ("thief", KeyUnknown)):
        for token in (
            sign(CLAIMS, key=thief, kid=kid, jwk=jwk),
            sign(CLAIMS, key=thief, kid=kid, jku=url),
            sign(CLAIMS, key=thief, kid=kid, x5u=url),
        ):
            with pytest.raises(refusal):
                validate(token)


def test_a_symmetric_key_in_a_public_set_signs_nothing() -> None:
    secret = OctKey.generate_key(256, {"kid": "oct"})
    keys = parse_key_set(
        json.dumps({"keys": [secret.as_dict(private=True), key_for("RS256").as_dict(private=False)]}).encode()
    )
    with pytest.raises(KeyUnknown):
        validate_id_token(sign(CLAIMS, kid="oct"), keys=keys, expected=expect())
