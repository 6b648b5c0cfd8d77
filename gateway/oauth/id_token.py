"""Validation of id_tokens (OpenID Connect Core §3.1.3.7 and §12.2) with joserfc."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from gateway.errors import IdTokenInvalid, KeyUnknown, MetadataInvalid
from gateway.oauth.metadata import ASYMMETRIC_ALGORITHMS
from gateway.oauth.strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Mapping

LEEWAY_SECONDS = 60.0
"""By how much the two clocks may differ."""

_MAX_KEYS = 50
_ASYMMETRIC_TYPES = frozenset({"RSA", "EC", "OKP"})
_PRIVATE_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an id_token is measured against; `now` in seconds since the epoch."""

    issuer: str
    client_id: str
    access_token: str | None = field(repr=False)
    algorithms: tuple[str, ...]
    now: float
    nonce: str | None = field(default=None, repr=False)
    max_age: int | None = None
    subject: str | None = field(default=None, repr=False)
    """Of a refresh: the subject that signed in."""


def parse_key_set(body: bytes) -> KeySet:
    """Read a JWK Set (RFC 7517 §5), leaving out keys that cannot verify; raises MetadataInvalid if none can."""
    try:
        documents = parse_object(body).get("keys")
    except ValueError:
        raise MetadataInvalid(log_detail="the key set is not a JSON object") from None
    if not isinstance(documents, list) or len(documents) > _MAX_KEYS:
        raise MetadataInvalid(log_detail="the key set has no list of keys, or too long a one")
    keys = []
    for document in documents:
        if not isinstance(document, dict) or not _can_verify(document):
            continue
        try:
            keys.append(JWKRegistry.import_key(document))
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # RFC 7517 §5: keys that are not understood are ignored
    if not keys:
        raise MetadataInvalid(log_detail="the key set has no key that can verify a signature")
    return KeySet(keys)


def validate_id_token(id_token: str, *, keys: KeySet, expected: Expected) -> dict[str, object]:
    """Check signature and claims in the order of OpenID Connect Core §3.1.3.7, and return the claims.

    Raises KeyUnknown when the key set has no such key (fetch it again), IdTokenInvalid otherwise.
    """
    algorithm, claims = _verify(id_token, keys, expected.algorithms)
    _validate_issuer_and_audience(claims, expected)
    _validate_times(claims, expected)
    _validate_bindings(claims, expected, algorithm)
    return claims


def _can_verify(document: Mapping[str, object]) -> bool:
    # A symmetric or private key in a public set is a mistake that would let anybody sign.
    return (
        document.get("kty") in _ASYMMETRIC_TYPES
        and document.get("use", "sig") == "sig"
        and not _PRIVATE_PARTS & document.keys()
    )


def _verify(id_token: str, keys: KeySet, algorithms: tuple[str, ...]) -> tuple[str, dict[str, object]]:
    # RFC 8725 §3.1: the algorithm comes from the metadata, never from the token alone; `none` and HMAC are out.
    allowed = [name for name in algorithms if name in ASYMMETRIC_ALGORITHMS]
    try:
        header = jws.extract_compact(id_token.encode()).headers()
        kid = header.get("kid")
        if kid is not None and all(key.kid != kid for key in keys):
            raise KeyUnknown(log_detail="no key has this kid")
        token = jwt.decode(id_token, _candidates(keys, kid, header), algorithms=allowed)
    except (JoseError, ValueError, TypeError) as exc:
        raise IdTokenInvalid(log_detail=f"signature: {type(exc).__name__}") from None
    return str(token.header["alg"]), token.claims


def _candidates(keys: KeySet, kid: object, header: Mapping[str, object]) -> KeySet:
    if kid is not None:
        return KeySet([key for key in keys if key.kid == kid])
    # OpenID Connect Core §10.1: without a kid only a single key of the type is unambiguous.
    kind = {"R": "RSA", "P": "RSA", "E": "EC"}.get(str(header.get("alg", ""))[:1], "")
    if str(header.get("alg", "")).startswith("Ed"):
        kind = "OKP"
    fitting = [key for key in keys if key.key_type == kind]
    if len(fitting) != 1:
        raise KeyUnknown(log_detail="no kid, and not exactly one key that fits")
    return KeySet(fitting)


def _validate_issuer_and_audience(claims: Mapping[str, object], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise IdTokenInvalid(log_detail="iss")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise IdTokenInvalid(log_detail="aud")
    # A token for several parties must name this one as the party it was issued to (token substitution).
    authorized = claims.get("azp")
    if (len(audiences) > 1 and authorized is None) or authorized not in {None, expected.client_id}:
        raise IdTokenInvalid(log_detail="azp")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255:  # noqa: PLR2004 - OpenID Connect Core §2
        raise IdTokenInvalid(log_detail="sub")


def _validate_times(claims: Mapping[str, object], expected: Expected) -> None:
    now = expected.now
    if _time(claims, "exp") <= now - LEEWAY_SECONDS:
        raise IdTokenInvalid(log_detail="exp has passed")
    if _time(claims, "iat") > now + LEEWAY_SECONDS:
        raise IdTokenInvalid(log_detail="iat lies in the future")
    if "nbf" in claims and _time(claims, "nbf") > now + LEEWAY_SECONDS:
        raise IdTokenInvalid(log_detail="nbf lies in the future")
    if expected.max_age is not None:
        # OpenID Connect Core §3.1.2.1: who asked for max_age must check auth_time.
        if _time(claims, "auth_time") + expected.max_age < now - LEEWAY_SECONDS:
            raise IdTokenInvalid(log_detail="auth_time is older than max_age")


def _validate_bindings(claims: Mapping[str, object], expected: Expected, algorithm: str) -> None:
    if expected.subject is not None and claims.get("sub") != expected.subject:
        raise IdTokenInvalid(log_detail="sub is another one than at sign-in")
    nonce = claims.get("nonce")
    if expected.nonce is not None and not (isinstance(nonce, str) and _same(nonce, expected.nonce)):
        raise IdTokenInvalid(log_detail="nonce")
    at_hash = claims.get("at_hash")
    if at_hash is not None and expected.access_token is not None:
        # OpenID Connect Core §3.1.3.6: an access token of somebody else's beside this id_token.
        known = _at_hash(expected.access_token, algorithm)
        if not isinstance(at_hash, str) or (known is not None and not _same(at_hash, known)):
            raise IdTokenInvalid(log_detail="at_hash")


def _at_hash(access_token: str, algorithm: str) -> str | None:
    digest = _HASHES.get(algorithm[-3:])
    if digest is None:
        return None  # EdDSA: OpenID Connect names no hash for it
    whole = digest(access_token.encode("ascii")).digest()
    return urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=").decode("ascii")


def _time(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise IdTokenInvalid(log_detail=f"{name} is missing or no number")
    return float(value)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
