"""The signing keys of the openid picture, made when they are first needed."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey


class Keys:
    """RSA keys, newest last: it signs, and the newest two are published."""

    def __init__(self) -> None:
        self._keys: list[RSAKey] = []

    def roll(self) -> None:
        """Return a new signing key; the one before it stays published."""
        self._keys.append(_new_key(len(self._keys)))

    def sign(self, claims: dict[str, Any], typ: str = "JWT") -> str:
        """Return an RS256 JWT with the newest key's `kid`."""
        key = self._newest()
        return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": typ}, claims, key, algorithms=["RS256"])

    def document(self) -> dict[str, Any]:
        """Return the JSON of the key set, public halves alone."""
        self._newest()
        return {"keys": [key.as_dict(private=False) for key in self._keys[-2:]]}

    def read(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a JWT that one of these keys signed, expired or not; None for any other."""
        if not self._keys:
            return None
        try:
            return dict(jwt.decode(token, KeySet(list(self._keys)), algorithms=["RS256"]).claims)
        except (JoseError, ValueError):
            return None

    def _newest(self) -> RSAKey:
        if not self._keys:
            self.roll()
        return self._keys[-1]


def _new_key(number: int) -> RSAKey:
    key = RSAKey.generate_key(2048, auto_kid=False)
    return RSAKey.import_key(
        key.as_dict(private=True),
        {"kid": f"sandbox-{number}-{key.thumbprint()[:8]}", "use": "sig", "alg": "RS256"},
    )


def half_hash(token: str) -> str:
    """`at_hash`: the left half of the SHA-256 digest, base64url (OpenID Connect Core §3.1.3.6)."""
    digest = hashlib.sha256(token.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
