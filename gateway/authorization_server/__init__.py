"""The one HTTP client of the authorization server."""

from gateway.authorization_server.client import AuthorizationServer

__all__ = ["AuthorizationServer"]
