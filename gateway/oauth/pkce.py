"""Proof Key for Code Exchange with S256 (RFC 7636): a stolen code is worth nothing without the verifier."""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode


def new_code_verifier() -> str:
    """Return 86 characters from 512 random bits (RFC 7636 §4.1 asks for 43 to 128)."""
    return secrets.token_urlsafe(64)


def build_code_challenge(code_verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 §4.2)."""
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
