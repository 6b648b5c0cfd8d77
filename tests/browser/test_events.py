"""The stream of events as a real browser's EventSource reads it: live, over a restart, until sign-out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gateway.sandbox.accounts import NORDLICHT
from tests.browser.conftest import MovingClock, sign_in
from tests.support.event_streams import publish
from tests.support.ports import free_port
from tests.support.running import running_gateway
from tests.support.wire import SOON, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import Complaints
    from tests.support.running import Running

LISTEN = """() => new Promise((resolve) => {
  window.told = [];
  window.source = new EventSource('/auth/events');
  const kinds = ['hello', 'lexoffice', 'missed', 'session.refreshed', 'session.ended'];
  for (const kind of kinds) {
    window.source.addEventListener(kind, ({ data, lastEventId }) => {
      window.told.push({ kind, data: JSON.parse(data), lastEventId });
      if (kind === 'hello') resolve();
    });
  }
})"""
COUNT = "(kind) => window.told.filter((event) => event.kind === kind).length"


def wait_for(page: Page, kind: str, number: int = 1) -> None:
    """Wait until so many events of a kind have come."""
    until(lambda: page.evaluate(COUNT, kind) >= number)


def resources(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "window.told.filter(({ kind }) => kind === 'lexoffice').map(({ data }) => data.resource_id)"
    )
    return found


def test_an_event_reaches_the_page_within_a_second(running: Running, new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page)
    page.evaluate(LISTEN)
    began = time.monotonic()
    place = publish(running, NORDLICHT.id, "r1")
    wait_for(page, "lexoffice")
    assert time.monotonic() - began < SOON
    assert page.evaluate("window.told.at(-1)") == {
        "kind": "lexoffice",
        "data": {"type": "invoice.changed", "resource_id": "r1", "date": "2026-11-26T10:00:00.000Z"},
        "lastEventId": place,
    }


def test_sign_out_ends_the_stream_with_its_reason_and_for_good(
    running: Running, new_page: Callable[..., Page], complaints: Complaints
) -> None:
    page = new_page()
    sign_in(page)
    page.evaluate(LISTEN)
    complaints.expected.append("401 (Unauthorized)")
    out = "fetch('/auth/logout', {method: 'POST', headers: {'X-CSRF': '1'}}).then((answer) => answer.status)"
    assert page.evaluate(out) == 200
    wait_for(page, "session.ended")
    assert page.evaluate("window.told.at(-1).data") == {"reason": "signed_out", "login_url": "/auth/login"}
    until(lambda: page.evaluate("window.source.readyState === EventSource.CLOSED"))
    assert running.url


def test_a_page_that_never_asked_for_its_session_is_told_of_its_end(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    page = new_page()
    sign_in(page)
    page.goto("/auth/page.css")  # nothing of the app runs here
    page.evaluate(
        """async () => {
          const { events, onSessionEnded } = await import('/auth/client.js');
          onSessionEnded((end) => (window.end = end));
          await new Promise((live) => events({ live, refreshed: () => (window.isTold = true) }));
        }"""
    )
    running.clock.now += 11  # younger tokens are not refreshed
    complaints.expected += ["401 (Unauthorized)", "404 (Not Found)"]  # the latter: an icon of that page
    for path in ("session/refresh", "logout"):
        page.evaluate("(path) => fetch(`/auth/${path}`, {method: 'POST', headers: {'X-CSRF': '1'}})", path)
        until(lambda: page.evaluate("window.isTold === true"))
    until(lambda: page.evaluate("window.end !== undefined"))
    assert page.evaluate("window.end") == {"reason": "signed_out", "loginUrl": "/auth/login"}


def test_an_event_source_comes_back_after_a_restart_and_misses_nothing(
    chromium: Browser, tmp_path: Path
) -> None:
    port = free_port()
    options: dict[str, Any] = {
        "store": f"sqlite:///{tmp_path}/sessions.sqlite",
        "port": port,
        "clock": MovingClock(0),
    }
    context = chromium.new_context(base_url=f"http://localhost:{port}", locale="en-GB")
    page = context.new_page()
    try:
        with running_gateway("lexware", **options) as running:
            sign_in(page)
            page.evaluate(LISTEN)
            publish(running, NORDLICHT.id, "before")
            wait_for(page, "lexoffice")
        with running_gateway("lexware", **options) as running:
            publish(running, NORDLICHT.id, "between")
            wait_for(page, "hello", 2)
            publish(running, NORDLICHT.id, "after")
            wait_for(page, "lexoffice", 3)
            assert resources(page) == ["before", "between", "after"]
            assert page.evaluate(COUNT, "missed") == 0
    finally:
        context.close()
