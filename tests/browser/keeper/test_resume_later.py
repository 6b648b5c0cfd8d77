"""A call that was given a name outlives the page that is left to sign in, and is had again once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.browser.keeper.stage import consent, told, until, wait_told
from tests.browser.keeper.test_resume import BODIES, TEXT, end_session, kept, post

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

    from tests.browser.keeper.stage import Tabs
    from tests.support.running import Running
    from tests.support.wire import Wire

RESUME = """(name) => {
  const answer = window.client.resume(name);
  if (answer) window.follow(name, answer);
  return answer !== undefined;
}"""


def leave_and_come_back(page: Page, user: str = "anna") -> None:
    """Leave the page to sign in, and wait until it is there again."""
    page.evaluate("void window.client.login()")
    consent(page, user)
    page.wait_for_url("**/?waits")
    wait_told(page, "ready")


def keep_a_call(running: Running, page: Page) -> None:
    """Make a call that meets the end of its session, and leave its page: the next one has it."""
    end_session(running, page)
    post(page, "invoice", "text", "invoice")
    wait_told(page, "needed")
    leave_and_come_back(page)


def test_a_named_post_is_had_again_by_the_page_that_comes_back(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire
) -> None:
    page = new_tabs().sign_in(path="/?waits")
    keep_a_call(running, page)
    assert wire.heard == [], "nothing is sent that nobody asks for"
    assert page.evaluate(RESUME, "invoice") is True
    assert wait_told(page, "answer")["status"] == 200
    (heard,) = kept(wire)
    assert (heard.body, heard.header("content-type")) == (TEXT.encode(), "text/x-kept")
    assert heard.target.endswith(b"/invoices?draft=1")
    assert page.evaluate(RESUME, "invoice") is False
    page.reload()
    wait_told(page, "ready")
    assert page.evaluate(RESUME, "invoice") is False
    assert len(kept(wire)) == 1


def test_another_person_who_comes_back_does_not_have_it(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire
) -> None:
    page = new_tabs().sign_in(path="/?waits")
    end_session(running, page)
    post(page, "invoice", "text", "invoice")
    wait_told(page, "needed")
    leave_and_come_back(page, "jonas")
    page.evaluate(RESUME, "invoice")
    assert wait_told(page, "failed")["status"] == 401
    leave_and_come_back(page)
    assert page.evaluate(RESUME, "invoice") is False, "nor is it left for the first one"
    assert wire.heard == []


def test_a_named_call_stays_in_its_tab(new_tabs: Callable[..., Tabs], running: Running, wire: Wire) -> None:
    tabs = new_tabs()
    page, other = tabs.sign_in(path="/?waits"), tabs.open("/")
    keep_a_call(running, page)
    assert other.evaluate(RESUME, "invoice") is False
    assert page.evaluate(RESUME, "invoice") is True
    wait_told(page, "answer")
    assert len(kept(wire)) == 1


def test_after_a_sign_out_nothing_of_it_is_left(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire
) -> None:
    page = new_tabs().sign_in(path="/?waits")
    keep_a_call(running, page)
    with page.expect_navigation():
        page.evaluate("void window.client.logout({ returnTo: '/?waits' })")
    page.goto("/auth/login?return_to=/%3Fwaits")
    consent(page)
    wait_told(page, "ready")
    assert page.evaluate(RESUME, "invoice") is False
    assert wire.heard == []


@dataclass  # not frozen: the driver notes something in it
class Failure:
    """A problem document that a call is answered with; without a status, nothing is."""

    status: int = 0
    code: str = ""
    instance: str = "urn:request:1"
    is_kept: bool = False

    def answer(self, route: Route) -> None:
        """Answer a call of the page's."""
        if not self.status:
            return route.abort("connectionreset")
        body = json.dumps({"code": self.code, "instance": self.instance})
        return route.fulfill(status=self.status, content_type="application/problem+json", body=body)


