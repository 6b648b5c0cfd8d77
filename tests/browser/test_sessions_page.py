"""A person sees where they are signed in, and ends what should not be."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import axe_violations, sign_in
from tests.browser.test_house import THEMES, look_everywhere

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Complaints
    from tests.support.running import Running

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"

STORE_AWAY: dict[str, Any] = {
    "status": 503,
    "content_type": "application/problem+json",
    "headers": {"Retry-After": "30"},
    "body": json.dumps({"code": "store_unavailable", "title": "The store is away"}),
}


@pytest.fixture(autouse=True)
def nobody(running: Running, new_page: Callable[..., Page]) -> None:
    """Let nobody be signed in from an earlier test."""
    page = new_page()
    sign_in(page, path="/sessions", user="jonas")
    end = "import('/auth/client.js').then(({ endSessions }) => endSessions())"
    page.evaluate(end)
    assert running.url


def two_browsers(new_page: Callable[..., Page], **options: str) -> tuple[Page, Page]:
    """Sign one person in in two browsers; the first shows the sessions."""
    other = new_page(user_agent=FIREFOX)
    sign_in(other, path="/contacts", user="jonas")
    page = new_page(**options)
    sign_in(page, path="/sessions", user="jonas")
    expect(page.get_by_test_id("session-current")).to_be_visible()
    return page, other


def is_told(other: Page) -> None:
    expect(other.get_by_test_id("signed-out-reason")).to_contain_text("another device")
    expect(other.get_by_test_id("contacts")).not_to_be_attached()


@pytest.mark.parametrize(("scheme", "locale"), THEMES)
def test_a_person_sees_where_they_are_signed_in(
    new_page: Callable[..., Page], scheme: str, locale: str
) -> None:
    page, _ = two_browsers(new_page, color_scheme=scheme, locale=locale)
    current = page.get_by_test_id("session-current")
    expect(current).to_contain_text({"de-DE": "Diese Sitzung", "en-GB": "This session"}[locale])
    expect(current).to_contain_text({"de-DE": "gerade eben", "en-GB": "just now"}[locale])
    expect(current).to_contain_text("127.0.0.x")
    expect(page.get_by_test_id("session").filter(has_text="Firefox, Windows")).to_be_visible()
    look_everywhere(page, f"sessions-{scheme}")


def test_one_of_them_is_ended_and_that_browser_is_told(new_page: Callable[..., Page]) -> None:
    page, other = two_browsers(new_page)
    page.get_by_role("button", name="End session: Firefox, Windows").click()
    is_told(other)
    expect(page.get_by_test_id("said")).to_contain_text("Ended: Firefox, Windows")
    expect(page.get_by_test_id("session").filter(has_text="Firefox")).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body")


def test_one_that_ended_meanwhile_is_no_error(new_page: Callable[..., Page], complaints: Complaints) -> None:
    complaints.expected.append("404")
    page, other = two_browsers(new_page)
    other.get_by_test_id("user").click()
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("button", name="Sign in with lexoffice")).to_be_visible()
    page.get_by_role("button", name="End session: Firefox, Windows").click()
    expect(page.get_by_test_id("said")).to_contain_text("had already ended")
    expect(page.get_by_test_id("session").filter(has_text="Firefox")).to_have_count(0)


def test_all_others_are_ended_after_a_question_that_says_how_many(new_page: Callable[..., Page]) -> None:
    page, other = two_browsers(new_page)
    number = page.get_by_test_id("session").count()
    ways = page.get_by_test_id("end-others")
    ways.click()
    question = page.get_by_test_id("question")
    expect(question).to_contain_text(re.compile(rf"\b{number} other session"))
    look_everywhere(page, "sessions-question")
    page.keyboard.press("Escape")
    expect(question).not_to_be_attached()
    expect(ways).to_be_focused()
    expect(page.get_by_test_id("session")).to_have_count(number)
    ways.click()
    question.get_by_test_id("yes").click()
    is_told(other)
    expect(page.get_by_test_id("only")).to_be_visible()
    expect(page.get_by_test_id("said")).to_contain_text("ended")
    expect(ways).not_to_be_attached()
    assert page.evaluate("document.activeElement !== document.body")
    look_everywhere(page, "sessions-only")


def test_signing_out_everywhere_ends_this_one_as_well(new_page: Callable[..., Page]) -> None:
    page, other = two_browsers(new_page)
    page.get_by_test_id("everywhere").click()
    page.get_by_test_id("yes").click()
    is_told(other)
    expect(page.get_by_role("button", name="Sign in with lexoffice")).to_be_visible()


def test_the_present_one_is_ended_after_a_question(new_page: Callable[..., Page]) -> None:
    page, other = two_browsers(new_page)
    page.get_by_test_id("session-current").get_by_role("button").click()
    expect(page.get_by_test_id("question")).to_contain_text("Sign out here?")
    page.get_by_test_id("yes").click()
    expect(page.get_by_role("button", name="Sign in with lexoffice")).to_be_visible()
    other.reload()
    expect(other.get_by_test_id("user")).to_be_visible()


def test_that_they_cannot_be_read_is_told_and_goes_by_itself(
    new_page: Callable[..., Page], complaints: Complaints
) -> None:
    complaints.expected.append("503")
    page = new_page()
    page.route("**/auth/sessions", lambda route: route.fulfill(**STORE_AWAY))
    sign_in(page, path="/sessions", user="jonas")
    expect(page.get_by_test_id("error")).to_contain_text("You stay signed in")
    expect(page.get_by_test_id("reach")).to_contain_text("You stay signed in")
    assert axe_violations(page) == []
    page.unroute("**/auth/sessions")
    page.get_by_test_id("reach").get_by_role("button", name="Try now").click()
    expect(page.get_by_test_id("session-current")).to_be_visible()
    expect(page.get_by_test_id("reach")).to_be_empty()


def test_a_question_goes_with_the_page_that_asked_it(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path="/nowhere", user="jonas")
    page.get_by_test_id("user").click()
    page.get_by_test_id("menu").get_by_role("link").click()
    page.get_by_test_id("everywhere").click()
    expect(page.get_by_test_id("question")).to_be_visible()
    page.go_back()
    expect(page.get_by_test_id("question")).not_to_be_attached()
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
