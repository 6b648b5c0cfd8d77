"""A voucher's PDF is shown within its page, and every view can be printed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import axe_violations, look, sign_in
from tests.browser.test_receipts import png

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Complaints
    from tests.support.running import Running

WIDTHS = (768, 1280)


def open_voucher(page: Page, path: str = "/vouchers?type=invoice&status=paid") -> None:
    sign_in(page, path=path)
    page.get_by_test_id("vouchers").get_by_role("link").first.click()
    expect(page.get_by_test_id("voucher-total")).to_be_visible()


def has_viewer(page: Page) -> bool:
    return bool(page.evaluate("navigator.pdfViewerEnabled"))


@pytest.mark.parametrize(("scheme", "locale"), [("light", "de-DE"), ("dark", "en-GB")])
def test_a_pdf_is_shown_in_the_page_when_somebody_asks_and_fetched_once(
    new_page: Callable[..., Page], scheme: str, locale: str
) -> None:
    page = new_page(color_scheme=scheme, locale=locale)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/file") else None)
    open_voucher(page)
    assert has_viewer(page)
    button = page.get_by_test_id("pdf-preview")
    expect(button).to_have_attribute("aria-expanded", "false")
    assert asked == []
    button.focus()
    page.keyboard.press("Enter")
    frame = page.get_by_test_id("preview").locator("iframe")
    expect(frame).to_have_attribute("src", re.compile("^blob:"))
    expect(frame).to_have_attribute("title", re.compile(r"RE\d+\.pdf$"))
    expect(button).to_have_attribute("aria-expanded", "true")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        look(page, f"preview-{scheme}-{width}")
        assert axe_violations(page) == []
    with page.expect_download():
        page.get_by_test_id("pdf-download").click()
    button.click()
    expect(frame).not_to_be_attached()
    button.click()
    expect(frame).to_be_attached()
    assert len(asked) == 1, "each file is one of lexoffice's two calls a second"


REVOKED = """window.revoked = [];
const { revokeObjectURL } = URL;
URL.revokeObjectURL = (url) => { window.revoked.push(url); revokeObjectURL.call(URL, url); };"""


def test_a_pdf_of_a_page_that_was_left_is_forgotten(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.add_init_script(REVOKED)
    open_voucher(page)
    page.get_by_test_id("pdf-preview").click()
    frame = page.get_by_test_id("preview").locator("iframe")
    expect(frame).to_be_attached()
    url = str(frame.get_attribute("src")).partition("#")[0]
    page.get_by_role("link", name="Contacts").first.click()
    expect(page.get_by_test_id("contacts")).to_be_visible()
    assert url in page.evaluate("window.revoked")


def test_what_is_no_pdf_is_not_shown_as_one(new_page: Callable[..., Page]) -> None:
    page = new_page()
    open_voucher(page)
    page.route(
        re.compile("/file$"),
        lambda route: route.fulfill(body="<script>alert(1)</script>", content_type="application/pdf"),
    )
    page.get_by_test_id("pdf-preview").click()
    expect(page.get_by_test_id("voucher").locator("..").locator("..")).to_contain_text(
        "neither a PDF nor a picture"
    )
    expect(page.locator("iframe")).to_have_count(0)
    expect(page.get_by_test_id("pdf-preview")).to_have_attribute("aria-expanded", "false")


def test_a_pdf_that_cannot_be_had_leaves_the_page_as_it_was(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected += ["500", "502"]
    page = new_page()
    open_voucher(page)
    running.sandbox.faults.inject("api_500", {"path": "/v1/invoices"}, times=1)
    page.get_by_test_id("pdf-preview").click()
    expect(page.get_by_role("status").filter(has_text="reports a fault")).to_be_visible()
    expect(page.get_by_test_id("preview")).not_to_be_visible()
    page.get_by_test_id("pdf-preview").click()
    expect(page.locator("iframe")).to_be_attached()


def test_a_phone_and_a_browser_without_a_viewer_get_the_button_that_opens_the_pdf(
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    open_voucher(page)
    page.set_viewport_size({"width": 360, "height": 800})
    expect(page.get_by_test_id("pdf-preview")).not_to_be_visible()
    expect(page.get_by_test_id("pdf-open")).to_be_visible()
    bare = new_page()
    bare.add_init_script("Object.defineProperty(navigator, 'pdfViewerEnabled', { get: () => false })")
    open_voucher(bare)
    expect(bare.get_by_test_id("pdf-open")).to_be_visible()
    expect(bare.get_by_test_id("pdf-preview")).to_have_count(0)


def test_vouchers_that_belong_together_lead_to_each_other(new_page: Callable[..., Page]) -> None:
    page = new_page()
    open_voucher(page, "/vouchers?type=creditnote")
    note = page.get_by_role("heading", level=1).inner_text()
    page.get_by_test_id("related").get_by_role("link", name=re.compile("Invoice RE")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Invoice RE"))
    page.get_by_test_id("related").get_by_role("link", name=note).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(note)


def test_the_receipt_of_a_booking_is_shown_in_its_page(new_page: Callable[..., Page]) -> None:
    page = new_page()
    open_voucher(page, "/vouchers?type=purchaseinvoice")
    page.get_by_test_id("pdf-preview").click()
    expect(page.get_by_test_id("preview").locator("iframe")).to_be_attached()
    page.get_by_test_id("pdf-preview").click()
    page.reload()
    page.route(re.compile("/v1/files/"), lambda route: route.fulfill(body=png(), content_type="text/html"))
    page.get_by_test_id("pdf-preview").click()
    picture = page.get_by_test_id("preview").get_by_role("img")
    expect(picture).to_have_attribute("src", re.compile("^blob:"))
    assert picture.evaluate("(picture) => picture.decode().then(() => picture.naturalWidth)") == 8
    look(page, "preview-picture")
    assert axe_violations(page) == []


WIDE_LETTERS = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('* { letter-spacing: 0.12em; word-spacing: 0.16em; line-height: 1.5; }');
  document.adoptedStyleSheets = [sheet];
}"""


