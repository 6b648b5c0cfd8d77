"""The whole sandbox: its state, and the app that serves it."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from gateway.sandbox.accounts import ORGANIZATIONS
from gateway.sandbox.api.gate import ApiGate
from gateway.sandbox.arrivals import Arrivals
from gateway.sandbox.authorization_server.authorization_endpoint import AuthorizationEndpoint
from gateway.sandbox.authorization_server.clients import Client, Clients
from gateway.sandbox.authorization_server.grants import Connection, Grants
from gateway.sandbox.authorization_server.keys import Keys
from gateway.sandbox.authorization_server.logins import Logins
from gateway.sandbox.authorization_server.openid import OpenId
from gateway.sandbox.authorization_server.token_endpoint import TokenEndpoint
from gateway.sandbox.authorization_server.tokens import mint_access_token
from gateway.sandbox.books.generator import generate_books
from gateway.sandbox.broken import RAW_SEND
from gateway.sandbox.control import Control
from gateway.sandbox.counters import Counters
from gateway.sandbox.faults import Faults
from gateway.sandbox.front import FrontPage
from gateway.sandbox.limits import Limits
from gateway.sandbox.pages.page import STYLE
from gateway.sandbox.webhooks.webhooks import Webhooks

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gateway.sandbox.authorization_server.clients import Picture
    from gateway.sandbox.books.ledger import Books
    from gateway.sandbox.options import SandboxOptions


_FARTHEST = 10 * 366 * 86400
"""Seconds that the clock can be moved: dates stay such as lexoffice's format can tell."""


class Sandbox:
    """Everything that the sandbox knows; tests reach it as `app.state.sandbox`."""

    def __init__(self, options: SandboxOptions) -> None:
        self.options = options
        self.clock_offset = 0.0
        self.counters = Counters()
        self.arrivals = Arrivals()
        self.clients = Clients(_registered(options))
        self.logins = Logins()
        self.keys = Keys()
        self.grants = Grants(options, self.counters, self._mint, lambda: self.faults, self._announce_end)
        self.limits = Limits(options.rate, options.burst)
        self.books = {
            organization.id: generate_books(organization, seed=options.seed, now=self.now())
            for organization in ORGANIZATIONS
        }
        self.webhooks = Webhooks(self.books, self.now, options.webhook_retries)
        for books in self.books.values():
            books.announce = partial(self.webhooks.announce, books.organization.id)
        self.random = Random(options.seed)
        """What is drawn for those who change the books at random."""
        self.faults = Faults(
            {
                "access_token_death": self.grants.kill_access_tokens,
                "connection_revoked": self.grants.end_all,
                "key_roll": self.keys.roll,
            }
        )

    def now(self) -> float:
        """Unix seconds by the sandbox's clock."""
        return self.options.clock() + self.clock_offset

    def books_of(self, organization: object) -> Books:
        """Return the books of an organization by its key or id; raises ValueError where there are none."""
        for one in ORGANIZATIONS:
            if organization in {one.key, one.id}:
                return self.books[one.id]
        raise ValueError(f"organization must be one of {', '.join(one.key for one in ORGANIZATIONS)}")

    def move_clock(self, offset_seconds: float) -> None:
        """Set the clock so far ahead of the machine's, or behind it.

        Raises ValueError for more than ten years.
        """
        if not abs(offset_seconds) <= _FARTHEST:
            raise ValueError(f"the clock moves by {_FARTHEST} seconds at most")
        self.clock_offset = offset_seconds

    def webhook_public_key_pem(self) -> str:
        """Return the key that deliveries are checked with."""
        return self.webhooks.key.public_pem()

    def allows_call(self, connection: Connection) -> bool:
        """Whether the rate allows one more API call; it is counted by the clock that nobody moves."""
        key = connection.id if self.options.limit_by == "connection" else connection.client.id
        return self.limits.allows(key, now=self.options.clock())

    def _announce_end(self, connection: Connection) -> None:
        self.webhooks.announce(connection.user.organization.id, "token.revoked", connection.id)

    def _mint(self, connection: Connection, now: float) -> str:
        return mint_access_token(connection, now, self.keys, self.options)


class _Box(Starlette):
    """Starlette that remembers the server's `send`, which a fault needs to hang up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[RAW_SEND] = send
        await super().__call__(scope, receive, send)


def build_sandbox(options: SandboxOptions) -> Starlette:
    """Return the ASGI app; `app.state.sandbox` is its Sandbox."""
    sandbox = Sandbox(options)
    gate = ApiGate(sandbox)
    routes: list[BaseRoute] = [
        STYLE,
        *FrontPage(sandbox).routes(),
        *Control(sandbox).routes(),
        *AuthorizationEndpoint(sandbox).routes(),
        *TokenEndpoint(sandbox, "lexware").routes("/oauth2"),
        *TokenEndpoint(sandbox, "openid").routes("/openid"),
        *OpenId(sandbox).routes(),
        Route("/v1", gate),
        Mount("/v1", app=gate),
    ]
    app = _Box(routes=routes)
    app.router.redirect_slashes = False
    app.state.sandbox = sandbox
    return app


def _registered(options: SandboxOptions) -> tuple[Client, ...]:
    def client(picture: Picture, client_id: str, secret: str | None) -> Client:
        return Client(
            id=client_id,
            picture=picture,
            secret=secret,
            redirect_uris=options.redirect_uris,
            post_logout_redirect_uris=options.post_logout_redirect_uris,
        )

    return (
        client("lexware", options.client_id, options.client_secret),
        client("openid", options.client_id, options.client_secret),
        client("openid", f"{options.client_id}-public", None),
    )
