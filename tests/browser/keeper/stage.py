"""One person's browser with some tabs of an app that is nothing but its client, and what each was told."""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext, CDPSession, Page

    from tests.browser.conftest import Complaints
    from tests.support.running import Running

PAGE = Path(__file__).parent / "page"
PATIENCE_SECONDS = 60.0
MODES = {
    "shared": "",
    "lock": "delete globalThis.SharedWorker;",
    "page": "delete globalThis.SharedWorker; delete globalThis.Worker;",
}
"""Where the keeper lives: in a SharedWorker; where there is none, in a Worker of one tab, or in that tab."""
HANG = """void setTimeout(() => {
  const call = new XMLHttpRequest();
  call.open('GET', '/api/kept/hang', false);
  call.send();
})"""
WRONGS = ["status of 401", "status of 503", "status of 403", "ERR_", "Synchronous"]
"""What browsers write into the console of a call that fails, which is what these tests make them do."""


@dataclass
class Tabs:
    """The tabs of one browser."""

    context: BrowserContext
    running: Running
    complaints: Complaints
    pages: list[Page] = field(default_factory=list)

    def open(self, path: str = "/") -> Page:
        """Open one more tab, and return once its client has heard of the session."""
        page = self.context.new_page()
        self.complaints.watch(page)
        page.goto(path)
        wait_told(page, "ready")
        self.pages.append(page)
        return page

    def sign_in(self, user: str = "anna", *, path: str = "/") -> Page:
        """Open a tab by signing in."""
        page = self.context.new_page()
        self.complaints.watch(page)
        page.goto(f"/auth/login?return_to={path}")
        consent(page, user)
        wait_told(page, "ready")
        self.pages.append(page)
        return page

    def open_signed_in(self, number: int) -> list[Page]:
        """Sign in, and open so many tabs in all, to each of which events come."""
        self.sign_in()
        for _ in range(number - 1):
            self.open()
        for page in self.pages:
            wait_told(page, "live", where=lambda isLive: isLive is True)  # noqa: N803 - as the client calls it
        return list(self.pages)


def consent(page: Page, user: str = "anna") -> None:
    """Sign a person in on the authorization server's pages, whoever is signed in there."""
    person, allow = page.get_by_test_id(f"user-{user}"), page.get_by_test_id("allow")
    expect(person.or_(allow)).to_be_visible()
    if allow.is_visible():
        page.get_by_test_id("choose").click()
    person.click()
    allow.click()


def until(page: Page, condition: Callable[[], bool], *, what: str = "it") -> None:
    """Poll until it holds; AssertionError if it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        page.wait_for_timeout(20)


def told(page: Page, kind: str) -> list[Any]:
    """Return all of one kind that a tab was told so far."""
    found: list[Any] = page.evaluate(
        "(kind) => (window.told ?? []).filter((one) => one.kind === kind).map(({ data }) => data)", kind
    )
    return found


def wait_told(
    page: Page, kind: str, number: int = 1, *, where: Callable[[Any], bool] = lambda _: True
) -> Any:  # noqa: ANN401 - what the client tells
    """Wait until a tab was told so many of one kind, and return the last of them."""
    found: list[Any] = []

    def is_told() -> bool:
        found[:] = [each for each in told(page, kind) if where(each)]
        return len(found) >= number

    until(page, is_told, what=f"{number} x {kind} in {page.url}")
    return found[number - 1]


def hears(page: Page, resource: str, *, most: int = 1) -> None:
    """Wait until a tab was told of a change, or that it may have missed one, and no more than once."""
    until(
        page,
        lambda: (
            any(event["resourceId"] == resource for event in told(page, "changed"))
            or told(page, "missed") != []
        ),
        what=resource,
    )
    assert [event["resourceId"] for event in told(page, "changed")].count(resource) <= most


def forget(page: Page) -> None:
    """Let a tab begin anew with what it was told."""
    page.evaluate("window.told.length = 0")


def metric(running: Running, name: str, **labels: str) -> float:
    """Return the sum of a metric's series that have these labels."""
    text = httpx.get(f"{running.admin_url}/metrics", trust_env=False).text
    total = 0.0
    for line in text.splitlines():
        series, _, value = line.rpartition(" ")
        known = dict(re.findall(r'(\w+)="([^"]*)"', series))
        if series.partition("{")[0] == name and labels.items() <= known.items():
            total += float(value)
    return total


def streams(running: Running) -> int:
    """Return how many streams of events are open at the gateway."""
    return int(metric(running, "lexgate_event_streams"))


def answered(running: Running, route: str, method: str = "GET") -> int:
    """Return how many requests of a route have been answered, or have begun to be."""
    return int(metric(running, "lexgate_requests_total", route=route, method=method))


def opened_streams(running: Running) -> int:
    """Return how many streams were ever opened or refused."""
    return answered(running, "/auth/events")


def workers(page: Page) -> list[str]:
    """Return the kinds of the gateway's workers that run in a tab's browser."""
    with cdp_of(page) as session:
        return sorted(one["type"] for one in _workers(page, session))


def hang(page: Page, mode: str) -> None:
    """Let the keeper of a tab, and that tab, stand still until the wire answers: as in one that is frozen."""
    if mode == "shared":
        run_in_worker(page, HANG)
        return
    for worker in page.workers:
        worker.evaluate(HANG)
    page.evaluate(HANG)


def run_in_worker(page: Page, script: str) -> None:
    """Let the SharedWorker of a tab's browser do something."""
    with cdp_of(page) as session:
        (target,) = _workers(page, session)
        attached = session.send("Target.attachToTarget", {"targetId": target["targetId"], "flatten": False})
        message = {"id": 1, "method": "Runtime.evaluate", "params": {"expression": script}}
        order = {"sessionId": attached["sessionId"], "message": json.dumps(message)}
        session.send("Target.sendMessageToTarget", order)


@contextmanager
def cdp_of(page: Page) -> Iterator[CDPSession]:
    """Speak to the browser of a page."""
    browser = page.context.browser
    assert browser is not None
    session = browser.new_browser_cdp_session()
    yield session
    session.detach()


def _workers(page: Page, session: CDPSession) -> list[dict[str, Any]]:
    mine = page.context.new_cdp_session(page).send("Target.getTargetInfo")["targetInfo"]
    found: list[dict[str, Any]] = session.send("Target.getTargets", {"filter": [{}]})["targetInfos"]
    return [
        one
        for one in found
        if one["type"] in {"shared_worker", "worker"} and one["browserContextId"] == mine["browserContextId"]
    ]


def leader_of(pages: list[Page]) -> Page:
    """Return the tab that holds the keeper's lock."""
    probe = """async () => {
      const held = (found, name) => found.held.find((lock) => lock.name === name)?.clientId;
      return navigator.locks.request('probe', async () => {
        const found = await navigator.locks.query();
        return held(found, 'lexgate.keeper') === held(found, 'probe');
      });
    }"""
    holding: list[Page] = []

    def is_held() -> bool:
        holding[:] = [page for page in pages if page.evaluate(probe)]
        return bool(holding)

    until(pages[0], is_held, what="a tab that holds the lock")
    assert len(holding) == 1
    return holding[0]
