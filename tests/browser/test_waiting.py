"""What is on the screen comes first, and a person knows that lexoffice is waited for and about how long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import axe_violations, imported, look, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Complaints

MANY = f"""async (calls) => {{
  const {{ pacedFetch }} = await {imported("pace")};
  const {{ signal }} = new AbortController();
  for (const [name, urgency] of calls) pacedFetch(`/api/v1/${{name}}`, {{ signal, urgency }});
}}"""


class Held:
    """Requests of a page that get no answer until they are let go, in the order in which they came."""

    def __init__(self, page: Page, pattern: str | re.Pattern[str]) -> None:
        self.routes: list[Route] = []
        self._page = page
        page.route(pattern, lambda route: self.routes.append(route))  # noqa: PLW0108 - playwright marks it

    def names(self) -> list[str]:
        return [route.request.url.rpartition("/")[2] for route in self.routes]

    def wait_for(self, number: int) -> None:
        for _ in range(200):
            if len(self.routes) >= number:
                return
            self._page.wait_for_timeout(10)
        raise AssertionError(f"{self.names()} came, not {number}")

    def let_go(self, number: int = 1, **answer: Any) -> None:  # noqa: ANN401 - of Route.fulfill
        for route in self.routes[:number]:
            route.fulfill(**{"status": 200, "json": {}, **answer})
        del self.routes[:number]


def test_no_more_calls_are_under_way_than_leave_connections_free_and_the_urgent_go_first(
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    sign_in(page, path="/nowhere")
    held = Held(page, re.compile("/api/v1/call-"))
    page.evaluate(MANY, [[f"call-rest-{n}", 5] for n in range(4)])
    held.wait_for(2)
    page.evaluate(MANY, [["call-beside", 3], ["call-seen", 1], ["call-clicked", 0]])
    held.wait_for(4)
    page.evaluate(
        "fetch('/favicon.svg').then((answer) => answer.text())"
    )  # whatever was sent before has come
    assert held.names() == ["call-rest-0", "call-rest-1", "call-beside", "call-seen"]
    held.let_go()
    held.wait_for(4)
    assert held.names()[-1] == "call-clicked"
    held.let_go(4)
    held.wait_for(2)
    assert held.names() == ["call-rest-2", "call-rest-3"]


def test_calls_tell_their_urgency_and_their_patience(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sent: dict[str, tuple[str | None, str | None]] = {}

    def note(request: Any) -> None:  # noqa: ANN401 - playwright's
        if "/api/" in request.url:
            fields = request.headers
            sent[request.url] = fields.get("priority"), fields.get("prefer")

    page.on("request", note)
    sign_in(page)
    expect(page.get_by_test_id("chart")).to_be_visible()
    told = {("open" if "voucherStatus=open" in url else "settled"): fields for url, fields in sent.items()}
    assert told == {"open": ("u=1", "wait=25"), "settled": ("u=3", "wait=25")}


@pytest.mark.parametrize(("scheme", "locale"), [("light", "de-DE"), ("dark", "en-GB")])
def test_the_sums_that_are_there_are_shown_before_the_year_is(
    new_page: Callable[..., Page], scheme: str, locale: str
) -> None:
    page = new_page(color_scheme=scheme, locale=locale)
    held = Held(page, re.compile("voucherStatus=paid"))
    sign_in(page)
    expect(page.get_by_test_id("total-open")).to_contain_text("€")
    expect(page.get_by_test_id("total-paid")).not_to_contain_text("€")
    notice = page.get_by_test_id("notice")
    expect(notice).to_contain_text(
        {"de-DE": "Wartet auf lexoffice", "en-GB": "Waiting for lexoffice"}[locale]
    )
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        look(page, f"waiting-{scheme}-{width}")
        assert axe_violations(page) == []
    expect(notice).to_contain_text(re.compile(r"(for|seit) \d"))
    look(page, f"waiting-long-{scheme}-360")
    held.routes[0].continue_()
    expect(page.get_by_test_id("chart")).to_be_visible()
    expect(notice).to_be_empty()


def test_a_pause_that_is_asked_for_is_told_in_seconds_and_the_call_goes_on(
    new_page: Callable[..., Page], complaints: Complaints
) -> None:
    complaints.expected.append("429")
    page = new_page()
    held = Held(page, re.compile("/api/v1/contacts"))
    sign_in(page, path="/nowhere")
    page.get_by_role("link", name="Contacts").first.click()
    held.wait_for(1)
    held.let_go(status=429, headers={"Retry-After": "2"}, json={"message": "Rate limit exceeded"})
    expect(page.get_by_test_id("notice")).to_contain_text(re.compile(r"about [23] seconds"))
    held.wait_for(1)
    held.routes[0].continue_()
    expect(page.get_by_test_id("contacts")).to_be_visible()
    expect(page.get_by_test_id("notice")).to_be_empty()


def test_that_calls_are_late_is_told_once_and_then_what_changes(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path="/nowhere")
    held = Held(page, re.compile("/api/v1/late-"))
    page.evaluate(
        """async () => {
          const { fetch, onWaiting } = await import('/auth/client.js');
          window.told = [];
          onWaiting(({ calls }) => window.told.push(calls));
          for (const n of [1, 2, 3]) fetch(`/api/v1/late-${n}`);
        }"""
    )
    held.wait_for(3)
    expect(page.get_by_test_id("notice")).not_to_be_empty()
    held.let_go(3)
    expect(page.get_by_test_id("notice")).to_be_empty()
    assert page.evaluate("window.told") == [3, 2, 1, 0]


def test_quick_answers_are_not_spoken_of(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.add_init_script(
        """addEventListener('DOMContentLoaded', () => new MutationObserver(() => {
          const text = document.getElementById('notice')?.textContent;
          if (text) window.spoken = text;
        }).observe(document.body, { subtree: true, childList: true }));"""
    )
    sign_in(page, path="/vouchers")
    expect(page.get_by_test_id("vouchers")).to_be_visible()
    assert page.evaluate("window.spoken") is None