def test_a_voucher_fits_however_long_its_words_and_wide_its_letters_are(
    new_page: Callable[..., Page],
) -> None:
    page = new_page(locale="de-DE")

    def lengthen(route: Route) -> None:
        voucher = route.fetch().json()
        word = "Ersatzteil" * 21
        voucher |= {"introduction": word, "remark": word}
        voucher["address"] |= {"name": word, "street": word}
        voucher["lineItems"][0] |= {"name": word, "description": word}
        route.fulfill(json=voucher)

    page.route(re.compile(r"/v1/invoices/[-0-9a-f]+$"), lengthen)
    open_voucher(page)
    page.evaluate(WIDE_LETTERS)
    for width in (320, 360, 768, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        look(page, f"long-words-{width}")


def test_a_booking_tells_whose_it_is(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path="/vouchers?type=purchaseinvoice")
    cells = page.get_by_test_id("vouchers").locator("tbody tr").first
    name = cells.locator(".contact-cell").inner_text()
    cells.get_by_role("link").first.click()
    expect(page.locator(".recipient")).to_contain_text(name)
    expect(page.get_by_test_id("voucher").get_by_role("link", name=name)).to_be_visible()


SHIFTS = """window.moved = [];
new PerformanceObserver((list) => {
  for (const { value, sources } of list.getEntries()) {
    window.moved.push({ value, nodes: sources.map(({ node }) => `${node?.nodeName}.${node?.className}`) });
  }
}).observe({ type: 'layout-shift', buffered: true });"""


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("kind", ["invoice", "purchaseinvoice"])
def test_nothing_of_a_voucher_moves_while_it_is_loaded(
    new_page: Callable[..., Page], kind: str, width: int
) -> None:
    page = new_page(locale="de-DE")
    open_voucher(page, f"/vouchers?type={kind}&status=open")
    page.add_init_script(SHIFTS)
    page.set_viewport_size({"width": width, "height": 800})
    page.reload()
    expect(page.get_by_test_id("paid")).to_contain_text("€")
    moved: list[dict[str, Any]] = page.evaluate("window.moved")
    assert sum(shift["value"] for shift in moved) < 0.02, moved


A4_WIDTH = 673
"""Pixels between the margins of a sheet."""
NOT_PRINTED = (
    "nav, button, .bottom, .person, .notices, .filters, .actions, .back, input, select, dialog, iframe"
)


def printed(page: Page, name: str) -> int:
    """Print the page as it is and return how many sheets it takes."""
    page.emulate_media(media="print")
    content = page.pdf(prefer_css_page_size=True)
    folder = os.environ.get("LEXGATE_SCREENSHOTS")
    if folder:
        (Path(folder) / f"{name}.pdf").write_bytes(content)
    return len(re.findall(rb"/Type /Page\b", content))


def on_paper(page: Page) -> None:
    page.set_viewport_size({"width": A4_WIDTH, "height": 1000})
    page.emulate_media(media="print")


def visible(page: Page, selector: str) -> list[str]:
    found: list[str] = page.evaluate(
        """(selector) => [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility())
          .map((one) => one.outerHTML.slice(0, 80))""",
        selector,
    )
    return found


PAPERS = {
    "overview": ("/", "chart"),
    "vouchers": ("/vouchers", "vouchers"),
    "contacts": ("/contacts", "contacts"),
    "receipts": ("/receipts", "drop"),
    "sessions": ("/sessions", ""),
}


@pytest.mark.parametrize(("scheme", "locale"), [("light", "de-DE"), ("dark", "en-GB")])
def test_every_view_is_printed_in_ink_on_white_without_what_can_only_be_pressed(
    new_page: Callable[..., Page], scheme: str, locale: str
) -> None:
    page = new_page(color_scheme=scheme, locale=locale)
    sign_in(page)
    for name, (path, sign) in PAPERS.items():
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(media="screen")
        page.goto(path)
        expect(page.get_by_test_id(sign) if sign else page.get_by_role("heading", level=1)).to_be_visible()
        assert printed(page, f"print-{name}-{scheme}") >= 1
        on_paper(page)
        assert visible(page, NOT_PRINTED) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= A4_WIDTH, name
        look(page, f"print-{name}-{scheme}")
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)", name
        assert [one for one in axe_violations(page) if "color-contrast" in one] == [], name
        assert visible(page, ".company"), "the firm's name is the letterhead"


