"""An authorization server of the lexware picture and its API, scripted path by path."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.support.running import running_gateway
from tests.support.wire import Heard, Reply, Wire, reply, running_wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx

    from tests.support.browser import Browser
    from tests.support.running import Running

PROFILE = {
    "organizationId": "organization",
    "companyName": "Muster GmbH",
    "created": {"userId": "user", "userName": "Erika Muster", "userEmail": "erika@example.org"},
    "connectionId": "connection",
}
TOKENS = {"access_token": "first", "token_type": "Bearer", "expires_in": 900, "refresh_token": "refresh-1"}


class Script:
    """What each path answers; `{}` where nothing is said."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.answers: dict[str, Reply] = {}
        self.say("/oauth2/token", TOKENS)
        self.say("/v1/profile", PROFILE)

    def __call__(self, heard: Heard) -> Reply:
        """Answer one request."""
        return self.answers.get(heard.target.decode().partition("?")[0], reply())

    def say(self, path: str, document: dict[str, Any], status: int = 200, *fields: str) -> None:
        """Let a path answer with JSON from now on."""
        self.answers[path] = reply(status, json.dumps(document).encode(), *fields)

    def heard(self, path: str) -> list[Heard]:
        """Return what came to a path."""
        return [heard for heard in self.wire.heard if heard.target == path.encode()]


@contextmanager
def running_script(more: Mapping[str, str] | None = None) -> Iterator[tuple[Running, Script]]:
    """Run a gateway that has both its servers scripted, with more settings."""
    with running_wire() as wire:
        wire.script = script = Script(wire)
        settings = {"LEXGATE_AUTHORIZATION_SERVER": wire.url, "LEXGATE_API_URL": wire.url, **(more or {})}
        with running_gateway("lexware", settings=settings) as running:
            yield running, script


def come_back(browser: Browser, code: str = "code") -> httpx.Response:
    """Begin a sign-in and come back with a code, without visiting the authorization server."""
    begun = browser.navigate("/auth/login?return_to=/contacts", site="same-origin", follow=False)
    assert begun.next_request is not None, begun.text
    state = begun.next_request.url.params["state"]
    return browser.navigate(f"/auth/callback?code={code}&state={state}", site="cross-site")
