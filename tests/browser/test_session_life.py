"""A person is told at once, and why, that the session ends soon or has ended; what need not go stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import axe_violations, look, sign_in
from tests.browser.test_live import follow
from tests.support.running import RunningClock, running_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.browser.conftest import Complaints
    from tests.support.running import Running

IDLE_SECONDS = 16  # told when half of it is over; a busy machine takes some seconds to look at a page
THEMES = [("light", "de-DE"), ("dark", "en-GB")]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    settings = {"LEXGATE_SESSION_IDLE": str(IDLE_SECONDS), "LEXGATE_SESSION_MAX": "3600"}
    with running_gateway("lexware", clock=RunningClock(), settings=settings) as running:
        yield running


@pytest.mark.parametrize(("scheme", "locale"), THEMES)
def test_who_is_about_to_be_signed_out_can_stay_by_one_button(
    new_page: Callable[..., Page], scheme: str, locale: str
) -> None:
    page = new_page(color_scheme=scheme, locale=locale)
    sign_in(page, path="/vouchers")
    page.get_by_role("searchbox").fill("R")
    ending = page.get_by_test_id("ending")
    expect(ending).to_be_visible()
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        look(page, f"ending-{scheme}-{width}")
        assert axe_violations(page) == []
    ending.get_by_role("button").click()
    expect(ending).not_to_be_visible()
    assert page.get_by_role("searchbox").input_value() == "R"
    expect(ending).to_be_visible()  # idle again, and told again


def test_what_another_tab_does_puts_the_end_off_here(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page)
    other = page.context.new_page()
    expect(page.get_by_test_id("ending")).to_be_visible()
    other.goto("/contacts")
    expect(page.get_by_test_id("ending")).not_to_be_visible()


def test_a_session_that_ran_out_leaves_the_page_under_a_dialog(new_page: Callable[..., Page]) -> None:
    page = new_page()
    follow(page, "/vouchers?status=paid")
    dialog = page.get_by_test_id("session-ended")
    expect(dialog).to_contain_text("Nothing happened")
    expect(page.get_by_test_id("ending")).not_to_be_visible()
    expect(page.get_by_test_id("vouchers")).to_be_visible()
    assert axe_violations(page) == []


@pytest.mark.parametrize(("scheme", "locale"), THEMES)
def test_a_session_that_somebody_ended_takes_the_data_off_the_screen_at_once(
    new_page: Callable[..., Page], running: Running, complaints: Complaints, scheme: str, locale: str
) -> None:
    page = new_page(color_scheme=scheme, locale=locale)
    sign_in(page, path="/contacts")
    running.clock.advance(-120)  # so that it does not run out while the other one signs in
    elsewhere = new_page(color_scheme=scheme, locale=locale)
    sign_in(elsewhere, path="/vouchers")
    elsewhere.evaluate(
        """async () => {
          const client = await import('/auth/client.js');
          await client.fetch('/auth/sessions', { method: 'DELETE' });
        }"""
    )
    reason = page.get_by_test_id("signed-out-reason")
    expect(reason).to_contain_text({"de-DE": "anderen Gerät", "en-GB": "another device"}[locale])
    expect(page.get_by_test_id("contacts")).not_to_be_attached()
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        look(page, f"ended-{scheme}-{width}")
        assert axe_violations(page) == []
    page.get_by_role("button", name="lexoffice").click()
    page.get_by_test_id("allow").click()
    expect(page.get_by_test_id("contacts")).to_be_visible()
    assert complaints.unexpected() == [], "the end needs no call that fails"
