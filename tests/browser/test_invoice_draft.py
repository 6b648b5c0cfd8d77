"""What somebody has typed into an invoice is there again after a reload, a crash, a day; for nobody else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import axe_violations, look, sign_in
from tests.browser.invoices import PATH, box, fill_item, kept, sign_in_again, write_invoice

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Complaints
    from tests.support.running import Running


def saved(page: Page) -> None:
    expect(page.get_by_test_id("saved")).to_contain_text("Draft saved at")


def written(page: Page, name: str = "Angefangen") -> None:
    """Wait until the browser keeps a draft with a line of this name."""
    page.wait_for_function(
        """(name) => Object.entries(localStorage).some(([key, text]) =>
             key.startsWith('lexgate.invoice-draft.') && text.includes(name))""",
        arg=name,
    )


def sign_out(page: Page) -> None:
    page.get_by_test_id("user").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("button", name="lexoffice")).to_be_visible()


def test_a_draft_survives_a_reload_in_its_tab(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path=PATH)
    write_invoice(page, name="Angefangen")
    saved(page)
    written(page)
    page.reload()
    expect(box(page, "name")).to_have_value("Angefangen")
    expect(page.locator("#contact")).to_have_value("Hotel Alsterblick GmbH")
    expect(page.get_by_test_id("chosen-contact")).to_contain_text("Hotel Alsterblick")
    expect(page.get_by_test_id("offers")).to_have_count(0)
    assert len(kept(page)) == 1


def test_what_was_typed_last_is_kept_when_the_page_goes_at_once(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path=PATH)
    fill_item(page, name="Im letzten Augenblick")
    page.reload()
    expect(box(page, "name")).to_have_value("Im letzten Augenblick")


def test_a_form_that_nobody_touched_leaves_nothing(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path=PATH)
    expect(page.locator("#term-days")).to_be_visible()
    page.get_by_role("link", name="Contacts").first.click()
    expect(page.get_by_test_id("contacts")).to_be_visible()
    assert kept(page) == []


def test_a_draft_of_a_closed_tab_is_offered_and_goes_on_or_goes(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path=PATH)
    write_invoice(page, name="Angefangen")
    written(page)
    again = page.context.new_page()
    page.close()
    again.goto(PATH)
    offer = again.get_by_test_id("offers")
    expect(offer).to_contain_text(re.compile(r"Draft of today, \d\d:\d\d: Hotel Alsterblick GmbH, €119.00"))
    assert axe_violations(again) == []
    look(again, "invoice-offer-1280")
    fill_item(again, name="Eine zweite")
    offer.get_by_test_id("offer-go-on").click()
    expect(box(again, "name")).to_have_value("Angefangen")
    expect(offer).to_contain_text("no recipient yet")
    offer.get_by_test_id("offer-discard").click()
    expect(offer).to_have_count(0)
    expect(again.locator("#contact")).to_be_focused()
    (draft,) = kept(again)
    assert draft["draft"]["items"][0]["name"] == "Angefangen"


def test_leaving_for_another_page_is_harmless_and_coming_back_is_offered_the_draft(
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    sign_in(page, path=PATH)
    fill_item(page, name="Unterbrochen", price="5")
    page.get_by_role("link", name="Contacts").first.click()
    expect(page.get_by_test_id("contacts")).to_be_visible()
    page.go_back()
    expect(box(page, "name")).to_have_value("")
    page.get_by_test_id("offer-go-on").click()
    expect(box(page, "name")).to_have_value("Unterbrochen")


def test_a_draft_that_nobody_wants_goes_after_a_question(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path=PATH)
    write_invoice(page, name="Verworfen")
    written(page, "Verworfen")
    page.get_by_test_id("restart").click()
    page.keyboard.press("Escape")
    expect(box(page, "name")).to_have_value("Verworfen")
    page.get_by_test_id("restart").click()
    page.get_by_test_id("yes").click()
    expect(box(page, "name")).to_have_value("")
    expect(page.locator("#contact")).to_be_focused()
    assert kept(page) == []
    fill_item(page, name="Von vorn")
    written(page, "Von vorn")
    assert len(kept(page)) == 1


def test_another_language_changes_the_words_and_marks_and_nothing_else(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path=PATH)
    write_invoice(page, name="Sprachwechsel", price="1,234.5")
    page.get_by_test_id("user").click()
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("heading", level=1)).to_have_text("Neue Rechnung")
    expect(box(page, "name")).to_have_value("Sprachwechsel")
    expect(box(page, "price")).to_have_value("1.234,50")
    expect(page.locator("#contact")).to_have_value("Hotel Alsterblick GmbH")
    assert len(kept(page)) == 1


def test_two_tabs_write_two_drafts(new_page: Callable[..., Page]) -> None:
    first = new_page()
    sign_in(first, path=PATH)
    fill_item(first, name="Aus dem ersten Tab")
    saved(first)
    second = first.context.new_page()
    second.goto(PATH)
    expect(second.get_by_test_id("offers")).to_contain_text("is being written in another tab")
    expect(second.get_by_test_id("offer-go-on")).to_have_count(0)
    fill_item(second, name="Aus dem zweiten Tab")
    saved(second)
    fill_item(first, price="1")
    written(first, '"price":"1"')
    names = sorted(draft["draft"]["items"][0]["name"] for draft in kept(first))
    assert names == ["Aus dem ersten Tab", "Aus dem zweiten Tab"]


def test_a_tab_that_was_copied_with_its_draft_does_not_write_over_it(new_page: Callable[..., Page]) -> None:
    first = new_page()
    sign_in(first, path=PATH)
    fill_item(first, name="Original")
    written(first, "Original")
    with first.context.expect_page() as opened:
        first.evaluate("open(location.href, '_blank', '')")  # has a copy of this tab's session storage
    copy = opened.value
    expect(copy.get_by_test_id("offers")).to_contain_text("another tab")
    fill_item(copy, name="Kopie")
    written(copy, "Kopie")
    assert sorted(draft["draft"]["items"][0]["name"] for draft in kept(first)) == ["Kopie", "Original"]


def test_without_locks_a_draft_that_another_tab_went_on_with_is_not_written_over(
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    page.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    sign_in(page, path=PATH)
    fill_item(page, name="Alt")
    written(page, "Alt")
    other = page.context.new_page()
    other.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    other.goto(PATH)
    other.get_by_test_id("offer-go-on").click()
    fill_item(other, name="Neu")
    written(other, "Neu")
    fill_item(page, price="7")
    written(page, '"price":"7"')
    drafts = {draft["draft"]["items"][0]["name"]: draft["draft"]["items"][0]["price"] for draft in kept(page)}
    assert drafts == {"Neu": "", "Alt": "7"}


def test_signing_out_leaves_no_draft(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path=PATH)
    write_invoice(page, name="Vertraulich")
    written(page, "Vertraulich")
    other = page.context.new_page()
    other.goto(PATH)
    fill_item(other, name="Auch vertraulich")
    fill_item(page, name="Eben noch getippt")
    sign_out(page)
    expect(other.get_by_role("button", name="lexoffice")).to_be_visible()
    assert kept(page) == []
    other.close()
    page.reload()
    assert kept(page) == []
    page.goto(PATH)
    page.get_by_role("button", name="lexoffice").click()
    sign_in_again(page)
    expect(box(page, "name")).to_have_value("")
    expect(page.get_by_test_id("offers")).to_have_count(0)


def test_a_session_that_ran_out_keeps_the_draft_for_its_person_alone(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected += ["401", "ERR_"]
    page = new_page()
    sign_in(page, path=PATH)
    write_invoice(page, name="Nur für Anna")
    written(page, "Nur für Anna")
    running.clock.advance(1801)
    page.goto(PATH)
    page.get_by_role("button", name="lexoffice").click()
    sign_in_again(page, user="jonas")
    expect(page.get_by_test_id("user")).to_contain_text("Jonas")
    page.goto(PATH)
    expect(box(page, "name")).to_have_value("")
    expect(page.get_by_test_id("offers")).to_have_count(0)
    running.clock.advance(1801)
    page.goto(PATH)
    page.get_by_role("button", name="lexoffice").click()
    sign_in_again(page, user="anna")
    expect(page.get_by_test_id("user")).to_contain_text("Anna")
    page.get_by_test_id("offer-go-on").click()
    expect(box(page, "name")).to_have_value("Nur für Anna")


OFF = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'NotAllowed'); } })"
FULL = "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }"


@pytest.mark.parametrize(("breaking", "told"), [(OFF, "keeps nothing here"), (FULL, "storage is full")])
def test_without_storage_it_is_told_and_the_form_works(
    new_page: Callable[..., Page], breaking: str, told: str
) -> None:
    page = new_page()
    page.add_init_script(breaking)
    sign_in(page, path=PATH)
    write_invoice(page, name="Ohne Speicher")
    expect(page.get_by_test_id("saved")).to_contain_text(told)
    assert axe_violations(page) == []
    page.get_by_test_id("send-draft").click()
    expect(page.get_by_test_id("voucher-total")).to_contain_text("119.00")


def test_what_is_too_old_or_broken_is_not_offered(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path=PATH)
    fill_item(page, name="Uralt")
    written(page, "Uralt")
    page.evaluate(
        """() => {
          const [key] = Object.keys(localStorage).filter((one) => one.startsWith('lexgate.invoice-draft.'));
          const place = key.slice(0, key.lastIndexOf('.') + 1);
          const draft = JSON.parse(localStorage.getItem(key));
          const at = Date.now() - 31 * 86400000;
          localStorage.setItem(`${place}old`, JSON.stringify({ ...draft, id: 'old', at }));
          localStorage.setItem(`${place}next`, JSON.stringify({ ...draft, id: 'next', version: 2 }));
          localStorage.setItem(`${place}broken`, '{');
        }"""
    )
    other = page.context.new_page()
    other.goto(PATH)
    expect(other.get_by_test_id("offers").get_by_role("listitem")).to_have_count(1)
    assert len(kept(other)) == 1
