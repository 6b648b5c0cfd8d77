"""Keys made of the operator's secrets: to seal what a store may see, sign cookies, label audit lines."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import RecordUnreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_HEADER_BYTES = len(_VERSION) + _KEY_ID_BYTES
_NONCE_BYTES = 12
_LABEL_HEX_DIGITS = 16


def _derive(secret: str, purpose: str, length: int = 32) -> bytes:
    """Return a key for one purpose, which tells nothing of the others (HKDF-SHA256, RFC 5869 §2)."""
    info = f"lexgate {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret.encode())


@dataclass(frozen=True, slots=True)
class _Keys:
    header: bytes
    sealing: AESGCM = field(repr=False)
    signing: bytes = field(repr=False)


def _build_keys(secret: str) -> _Keys:
    return _Keys(
        header=_VERSION + _derive(secret, "key id", _KEY_ID_BYTES),
        sealing=AESGCM(_derive(secret, "sealing")),
        signing=_derive(secret, "signing"),
    )


class Keyring:
    """Keys of the operator's secrets, newest first: the first seals and signs, all open and verify.

    A sealed record is a version byte, a 4-byte key id, a 12-byte random nonce and the AES-256-GCM ciphertext.
    A secret may be taken off the list once nothing sealed with it is left: sessions are sealed anew as they
    are used and grants as they are refreshed, so `LEXGATE_SESSION_MAX` after it stopped being the first.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise ValueError("a keyring needs a secret")
        keys = [_build_keys(secret) for secret in secrets]
        self._newest = keys[0]
        self._by_header = {entry.header: entry for entry in reversed(keys)}
        self._label_key = _derive(secrets[0], "audit label")
        self.signing_keys = tuple(entry.signing for entry in keys)
        """Keys for the cookie's signature, newest first."""

    def __repr__(self) -> str:
        return f"Keyring({len(self.signing_keys)} secrets)"

    def seal(self, plain: bytes, *, aad: bytes) -> bytes:
        """Encrypt `plain`, so that it opens only with the same `aad`: the place it belongs to."""
        nonce = os.urandom(_NONCE_BYTES)
        header = self._newest.header
        return header + nonce + self._newest.sealing.encrypt(nonce, plain, header + aad)

    def open(self, sealed: bytes, *, aad: bytes) -> bytes:
        """Decrypt what `seal` made; RecordUnreadable if its key is missing or it or its place was changed."""
        header, body = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES:]
        entry = self._by_header.get(header)
        if entry is None:
            raise RecordUnreadable(log_detail="a record was sealed with a secret that is not configured")
        try:
            return entry.sealing.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], header + aad)
        except (InvalidTag, ValueError) as exc:
            raise RecordUnreadable(log_detail="a record was changed or moved after it was sealed") from exc

    def needs_reseal(self, sealed: bytes) -> bool:
        """Say whether something else than the newest secret sealed this."""
        return sealed[:_HEADER_BYTES] != self._newest.header

    def label(self, session_key: bytes) -> str:
        """Return 16 hex digits that name a session in the audit log; they change with the newest secret."""
        return hmac.digest(self._label_key, session_key, "sha256").hex()[:_LABEL_HEX_DIGITS]
