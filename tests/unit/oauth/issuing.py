"""An authorization server's keys, and id_tokens as it and its enemies would make them."""

from __future__ import annotations

import hashlib
import hmac
import json
import warnings
from base64 import urlsafe_b64encode
from functools import cache
from typing import TYPE_CHECKING

from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from gateway.oauth.id_token import Expected, parse_key_set, validate_id_token
from gateway.oauth.metadata import ASYMMETRIC_ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Mapping

ISSUER = "https://as.example"
CLIENT = "client"
NONCE = "nonce-of-this-attempt"
ACCESS_TOKEN = "access-canary"
NOW = 1_790_000_000.0
CLAIMS: dict[str, object] = {
    "iss": ISSUER,
    "sub": "subject",
    "aud": CLIENT,
    "exp": int(NOW) + 300,
    "iat": int(NOW),
    "nonce": NONCE,
}
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519", "Ed25519": "Ed25519"}


@cache
def key_for(algorithm: str, kid: str = "") -> Key:
    """Return the one key for an algorithm and kid ("" for the algorithm's name)."""
    name = kid or algorithm
    if algorithm.startswith("ES"):
        return ECKey.generate_key(CURVES[algorithm], {"kid": name})
    if algorithm.startswith("Ed"):
        return OKPKey.generate_key(CURVES[algorithm], {"kid": name})  # type: ignore[arg-type]
    return RSAKey.generate_key(2048, {"kid": name})


def publish(*keys: Key, **parameters: str) -> bytes:
    """Return the key set of some keys' public halves."""
    return json.dumps({"keys": [key.as_dict(private=False, **parameters) for key in keys]}).encode()


def encode(part: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(part).rstrip(b"=").decode()


def sign(
    claims: Mapping[str, object] | bytes,
    algorithm: str = "RS256",
    *,
    key: Key | None = None,
    **header: object,
) -> str:
    """Sign claims, or any payload; a header of None is left out."""
    signer = key or key_for(algorithm)
    fields = {"alg": algorithm, "kid": signer.kid, **header}
    protected = {name: value for name, value in fields.items() if value is not None}
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return jws.serialize_compact(protected, payload, signer, registry=registry)


def forge(
    header: bytes | Mapping[str, object], payload: bytes = b"{}", signature: bytes = b"signature"
) -> str:
    """Join any three parts."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return f"{encode(raw)}.{encode(payload)}.{encode(signature)}"


def sign_with_hmac(header: Mapping[str, object], claims: Mapping[str, object], secret: bytes) -> str:
    """Sign by HMAC-SHA256, whatever the header says."""
    signed = forge(header, json.dumps(claims).encode()).rpartition(".")[0]
    return f"{signed}.{encode(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def expect(**changes: object) -> Expected:
    """Return what this client expects, with some changes."""
    fields: dict[str, object] = {
        "issuer": ISSUER,
        "client_id": CLIENT,
        "access_token": ACCESS_TOKEN,
        "algorithms": ASYMMETRIC_ALGORITHMS,
        "now": NOW,
        "nonce": NONCE,
        **changes,
    }
    return Expected(**fields)  # type: ignore[arg-type]


def validate(id_token: str, *keys: Key, **changes: object) -> dict[str, object]:
    """Validate against the key set of some keys, of RS256's own key where none is given."""
    key_set = parse_key_set(publish(*(keys or (key_for("RS256"),))))
    return validate_id_token(id_token, keys=key_set, expected=expect(**changes))


def change(**changes: object) -> dict[str, object]:
    """Return the right claims with some changes; None leaves a claim out."""
    return {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
