"""Validation of id_tokens (OpenID Connect Core §3.1.3.7 and §12.2) with joserfc."""

from __future__ import annotations

import hashlib
import hmac
import re
import warnings
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import JWKRegistry, Key, KeySet

from gateway.errors import IdTokenInvalid, IdTokenUntimely, KeyUnknown, MetadataInvalid
from gateway.oauth.claim_times import parse_time
from gateway.oauth.metadata import ASYMMETRIC_ALGORITHMS
from gateway.oauth.strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Mapping

LEEWAY_SECONDS = 60.0
"""By how much the two clocks may differ."""

_MAX_KEYS = 50
_MAX_SUBJECT = 255
# RFC 7515 §7.1: three parts, the signature among them never empty; five would be encrypted.
_COMPACT = re.compile(r"(?P<header>[A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""By the first two letters of the algorithm."""
_ENCRYPTION_CURVES = ("X25519", "X448")
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
    auth_time: float | None = None
    """Of a refresh: when that was, by the id_token of the sign-in."""


def parse_key_set(body: bytes) -> KeySet:
    """Read a JWK Set (RFC 7517 §5) without keys that cannot verify; raises MetadataInvalid if none can."""
    try:
        listed = parse_object(body).get("keys")
    except ValueError:
        raise MetadataInvalid(log_detail="the key set is not a JSON object") from None
    documents = cast("list[object]", listed) if isinstance(listed, list) else []
    if len(documents) > _MAX_KEYS:
        raise MetadataInvalid(log_detail="the key set is too long")
    keys = [key for document in documents if (key := _import_key(document)) is not None]
    if not keys:
        raise MetadataInvalid(log_detail="the key set has no key that can verify a signature")
    return KeySet(keys)


def validate_id_token(id_token: str, *, keys: KeySet, expected: Expected) -> dict[str, object]:
    """Check signature and claims in the order of OpenID Connect Core §3.1.3.7, and return the claims.

    Raises KeyUnknown when the key set has no such key (fetch it again), IdTokenInvalid otherwise.
    """
    algorithm, claims = verify_signature(id_token, keys, expected.algorithms)
    _validate_issuer_and_audience(claims, expected)
    _validate_bindings(claims, expected, algorithm)
    _validate_times(claims, expected)
    return claims


def verify_signature(
    token: str, keys: KeySet, algorithms: tuple[str, ...], *, explicit_type: str | None = None
) -> tuple[str, dict[str, object]]:
    """Return the algorithm and the claims of a JWT that one of the keys signed; raises as validate_id_token.

    A `typ` that names a special kind of JWT (`...+jwt`) is refused unless it is `explicit_type`.
    """
    header = _read_header(token, explicit_type)
    algorithm = header.get("alg")
    # RFC 8725 §3.1: the algorithm comes from the metadata, never from the token alone: no `none`, no HMAC.
    if (
        not isinstance(algorithm, str)
        or algorithm not in algorithms
        or algorithm not in ASYMMETRIC_ALGORITHMS
    ):
        raise IdTokenInvalid(log_detail="alg")
    key = _select_key(keys, header.get("kid"), algorithm)
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", SecurityWarning
            )  # of the name EdDSA, which many servers still use
            verified = jws.deserialize_compact(token, key, registry=registry)
        return algorithm, parse_object(verified.payload)
    except (JoseError, ValueError, TypeError) as exc:
        raise IdTokenInvalid(log_detail=f"signature: {type(exc).__name__}") from None


def read_time(claims: Mapping[str, object], name: str) -> float:
    """Return a claim in seconds since the epoch; raises IdTokenInvalid where it is missing or no time."""
    value = parse_time(claims.get(name))
    if value is None:
        raise IdTokenInvalid(log_detail=f"{name} is missing or no time")
    return value


def _import_key(document: object) -> Key | None:
    # RFC 7517 §5: keys that are not understood are ignored.
    if not isinstance(document, dict):
        return None
    jwk = cast("dict[str, str | list[str]]", document)
    if not _can_verify(jwk):
        return None
    try:
        with warnings.catch_warnings():
            # RFC 7518 §3.3: RSA keys below 2048 bits must not be used; joserfc warns of them.
            warnings.simplefilter("error", SecurityWarning)
            return JWKRegistry.import_key(jwk)
    except (JoseError, SecurityWarning, UnsupportedAlgorithm, ValueError, TypeError, KeyError):
        return None


