"""A call that was given a name outlives the page that is left to sign in, and is had again once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.keeper.stage import consent, wait_told
from tests.browser.keeper.test_resume import TEXT, end_session, kept, post

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

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


def test_a_named_post_is_had_again_by_the_page_that_comes_back(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire
) -> None:
    page = new_tabs().sign_in(path="/?waits")
    end_session(running, page)
    post(page, "invoice", "text", "invoice")
    wait_told(page, "needed")
    leave_and_come_back(page)
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
    end_session(running, page)
    post(page, "invoice", "text", "invoice")
    wait_told(page, "needed")
    leave_and_come_back(page)
    assert other.evaluate(RESUME, "invoice") is False
    assert page.evaluate(RESUME, "invoice") is True
    wait_told(page, "answer")
    assert len(kept(wire)) == 1


def test_after_a_sign_out_nothing_of_it_is_left(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire
) -> None:
    page = new_tabs().sign_in(path="/?waits")
    end_session(running, page)
    post(page, "invoice", "text", "invoice")
    wait_told(page, "needed")
    leave_and_come_back(page)
    with page.expect_navigation():
        page.evaluate("void window.client.logout({ returnTo: '/?waits' })")
    page.goto("/auth/login?return_to=/%3Fwaits")
    consent(page)
    wait_told(page, "ready")
    assert page.evaluate(RESUME, "invoice") is False
    assert wire.heard == []
