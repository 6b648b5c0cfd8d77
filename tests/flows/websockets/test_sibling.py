"""A WebSocket of an app on a sibling origin, and of a host of the same site that is not on the list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.sockets import open_socket, refusal_of, running_socket_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running
    from tests.support.sockets import SocketServer

APP = "https://web.example.com"
SAME_SITE = {"Sec-Fetch-Site": "same-site"}


@pytest.fixture(scope="module")
def server() -> Iterator[SocketServer]:
    with running_socket_server() as server:
        yield server


@pytest.fixture(scope="module")
def running(server: SocketServer) -> Iterator[Running]:
    route = {"prefix": "/api/live", "destination": server.url, "token": "user", "websocket": True}
    settings = {"LEXGATE_ROUTES": json.dumps([route]), "LEXGATE_APP_ORIGINS": APP}
    with running_gateway(settings=settings) as running:
        yield running


def test_a_sibling_opens_a_websocket_and_another_host_does_not(
    running: Running, server: SocketServer
) -> None:
    """RFC 6455 §10.2: cookies come with it wherever it was opened."""
    with Browser(running.public_url) as browser:
        browser.sign_in()
        for origin in ("https://taken-over.example.com", f"{APP}.evil.example", None):
            with pytest.raises(InvalidStatus) as error:
                open_socket(running, browser, origin=origin, headers=SAME_SITE)
            status, problem = refusal_of(error)
            assert (status, problem["code"]) == (403, "cross_site_refused")
        with pytest.raises(InvalidStatus):
            open_socket(running, browser, origin=APP, headers={"Sec-Fetch-Site": "cross-site"})
        assert not server.handshakes
        with open_socket(running, browser, origin=APP, headers=SAME_SITE):
            pass
        assert len(server.handshakes) == 1