def _can_verify(jwk: Mapping[str, object]) -> bool:
    # A symmetric or private key in a public set is a mistake that would let anybody sign.
    return (
        jwk.get("kty") in _KEY_TYPES.values()
        and jwk.get("use", "sig") == "sig"
        and jwk.get("crv") not in _ENCRYPTION_CURVES
        and not _PRIVATE_PARTS & jwk.keys()
    )


def _read_header(token: str, explicit_type: str | None) -> dict[str, object]:
    match = _COMPACT.fullmatch(token)
    if match is None:
        raise IdTokenInvalid(log_detail="not a signed token")
    try:
        header = parse_object(urlsafe_b64decode(match["header"] + "=="))
    except ValueError:
        raise IdTokenInvalid(log_detail="header") from None
    # RFC 7515 §4.1.11: no extension is understood here; RFC 7797 §7: nor may a JWT use that of `b64`.
    if "crit" in header or "b64" in header:
        raise IdTokenInvalid(log_detail="crit")
    # RFC 8725 §3.11: an access token or logout token that says so is no id_token (token confusion).
    typ = str(header.get("typ", "")).lower().removeprefix("application/")
    if typ.endswith("+jwt") and typ != explicit_type:
        raise IdTokenInvalid(log_detail="typ")
    return header


def _select_key(keys: KeySet, kid: object, algorithm: str) -> Key:
    named = [key for key in keys if kid is None or key.kid == kid]
    if not named:
        raise KeyUnknown(log_detail="no key has this kid")
    kind = _KEY_TYPES[algorithm[:2]]
    fitting = [key for key in named if key.key_type == kind and key.alg in (None, algorithm)]
    # OpenID Connect Core §10.1: without a kid only a single key of the type is unambiguous.
    if kid is None and len(fitting) != 1:
        raise KeyUnknown(log_detail="no kid, and not exactly one key that fits")
    if not fitting:
        raise IdTokenInvalid(log_detail="the key is not for this alg")
    return fitting[0]


def _validate_issuer_and_audience(claims: Mapping[str, object], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise IdTokenInvalid(log_detail="iss")
    audience = claims.get("aud")
    audiences = cast("list[object]", audience) if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise IdTokenInvalid(log_detail="aud")
    # A token for several parties must name this one as the party it was issued to (token substitution).
    authorized = claims.get("azp")
    if (len(audiences) > 1 and authorized is None) or authorized not in (None, expected.client_id):
        raise IdTokenInvalid(log_detail="azp")
    subject = claims.get("sub")
    # OpenID Connect Core §2: 255 characters at most. Controls and half surrogates break what they land in.
    if not isinstance(subject, str) or not 1 <= len(subject) <= _MAX_SUBJECT or not subject.isprintable():
        raise IdTokenInvalid(log_detail="sub")


def _validate_times(claims: Mapping[str, object], expected: Expected) -> None:
    now = expected.now
    if read_time(claims, "exp") <= now - LEEWAY_SECONDS:
        raise IdTokenUntimely(log_detail="exp has passed")
    if read_time(claims, "iat") > now + LEEWAY_SECONDS:
        raise IdTokenUntimely(log_detail="iat lies in the future")
    if "nbf" in claims and read_time(claims, "nbf") > now + LEEWAY_SECONDS:
        raise IdTokenUntimely(log_detail="nbf lies in the future")
    # OpenID Connect Core §3.1.2.1: who asked for max_age must check auth_time.
    if (
        expected.max_age is not None
        and read_time(claims, "auth_time") + expected.max_age < now - LEEWAY_SECONDS
    ):
        raise IdTokenInvalid(log_detail="auth_time is older than max_age")
    # OpenID Connect Core §12.2: a refresh is no authentication. Some servers name the newest all the same.
    if expected.auth_time is not None and claims.get("auth_time", expected.auth_time) != expected.auth_time:
        raise IdTokenUntimely(log_detail="auth_time is another one than at sign-in")
    if claims.get("session_expiry") is not None and parse_time(claims["session_expiry"]) is None:
        raise IdTokenUntimely(log_detail="session_expiry is no time")


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
    whole = digest(access_token.encode()).digest()
    return urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=").decode("ascii")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="surrogatepass"), other.encode())
