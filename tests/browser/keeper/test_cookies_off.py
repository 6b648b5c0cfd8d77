"""A browser that takes no cookies of third parties signs in, refreshes and listens like any other."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from tests.browser.keeper.stage import consent, streams, wait_told
from tests.support.chromium import ARGUMENTS
from tests.support.running import running_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, Page
    from starlette.types import Receive, Scope, Send

    from tests.browser.keeper.stage import Tabs
    from tests.support.running import Running

TAKEN = {"profile": {"cookie_controls_mode": 0}}
"""The preference with which Chromium takes them; by default it does not, nor does any page of these tests."""


async def third_party(scope: Scope, _receive: Receive, send: Send) -> None:
    """Set a cookie for everywhere, and say which ones came."""
    cookies = [value for name, value in scope["headers"] if name == b"cookie"]
    headers = [(b"content-type", b"text/html"), (b"set-cookie", b"a=b; SameSite=None; Secure; Path=/")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"came: " + b";".join(cookies)})


def came_to_a_third_party(page: Page) -> str:
    """Show a page of another site within one twice, and return which cookies came the second time."""
    with running_app(third_party) as url:
        page.goto(url)
        framed = f"<iframe src='{url.replace('127.0.0.1', 'localhost')}'></iframe>"
        for _ in range(2):
            page.set_content(framed)
            came = page.frame_locator("iframe").get_by_text("came:").inner_text()
        return came.removeprefix("came:").strip()


def test_third_parties_have_no_cookies_here(chromium: Browser, tmp_path: Path) -> None:
    """Or the other test would prove nothing."""
    page = chromium.new_page()
    assert came_to_a_third_party(page) == ""
    page.close()
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default/Preferences").write_text(json.dumps(TAKEN))
    taking = chromium.browser_type.launch_persistent_context(
        tmp_path, executable_path=shutil.which("chromium"), args=list(ARGUMENTS)
    )
    assert came_to_a_third_party(taking.new_page()) == "a=b"
    taking.close()


def test_all_goes_on_without_cookies_of_third_parties(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    tabs = new_tabs(mode)
    page = tabs.open()
    with page.expect_popup() as popup:
        page.click("#popup")
    with popup.value.expect_event("close"):
        consent(popup.value)
    wait_told(page, "login")
    other = tabs.open()
    for tab in (page, other):
        wait_told(tab, "live", where=lambda is_live: is_live is True)
    assert streams(running) == 1
    running.clock.now += 11  # younger tokens are not renewed
    assert page.evaluate("window.client.keepAlive().then(({ tokens }) => tokens.generation)") == 2
    wait_told(other, "refreshed")
    status = "window.client.fetch('/api/v1/profile').then(({ status }) => status)"
    assert other.evaluate(status) == 200
