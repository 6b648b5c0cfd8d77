"""Proof key for code exchange, the authorization server's half."""

from __future__ import annotations

import base64
import hashlib
import re
from hmac import compare_digest

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def is_verifier_of(code_verifier: str | None, code_challenge: str | None) -> bool:
    """Whether the verifier fits the challenge; where there is no challenge, there may be no verifier.

    A verifier without a challenge is refused, for an attacker may have stripped the challenge from the
    request (RFC 9700 §4.8.2, PKCE downgrade).
    """
    if code_challenge is None or code_verifier is None:
        return code_challenge is None and code_verifier is None
    if not _VERIFIER.fullmatch(code_verifier):
        return False
    digest = hashlib.sha256(code_verifier.encode()).digest()  # RFC 7636 §4.6
    return compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), code_challenge)
