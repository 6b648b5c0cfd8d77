"""How the authorization server says no: on a page, by a redirect, or in a token endpoint's answer."""

from __future__ import annotations


class ShownRefusal(Exception):
    """A page: client or redirect URI cannot be trusted, so nobody is sent there (open redirector)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SentRefusal(Exception):
    """An authorization error response, sent to the client's redirect URI (RFC 6749 §4.1.2.1)."""

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.description = description


class TokenRefusal(Exception):
    """An error answer of the token or revocation endpoint (RFC 6749 §5.2)."""

    def __init__(self, error: str, description: str = "", status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status
