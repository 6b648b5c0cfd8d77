"""An invoice is written by keys or pointer, in German or English numbers, and checked before it is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import axe_violations, look, sign_in
from tests.browser.invoices import (
    PATH,
    box,
    choose_contact,
    creates,
    fill_item,
    item,
    made,
    offered,
    write_invoice,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Complaints
    from tests.support.running import Running

GERMAN = {"locale": "de-DE"}


def sums(page: Page) -> list[str]:
    """Return the sums below the lines, without the spaces that do not break."""
    return [text.replace("\xa0", " ") for text in page.get_by_test_id("sums").locator("dd").all_inner_texts()]


def test_an_invoice_is_written_with_the_keyboard_alone(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page(**GERMAN)
    sign_in(page, path=PATH)
    before = creates(running)
    page.locator("#contact").focus()
    page.keyboard.type("alster")
    expect(page.locator("#contact")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    active = page.locator("#contact").get_attribute("aria-activedescendant")
    expect(page.locator(f"#{active}")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator("#contact")).to_have_attribute("aria-expanded", "false")
    expect(page.get_by_test_id("chosen-contact")).to_contain_text("Hotel Alsterblick GmbH")

    def tab_to(name: str) -> None:
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id").endswith(name):
                return
        raise AssertionError(name)

    for name, text in [("name", "Tastatur"), ("quantity", "1,5"), ("price", "1.234,56"), ("discount", "10")]:
        tab_to(f"-{name}")
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type(text)
    tab_to("items")
    page.keyboard.press("Enter")
    expect(box(page, "name", 1)).to_be_focused()
    page.keyboard.type("Porto")
    tab_to("-price")
    page.keyboard.type("4,99")
    tab_to("-rate")
    page.keyboard.type("7")
    assert sums(page) == ["1.671,65 €", "0,35 €", "316,67 €", "1.988,67 €"]
    page.get_by_test_id("send-draft").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # again, while it is being sent
    expect(page).to_have_url(re.compile(r"/vouchers/invoice/[0-9a-f-]{36}$"))
    expect(page.get_by_test_id("voucher-total")).to_contain_text("1.988,67")
    expect(page.get_by_test_id("notice")).to_contain_text("Der Entwurf liegt jetzt in lexoffice.")
    (voucher,) = made(running, "Tastatur")
    assert (voucher.status, voucher.net, voucher.gross) == ("draft", 167165, 198867)
    assert creates(running) == before + 1


def test_an_invoice_is_finalized_once_and_after_a_question(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page(**GERMAN)
    sign_in(page, path=PATH)
    write_invoice(page, name="Abschluss")
    before = creates(running)
    page.get_by_test_id("send-final").dblclick()
    question = page.get_by_test_id("question")
    expect(question).to_have_count(1)
    expect(question).to_contain_text("Hotel Alsterblick GmbH über 119,00\xa0€")
    assert axe_violations(page) == []
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    assert creates(running) == before
    page.get_by_test_id("send-final").click()
    question.get_by_test_id("yes").dblclick()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(r"Rechnung RE\d+"))
    expect(page.get_by_test_id("notice")).to_contain_text("abgeschlossen")
    (voucher,) = made(running, "Abschluss")
    assert (voucher.status, voucher.gross, voucher.term_days) == ("open", 11900, 14)
    assert creates(running) == before + 1
    page.get_by_role("link", name="Belege").first.click()
    expect(page.get_by_role("link", name=voucher.number)).to_be_visible()


def test_all_that_is_entered_arrives(new_page: Callable[..., Page], running: Running) -> None:
    page = new_page()
    sign_in(page, path=PATH)
    page.get_by_label("One-off address").check()
    address = {
        "name": "Probe & Söhne",
        "supplement": "Hof 2",
        "street": "Weg 1",
        "zip": "1010",
        "city": "Wien",
    }
    for key, value in address.items():
        page.locator(f"#address-{key}").fill(value)
    page.locator("#address-country").select_option("AT")
    page.locator("#voucher-date").fill("2026-03-29")
    page.locator("#term-days").fill("30")
    expect(page.locator("#due-date")).to_have_value("2026-04-28")
    page.locator("#due-date").fill("2026-04-05")
    expect(page.locator("#term-days")).to_have_value("7")
    page.locator("#shipping-type").select_option("deliveryperiod")
    page.locator("#shipping-date").fill("2026-03-01")
    page.locator("#shipping-end-date").fill("2026-03-15")
    page.locator("#tax-type").select_option("gross")
    fill_item(page, name="Alles", description="zwei\nZeilen", quantity="2", unit="km", price="107", rate="7")
    page.get_by_test_id("add-text").click()
    fill_item(page, 1, name="Hinweis", description="ohne Preis")
    for key in ("title", "introduction", "remark"):
        page.locator(f"#{key}").fill(f"Mein {key}")
    assert sums(page) == ["€200.00", "€14.00", "€214.00"]
    page.get_by_test_id("send-draft").click()
    expect(page.get_by_test_id("voucher-total")).to_contain_text("214.00")
    (voucher,) = made(running, "Alles")
    assert dict(voucher.address) == {**address, "countryCode": "AT"}
    assert (f"{voucher.date:%F}", voucher.term_days, voucher.shipping_type) == (
        "2026-03-29",
        7,
        "deliveryperiod",
    )
    assert voucher.shipping_date is not None
    assert voucher.shipping_end is not None
    assert (f"{voucher.shipping_date:%F}", f"{voucher.shipping_end:%F}") == ("2026-03-01", "2026-03-15")
    assert (voucher.tax_type, voucher.net, voucher.gross) == ("gross", 20000, 21400)
    assert [(line.kind, line.name, line.description) for line in voucher.lines] == [
        ("custom", "Alles", "zwei\nZeilen"),
        ("text", "Hinweis", "ohne Preis"),
    ]
    assert voucher.lines[0].unit_name == "km"
    assert (voucher.title, voucher.introduction, voucher.remark) == (
        "Mein title",
        "Mein introduction",
        "Mein remark",
    )


def test_a_contact_is_looked_for_with_few_calls(new_page: Callable[..., Page], running: Running) -> None:
    page = new_page()
    sign_in(page, path=PATH)
    expect(page.locator("#contact")).to_be_visible()

    def searches() -> int:
        return running.sandbox.counters.api_calls["GET /v1/contacts"]

    before = searches()
    page.locator("#contact").press_sequentially("gm", delay=20)
    page.locator("#contact").press_sequentially("bh", delay=20)
    expect(offered(page).first).to_be_visible()
    assert searches() == before + 1
    several = offered(page).count()
    page.locator("#contact").fill("gmbh & ")  # found among what is there
    expect(offered(page).first).to_contain_text("GmbH & Co")
    assert offered(page).count() < several
    assert searches() == before + 1
    page.keyboard.press("Escape")
    expect(offered(page)).to_have_count(0)
    expect(page.locator("#contact")).to_have_value("gmbh & ")
    page.locator("#contact").fill("nobody of this name")
    expect(page.get_by_test_id("contact-said")).to_contain_text("No customer of that name")
    assert searches() == before + 2


def test_the_contact_of_the_address_is_chosen_already(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page()
    contact = next(
        contact
        for books in running.sandbox.books.values()
        for contact in books.contacts.values()
        if contact.get("company", {}).get("name") == "Galerie Weißraum"
    )
    sign_in(page, path=f"{PATH}?contact={contact['id']}")
    expect(page.locator("#contact")).to_have_value("Galerie Weißraum")
    expect(page.get_by_test_id("chosen-contact")).to_contain_text(contact["addresses"]["billing"][0]["city"])
    fill_item(page, name="Vorgewählt", price="1")
    page.get_by_test_id("send-draft").click()
    expect(page.get_by_test_id("voucher-total")).to_be_visible()
    (voucher,) = made(running, "Vorgewählt")
    assert voucher.contact_id == contact["id"]


def test_a_contact_that_is_not_there_is_told_at_its_field(
    new_page: Callable[..., Page], complaints: Complaints
) -> None:
    complaints.expected.append("404")
    page = new_page()
    sign_in(page, path=f"{PATH}?contact=nobody")
    expect(page.locator("#contact-error")).to_contain_text("no such contact")
    assert axe_violations(page) == []


def test_an_article_fills_its_line(new_page: Callable[..., Page], running: Running) -> None:
    page = new_page(**GERMAN)
    sign_in(page, path=PATH)
    choose_contact(page)
    box(page, "name").fill("lichtp")
    offered(page).filter(has_text="Lichtplanung").click()
    expect(box(page, "price")).to_have_value("95,00")
    expect(box(page, "unit")).to_have_value("Stunde")
    fill_item(page, quantity="3")
    page.get_by_test_id("add-item").click()
    box(page, "name", 1).fill("mole")
    offered(page).filter(has_text="Stehleuchte").click()
    box(page, "name", 1).fill("Stehleuchte, gebraucht")
    assert running.sandbox.counters.api_calls["GET /v1/articles"] >= 1
    page.get_by_test_id("send-draft").click()
    expect(page.get_by_test_id("voucher-total")).to_be_visible()
    (voucher,) = made(running, "Stehleuchte, gebraucht")
    articles = {
        article["title"]: article["id"]
        for article in running.sandbox.books[next(iter(running.sandbox.books))].articles.values()
    }
    assert [line.kind for line in voucher.lines] == ["service", "custom"]
    assert voucher.lines[0].id == articles["Lichtplanung beim Kunden"]


def test_what_is_wrong_is_told_at_its_field_and_nothing_is_sent(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page(**GERMAN)
    sign_in(page, path=PATH)
    before = creates(running)
    fill_item(page, quantity="1.5", price="12.50")
    page.locator("#voucher-date").fill("")
    page.get_by_test_id("send-final").click()
    problems = page.get_by_test_id("problems")
    expect(problems.get_by_role("heading")).to_have_text("Bitte prüfen Sie 6 Angaben")
    expect(page.locator("#contact")).to_be_focused()
    price = box(page, "price")
    expect(price).to_have_attribute("aria-invalid", "true")
    described = price.get_attribute("aria-describedby")
    expect(page.locator(f"#{described}")).to_have_text("Geben Sie einen Preis an, etwa 1.234,56.")
    assert axe_violations(page) == []
    problems.get_by_role("link", name="Position 1, Einzelpreis netto").click()
    expect(price).to_be_focused()
    expect(page).to_have_url(re.compile(f"{PATH}$"))
    price.fill("12,50")
    expect(price).not_to_have_attribute("aria-invalid", "true")
    expect(problems.get_by_role("heading")).to_have_text("Bitte prüfen Sie 5 Angaben")
    fill_item(page, name="Berichtigt", quantity="1,5")
    page.locator("#voucher-date").fill("2026-11-26")
    choose_contact(page)
    expect(problems).to_have_count(0)
    assert creates(running) == before
    page.get_by_test_id("send-draft").click()
    expect(page.get_by_test_id("voucher-total")).to_be_visible()
    assert made(running, "Berichtigt")[0].net == 1875


def test_numbers_are_read_in_the_chosen_language_and_written_out(new_page: Callable[..., Page]) -> None:
    page = new_page(**GERMAN)
    sign_in(page, path=PATH)
    fill_item(page, name="Sprache", quantity="1,50", price="1234,5 €", discount="10%")
    box(page, "discount").blur()
    assert [box(page, name).input_value() for name in ("quantity", "price", "discount")] == [
        "1,5",
        "1.234,50",
        "10",
    ]
    expect(item(page).get_by_test_id("amount")).to_have_text("1.666,58\xa0€")
    box(page, "price").fill("1,234.50")
    box(page, "price").blur()
    expect(box(page, "price")).to_have_attribute("aria-invalid", "true")
    expect(item(page).get_by_test_id("amount")).to_have_text("\N{EN DASH}")
    box(page, "price").fill("1.234,50")
    box(page, "price").blur()
    expect(page.get_by_test_id("saved")).to_contain_text("Entwurf gespeichert")
    page.evaluate("localStorage.setItem('lexgate.language', 'en')")
    page.reload()
    expect(box(page, "price")).to_have_value("1,234.50")
    expect(item(page).get_by_test_id("amount")).to_have_text("€1,666.58")
    assert box(page, "quantity").input_value() == "1.5"


def test_lines_change_places_by_keys_and_by_pointer(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path=PATH)
    for place, name in enumerate(("One", "Two", "Three")):
        if place:
            page.get_by_test_id("add-item").click()
        fill_item(page, place, name=name, price="1")

    def names() -> list[str]:
        return [
            box(page, "name", place).input_value()
            for place in range(item(page).page.get_by_test_id("item").count())
        ]

    up = item(page, 2).get_by_role("button", name="Move item 3 up")
    up.focus()
    page.keyboard.press("Enter")
    assert names() == ["One", "Three", "Two"]
    moved = item(page, 1).get_by_test_id("item-up")
    expect(moved).to_be_focused()
    page.keyboard.press("Enter")
    assert names() == ["Three", "One", "Two"]
    expect(page.locator("#announcer")).to_have_text("Now item 1 of 3")
    expect(item(page, 0).get_by_test_id("item-up")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Enter")
    assert names() == ["Three", "One", "Two"]

    item(page, 0).scroll_into_view_if_needed()
    handle = item(page, 0).get_by_test_id("item-drag").bounding_box()
    target = item(page, 2).bounding_box()
    assert handle is not None
    assert target is not None
    page.mouse.move(handle["x"] + 10, handle["y"] + 10)
    page.mouse.down()
    page.mouse.move(handle["x"] + 10, target["y"] + target["height"] - 5, steps=20)
    page.mouse.up()
    assert names() == ["One", "Two", "Three"]

    item(page, 1).get_by_test_id("item-remove").click()
    assert names() == ["One", "Three"]
    expect(box(page, "name", 1)).to_be_focused()
    page.get_by_test_id("removed").get_by_role("button", name="Undo").click()
    assert names() == ["One", "Two", "Three"]
    expect(box(page, "name", 1)).to_be_focused()


def test_a_small_business_writes_invoices_without_tax(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page(**GERMAN)

    def small(route: Route) -> None:
        profile = route.fetch().json()
        route.fulfill(json={**profile, "smallBusiness": True, "taxType": "vatfree"})

    page.route("**/api/v1/profile", small)
    sign_in(page, path=PATH)
    expect(page.locator("#small-business")).to_be_visible()
    expect(page.locator("#tax-type")).to_have_value("vatfree")
    expect(box(page, "rate")).not_to_be_visible()
    write_invoice(page, name="Kleinunternehmen")
    assert sums(page) == ["100,00 €", "100,00 €"]
    page.get_by_test_id("send-draft").click()
    expect(page.get_by_test_id("voucher-total")).to_contain_text("100,00")
    (voucher,) = made(running, "Kleinunternehmen")
    assert (voucher.tax_type, voucher.gross) == ("vatfree", 10000)


REFUSALS: list[dict[str, Any]] = [
    {
        "message": "Validation failed",
        "status": 406,
        "details": [
            {"violation": "NOTNULL", "field": "lineItems[0].name", "message": "must not be empty"},
            {"violation": "INVALID", "field": "printLayoutId", "message": "is unknown"},
        ],
    },
    {
        "IssueList": [
            {"i18nKey": "missing_entity", "source": "lineItems[0].name", "type": "validation_failure"},
            {"i18nKey": "invalid_value", "source": "printLayoutId", "type": "validation_failure"},
        ]
    },
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_lexoffice_refuses_is_told_at_its_field_or_in_words(
    new_page: Callable[..., Page], complaints: Complaints, refusal: dict[str, Any]
) -> None:
    complaints.expected.append("406")
    page = new_page()
    sign_in(page, path=PATH)
    write_invoice(page)
    page.route("**/api/v1/invoices", lambda route: route.fulfill(status=406, json=refusal))
    page.get_by_test_id("send-draft").click()
    expect(page.get_by_test_id("problems")).to_contain_text("printLayoutId")
    expect(box(page, "name")).to_be_focused()
    expect(box(page, "name")).to_have_attribute("aria-invalid", "true")
    assert axe_violations(page) == []
    box(page, "name").fill("Better")
    expect(box(page, "name")).not_to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize(("scheme", "locale"), [("light", "de-DE"), ("dark", "en-GB")])
def test_the_form_is_accessible_and_as_narrow_as_the_screen(
    new_page: Callable[..., Page], scheme: str, locale: str
) -> None:
    page = new_page(color_scheme=scheme, locale=locale)
    sign_in(page, path=PATH)
    write_invoice(page)
    page.locator("#shipping-type").select_option("serviceperiod")
    page.get_by_test_id("add-item").click()
    box(page, "name", 1).fill("ohne Preis")
    page.get_by_test_id("add-text").click()
    page.get_by_test_id("send-draft").click()
    expect(page.get_by_test_id("problems")).to_be_visible()
    for width in (1280, 768, 360, 320):
        page.set_viewport_size({"width": width, "height": 900})
        look(page, f"invoice-{scheme}-{width}")
        assert axe_violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