@pytest.mark.parametrize(
    "failure",
    [
        Failure(503, "store_unavailable", is_kept=True),
        Failure(503, "upstream_full", is_kept=True),
        Failure(429, "budget_exhausted", is_kept=True),
        Failure(502, "resource_server_broken"),
        Failure(504, "resource_server_timeout"),
        Failure(503, "maintenance", "/the-resource-servers-own"),
        Failure(code="no-answer"),
    ],
    ids=lambda failure: failure.code,
)
def test_it_is_kept_again_after_what_surely_performed_nothing_and_after_nothing_else(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire, failure: Failure
) -> None:
    tabs = new_tabs("page")
    page = tabs.sign_in(path="/?waits")
    keep_a_call(running, page)
    tabs.complaints.expected += ["status of 429", "status of 502", "status of 504"]
    tabs.context.route("**/api/kept/**", failure.answer)
    assert page.evaluate(RESUME, "invoice") is True
    until(page, lambda: bool(told(page, "failed") or told(page, "answer")), what="the failure")
    tabs.context.unroute("**/api/kept/**")
    assert wire.heard == []
    assert page.evaluate(RESUME, "invoice") is failure.is_kept
    if failure.is_kept:
        wait_told(page, "answer")
        (heard,) = kept(wire)
        assert heard.body == TEXT.encode()
        assert page.evaluate(RESUME, "invoice") is False


def test_a_session_that_ends_once_more_has_it_wait_as_at_first(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire
) -> None:
    page = new_tabs().sign_in(path="/?waits")
    end_session(running, page)
    post(page, "invoice", "text", "invoice")
    wait_told(page, "needed")
    for _ in range(2):
        leave_and_come_back(page)
        end_session(running, page)
        assert page.evaluate(RESUME, "invoice") is True
        wait_told(page, "needed")
    assert wire.heard == []
    leave_and_come_back(page)
    assert page.evaluate(RESUME, "invoice") is True
    assert wait_told(page, "answer")["status"] == 200
    assert len(kept(wire)) == 1


def test_a_new_call_of_the_same_name_takes_its_place(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire
) -> None:
    page = new_tabs().sign_in(path="/?waits")
    keep_a_call(running, page)
    post(page, "invoice", "form", "invoice")
    wait_told(page, "answer")
    assert page.evaluate(RESUME, "invoice") is False
    assert [heard.body for heard in kept(wire)] == [BODIES["form"]]


def duplicate(tabs: Tabs, page: Page) -> Page:
    """Open a second tab that has all that the first has in its storage, as a tab that is duplicated."""
    with page.context.expect_page() as opened:
        page.evaluate("void open('/?waits')")
    tabs.complaints.watch(opened.value)
    wait_told(opened.value, "ready")
    assert opened.value.evaluate("sessionStorage.length") == 1
    return opened.value


def test_of_a_tab_and_its_duplicate_one_sends_it(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire
) -> None:
    tabs = new_tabs()
    page = tabs.sign_in(path="/?waits")
    keep_a_call(running, page)
    other, late = (duplicate(tabs, page) for _ in range(2))
    asked: list[Route] = []

    def hang(route: Route) -> None:
        asked.append(route)

    tabs.context.route("**/auth/session", hang)
    for tab in (page, other):
        assert tab.evaluate(RESUME, "invoice") is True, "neither has seen the other's mark"
    until(page, lambda: len(asked) >= 2)
    tabs.context.unroute("**/auth/session")  # what hangs goes on
    until(page, lambda: len(told(page, "answer") + told(other, "answer")) == 1)
    until(page, lambda: len(told(page, "failed") + told(other, "failed")) == 1)
    assert (told(page, "failed") + told(other, "failed"))[0]["code"] == "sent_elsewhere"
    page.close()
    other.close()
    assert late.evaluate(RESUME, "invoice") is False
    assert len(kept(wire)) == 1
