"""The key that webhooks are signed with, made when it is first needed."""

from __future__ import annotations

import base64
from threading import Lock

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_BITS = 2048
"""Less than the vendor's 4096, which take seconds to make."""


class WebhookKey:
    """An RSA key pair; usable from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: RSAPrivateKey | None = None

    def sign(self, body: bytes) -> str:
        """Return `X-Lxo-Signature`: RSA-SHA512 with PKCS #1 v1.5 padding, base64."""
        return base64.b64encode(self._key().sign(body, PKCS1v15(), SHA512())).decode()

    def public_pem(self) -> str:
        """Return the public half."""
        pem = self._key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem.decode()

    def _key(self) -> RSAPrivateKey:
        with self._lock:
            if self._made is None:
                self._made = generate_private_key(public_exponent=65537, key_size=_BITS)
            return self._made
