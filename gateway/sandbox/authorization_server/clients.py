"""The registered clients and how they prove who they are."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote_plus

from gateway.sandbox.authorization_server.refusals import TokenRefusal

if TYPE_CHECKING:
    from collections.abc import Mapping

Picture = Literal["lexware", "openid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client as one picture knows it; a public one has no secret."""

    id: str
    picture: Picture
    secret: str | None = field(repr=False)
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]

    @property
    def is_public(self) -> bool:
        """Whether the client has no secret, so that PKCE alone protects its codes."""
        return self.secret is None


class Clients:
    """Client look-up and authentication for both pictures."""

    def __init__(self, clients: tuple[Client, ...]) -> None:
        self._clients = {(client.picture, client.id): client for client in clients}

    def find(self, client_id: str | None, picture: Picture) -> Client | None:
        """Return the client of that id in that picture."""
        return self._clients.get((picture, client_id or ""))

    def authenticate(self, authorization: str | None, form: Mapping[str, str], picture: Picture) -> Client:
        """Return the client that sent a token or revocation request.

        Raises:
            TokenRefusal: invalid_client, or invalid_request for two methods at once.

        """
        if authorization is None:
            return self._authenticate_by_form(form, picture)
        # RFC 6749 §2.3: one authentication method a request
        if "client_secret" in form:
            raise TokenRefusal("invalid_request", "more than one client authentication method")
        client_id, secret = _parse_basic(authorization)
        if form.get("client_id", client_id) != client_id:
            raise TokenRefusal("invalid_request", "client_id does not match the Authorization header")
        return self._checked(self.find(client_id, picture), secret)

    def _authenticate_by_form(self, form: Mapping[str, str], picture: Picture) -> Client:
        client = self.find(form.get("client_id"), picture)
        if picture == "lexware":
            raise TokenRefusal("invalid_client", "HTTP Basic is required", 401)
        if client and client.is_public and "client_secret" not in form:
            return client
        return self._checked(client, form.get("client_secret", ""))

    @staticmethod
    def _checked(client: Client | None, secret: str) -> Client:
        expected = (client.secret if client else None) or ""
        if client is None or not expected or not compare_digest(expected.encode(), secret.encode()):
            raise TokenRefusal("invalid_client", "client authentication failed", 401)
        return client


def _parse_basic(authorization: str) -> tuple[str, str]:
    """User name and password, each form-urlencoded before they were joined (RFC 6749 §2.3.1)."""
    scheme, _, credentials = authorization.partition(" ")
    try:
        pair = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        pair = ""
    client_id, colon, secret = pair.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise TokenRefusal("invalid_client", "the Authorization header is malformed", 401)
    return unquote_plus(client_id), unquote_plus(secret)
