"""Whose certificate is believed where a WebSocket goes on by TLS."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.browser import Browser
from tests.support.certificate import write_certificate
from tests.support.running import running_gateway
from tests.support.sockets import open_socket, refusal_of, running_socket_server
from tests.support.wire import SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.running import Running


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("tls")
    made = write_certificate(folder)
    (folder / "other").mkdir()
    other = write_certificate(folder / "other", "127.0.0.2")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.certificate, made.key)
    with running_socket_server(ssl=context) as server:
        secure = server.url.replace("http:", "https:")
        route = {"destination": secure, "token": "user", "websocket": True}
        routes = [
            {**route, "prefix": "/api/trusted", "ca_file": str(made.certificate)},
            {**route, "prefix": "/api/other", "ca_file": str(other.certificate)},
            {**route, "prefix": "/api/unsaid"},
            {**route, "prefix": "/api/misnamed", "destination": secure.replace("127.0.0.1", "localhost")},
        ]
        routes[3]["ca_file"] = str(made.certificate)
        with running_gateway(settings={"LEXGATE_ROUTES": json.dumps(routes)}) as running:
            yield running


@pytest.fixture
def browser(running: Running) -> Iterator[Browser]:
    with Browser(running.public_url) as browser:
        browser.sign_in()
        yield browser


def test_the_certificates_of_the_route_are_believed(running: Running, browser: Browser) -> None:
    with open_socket(running, browser, "/api/trusted/x") as connection:
        connection.send("secret")
        assert connection.recv(timeout=SECONDS) == "secret"


@pytest.mark.parametrize("path", ["/api/other/x", "/api/unsaid/x", "/api/misnamed/x"])
def test_no_token_goes_to_a_server_whose_certificate_is_not_believed(
    running: Running, browser: Browser, path: str
) -> None:
    with pytest.raises(InvalidStatus) as error:
        open_socket(running, browser, path)
    assert refusal_of(error)[1]["code"] == "resource_server_unreachable"
