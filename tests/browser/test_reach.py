"""The line that says that something is away: it stays while that is so, whatever still answers meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import MovingClock, settle, sign_in
from tests.support.running import Running, running_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Route

    from tests.browser.conftest import Complaints

LIFETIME = 60
ENDED = LIFETIME - 12

WATCH = """() => {
  window.lines = [];
  const note = () => {
    const line = Boolean(document.getElementById("reach")?.firstElementChild);
    if (line !== window.lines.at(-1)) window.lines.push(line);
  };
  new MutationObserver(note).observe(document.body, { childList: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """Run a gateway whose tokens need to be refreshed soon, and whose sessions last."""
    with running_gateway(
        "lexware",
        clock=MovingClock(0),
        settings={"LEXGATE_SESSION_IDLE": "30000"},
        sandbox_options={"access_token_lifetime": LIFETIME},
    ) as running:
        yield running


def test_while_the_authorization_server_is_away_the_line_neither_comes_nor_goes_with_each_answer(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected.append("503")
    page = new_page()
    sign_in(page, path="/contacts")
    expect(page.get_by_test_id("contacts")).to_be_visible()
    page.evaluate(WATCH)
    running.sandbox.faults.inject("token_failing")
    running.clock.advance(ENDED)
    line = page.get_by_test_id("reach")
    page.get_by_role("link", name="Vouchers").click()
    expect(page.get_by_test_id("vouchers")).to_be_visible()
    settle(page)
    # As the keeper does, which may be told to wait for a minute if it did so before the view was there.
    page.evaluate("import('/auth/client.js').then(({ keepAlive }) => keepAlive()).catch(() => {})")
    expect(line).to_contain_text("You stay signed in")
    with page.expect_response("**/auth/session") as asked:
        page.get_by_role("link", name="Contacts").click()
    assert asked.value.status == 200, "which the gateway can answer without"
    asked.value.finished()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.lines") in ([True], [False, True])
    running.sandbox.faults.clear()
    line.get_by_role("button").click()
    expect(line).to_be_empty(timeout=60_000)
    expect(page.get_by_test_id("contacts")).to_be_visible()


def test_what_failed_is_asked_again_though_the_first_call_on_the_network_that_is_back_was_lost(
    new_page: Callable[..., Page], complaints: Complaints
) -> None:
    complaints.expected += ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED"]
    page = new_page()
    sign_in(page, path="/vouchers")
    expect(page.get_by_test_id("vouchers")).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("link", name="Contacts").first.click()
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    lost: list[str] = []

    def lose(route: Route) -> None:
        lost.append(route.request.url)
        route.abort()

    page.route("**/auth/session", lose, times=1)
    page.context.set_offline(False)
    expect(page.get_by_test_id("contacts")).to_be_visible()
    assert len(lost) == 1
