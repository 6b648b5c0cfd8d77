"""From a click in the books at lexoffice to the row in the app: by webhook, bus, stream and refetch.

With lexoffice's real limit of two calls a second. The figures are printed (`pytest -s`); what is asserted is
generous, since a test machine may be busy.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import axe_violations, look, sign_in
from tests.browser.test_live import ON
from tests.browser.test_waiting import MANY
from tests.support.running import RunningClock, running_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.running import Running

GENEROUS_MS = 5000
# Both pages read one clock. The sandbox's page is gone after the click, so it tells the moment at once.
TELL_SUBMIT = "addEventListener('submit', () => console.info(`submitted ${Date.now()}`), true);"
WATCH = """([selector, text]) => {
  window.seen = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`no ${selector} ever said ${text}`)), 20_000);
    const look = () => {
      const places = [...document.querySelectorAll(selector)];
      if (places.some((one) => one.textContent.includes(text))) resolve(Date.now());
    };
    new MutationObserver(look).observe(document.body,
      { subtree: true, childList: true, characterData: true, attributes: true });
  });
}"""


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_gateway(
        "lexware",
        clock=RunningClock(),
        settings={"LEXGATE_BUDGET_RATE": "2"},
        sandbox_options={"rate": 2.0, "burst": 2},
        webhooks=True,
    ) as running:
        yield running


class Desk:
    """lexoffice in one window, and the app in another."""

    def __init__(self, new_page: Callable[..., Page], running: Running) -> None:
        self.app, self.lexoffice = new_page(), new_page()
        self._clock = running.clock
        self.submitted = 0
        self._home = f"{running.sandbox_url}/?organization="
        self.lexoffice.add_init_script(TELL_SUBMIT)
        self.lexoffice.on("console", lambda message: self._note(message.text))

    def _note(self, text: str) -> None:
        if text.startswith("submitted "):
            self.submitted = int(text.removeprefix("submitted "))

    def open_app(self, path: str, *, user: str = "anna") -> None:
        sign_in(self.app, path=path, user=user)
        expect(self.app.get_by_test_id("live")).to_have_text(ON)
        expect(self.app.locator("[aria-busy]")).to_have_count(0)
        self.read_for_a_moment()
        self.lexoffice.goto(self._home + {"anna": "nordlicht", "jonas": "rebenhof"}[user])

    def read_for_a_moment(self) -> None:
        """Let the time pass in which lexoffice allows calls again."""
        self._clock.advance(5)

    def watch(self, selector: str, text: str) -> None:
        """Note when the first change makes an element say a text."""
        self.app.evaluate(WATCH, [selector, text])

    def elapsed(self, what: str) -> int:
        """Return the milliseconds from the click to what was watched for, and print them."""
        elapsed = int(self.app.evaluate("window.seen")) - self.submitted
        sys.stdout.write(f"\n{what}: {elapsed} ms\n")
        return elapsed


@pytest.fixture
def desk(new_page: Callable[..., Page], running: Running) -> Desk:
    return Desk(new_page, running)


def test_an_invoice_added_at_lexoffice_is_a_row_in_the_app_within_a_moment(desk: Desk) -> None:
    desk.open_app("/vouchers")
    desk.watch('[data-testid="vouchers"] tbody tr', "€4,711.00")
    form = desk.lexoffice.get_by_test_id("new-invoice")
    form.get_by_role("textbox").fill("4711.00")
    form.get_by_test_id("add").click()
    assert 0 <= desk.elapsed("from the form's submit to the new row") < GENEROUS_MS
    row = desk.app.get_by_test_id("vouchers").get_by_role("row").filter(has_text="€4,711.00")
    expect(row).to_contain_text("Open")

    desk.read_for_a_moment()
    desk.watch('[data-testid="vouchers"] tbody tr[data-fresh]', "Paid")
    desk.lexoffice.get_by_test_id("invoice").filter(has_text="4,711.00").get_by_test_id("pay").click()
    assert 0 <= desk.elapsed("from the payment's submit to the changed row") < GENEROUS_MS
    expect(row).to_contain_text("Paid")
    look(desk.lexoffice, "sandbox-paid")


def test_the_sum_follows_an_invoice_within_a_moment(desk: Desk) -> None:
    desk.open_app("/")
    before = desk.app.get_by_test_id("total-open").text_content()
    desk.watch('[data-testid="total-open"][data-fresh]', "€")
    desk.lexoffice.get_by_test_id("add-random").click()
    assert 0 <= desk.elapsed("from the form's submit to the new sum") < GENEROUS_MS
    expect(desk.app.get_by_test_id("total-open")).not_to_have_text(before or "")


def test_who_ends_the_connection_at_lexoffice_is_signed_out_within_a_moment(desk: Desk) -> None:
    desk.open_app("/vouchers", user="jonas")
    desk.watch('[data-testid="signed-out-reason"]', "lexoffice has ended the connection")
    desk.lexoffice.get_by_test_id("end").click()
    assert 0 <= desk.elapsed("from token.revoked to the signed-out page") < GENEROUS_MS
    expect(desk.app.get_by_test_id("vouchers")).not_to_be_attached()
    expect(desk.app.get_by_role("button", name="Sign in with lexoffice")).to_be_visible()


@pytest.mark.parametrize(("scheme", "locale"), [("light", "de-DE"), ("dark", "en-GB")])
def test_a_queue_at_the_gateway_is_told_with_about_the_time_that_it_takes(
    new_page: Callable[..., Page], scheme: str, locale: str
) -> None:
    page = new_page(color_scheme=scheme, locale=locale)
    sign_in(page, path="/vouchers", user="jonas")
    expect(page.get_by_test_id("vouchers")).to_be_visible()
    answers: list[int] = []
    page.on("response", lambda answer: answers.append(answer.status) if "/contacts" in answer.url else None)
    started = page.evaluate("Date.now()")
    page.evaluate(MANY, [[f"contacts?page={number}", 3] for number in range(12)])
    notice = page.get_by_test_id("notice")
    told = re.compile(r"(?:about|noch etwa) (\d+) ")
    expect(notice).to_contain_text(told)
    found = told.search(notice.text_content() or "")
    assert found is not None
    estimate = int(found[1])
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        look(page, f"queue-{scheme}-{width}")
    assert axe_violations(page) == []
    expect(notice).to_be_empty()
    took = (page.evaluate("Date.now()") - started) / 1000
    sys.stdout.write(f"\ntwelve calls: told about {estimate} s, took {took:.1f} s\n")
    assert took / 3 < estimate < took * 2
    assert answers == [200] * 12
