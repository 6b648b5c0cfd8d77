"""A WebSocket as a real browser opens it: with its cookie, under the page's policy, until sign-out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import sign_in
from tests.support.running import running_gateway
from tests.support.sockets import metrics, running_socket_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from tests.browser.conftest import Complaints
    from tests.support.running import Running

ECHO = """async () => {
  const socket = new WebSocket('/api/live/ticker', ['ticker.v2']);
  window.ended = new Promise((resolve) => socket.onclose = (event) => resolve([event.code, event.reason]));
  return await new Promise((resolve) => {
    socket.onmessage = (event) => resolve([event.data, socket.protocol]);
    socket.onopen = () => socket.send('hello');
    socket.onerror = () => resolve(['refused', '']);
  });
}"""


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_socket_server(
        select_subprotocol=lambda _, offered: offered[0] if offered else None
    ) as server:
        route = {"prefix": "/api/live", "destination": server.url, "token": "user", "websocket": True}
        with running_gateway("lexware", settings={"LEXGATE_ROUTES": json.dumps([route])}) as running:
            yield running


def test_a_page_of_the_app_speaks_with_the_api_until_its_session_ends(
    new_page: Callable[..., Page], complaints: Complaints
) -> None:
    page = new_page()
    sign_in(page)
    assert page.evaluate(ECHO) == ["hello", "ticker.v2"]
    out = "fetch('/auth/logout', {method: 'POST', headers: {'X-CSRF': '1'}}).then((answer) => answer.status)"
    assert page.evaluate(out) == 200
    assert page.evaluate("window.ended") == [4401, "signed_out"]
    complaints.expected.append("WebSocket connection to")
    assert page.evaluate(ECHO) == ["refused", ""]


def test_a_page_of_another_origin_opens_none(
    running: Running, new_page: Callable[..., Page], complaints: Complaints
) -> None:
    page = new_page()
    sign_in(page)
    complaints.expected.append("WebSocket connection to")
    complaints.expected.append("404 (Not Found)")  # the icon of that page
    page.goto(f"{running.admin_url}/livez")
    foreign = ECHO.replace("'/api", f"'{running.public_url.replace('http:', 'ws:')}/api")
    assert page.evaluate(foreign) == ["refused", ""]
    assert 'lexgate_csrf_refusals_total{cause="' in metrics(running)
