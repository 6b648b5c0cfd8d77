"""The keyed hashes by which sessions are found and named without saying whose they are."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

from gateway.sessions.session import framed

if TYPE_CHECKING:
    from gateway.sessions.keyring import Keyring

_PUBLIC_ID_BYTES = 16


class IndexKeys:
    """Hashes under a key of every secret, newest first: the newest files, all find.

    A plain hash of an e-mail address or a customer number would be found out by trying them all.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keys = tuple(
            hmac.digest(signing_key, b"lexgate session index", "sha256")
            for signing_key in keyring.signing_keys
        )

    def subject_keys(self, *, issuer: str, client_id: str, subject: str) -> tuple[bytes, ...]:
        """Return the keys under which the sessions of a subject at a client are filed."""
        return self._digests(b"subject" + framed(issuer, client_id, subject))

    def sid_keys(self, *, issuer: str, sid: str) -> tuple[bytes, ...]:
        """Return the keys under which the sessions of one session at the authorization server are filed."""
        return self._digests(b"sid" + framed(issuer, sid))

    def public_ids(self, session_key: bytes) -> tuple[str, ...]:
        """Return the names by which the user's own list calls a session, the newest first."""
        digests = self._digests(b"public" + session_key)
        return tuple(
            base64.urlsafe_b64encode(digest[:_PUBLIC_ID_BYTES]).rstrip(b"=").decode() for digest in digests
        )

    def _digests(self, message: bytes) -> tuple[bytes, ...]:
        return tuple(hmac.digest(key, message, "sha256") for key in self._keys)