def test_a_printed_list_has_all_columns_and_repeats_their_names(new_page: Callable[..., Page]) -> None:
    page = new_page(color_scheme="dark")
    sign_in(page, path="/vouchers")
    expect(page.get_by_test_id("vouchers")).to_be_visible()
    on_paper(page)
    table = page.get_by_test_id("vouchers")
    assert len(visible(page, "[data-testid=vouchers] th")) == 8
    assert table.locator("thead").evaluate("(head) => getComputedStyle(head).display") == "table-header-group"
    assert table.locator("tbody tr").first.evaluate("(row) => getComputedStyle(row).breakInside") == "avoid"
    right = table.evaluate("(table) => table.getBoundingClientRect().right")
    assert right <= A4_WIDTH


def test_a_printed_voucher_is_one_sheet_with_both_parties(new_page: Callable[..., Page]) -> None:
    page = new_page(color_scheme="light", locale="de-DE")
    open_voucher(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")  # as the menu of appearances does
    page.get_by_test_id("pdf-preview").click()
    expect(page.locator("iframe")).to_be_attached()
    assert printed(page, "print-voucher") == 1
    on_paper(page)
    look(page, "print-voucher")
    assert visible(page, NOT_PRINTED) == []
    expect(page.get_by_test_id("company")).to_have_text("Nordlicht Leuchten GmbH")
    assert visible(page, ".recipient p")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert visible(page, "[data-testid=voucher-total]")
