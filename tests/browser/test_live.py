"""What changes at lexoffice changes on the screen, and takes nothing from the person who works there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.books import Books
from tests.browser.conftest import MovingClock, axe_violations, look, settle, sign_in
from tests.support.running import running_gateway
from tests.support.sockets import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from tests.browser.conftest import Complaints
    from tests.support.running import Running

ON = re.compile("appear here by themselves|erscheinen hier von selbst")
OFF = re.compile("do not appear by themselves")
# Where there are no workers the stream is the page's own, which a test can get at.
IN_THE_PAGE = "delete globalThis.SharedWorker; delete globalThis.Worker;"
IN_VIEW = "element => { const {top} = element.getBoundingClientRect(); return Math.round(top); }"


@pytest.fixture
def books(running: Running) -> Books:
    return Books(running)


def follow(page: Page, path: str) -> None:
    """Sign in, and go on once the stream of events is open."""
    sign_in(page, path=path)
    expect(page.get_by_test_id("live")).to_have_text(ON)


def api(urls: list[str]) -> list[str]:
    return [url for url in urls if "/api/" in url]


def row_of(page: Page, voucher: dict[str, str]) -> Locator:
    return page.locator(f'[data-key="{voucher["id"]}"]')


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_a_new_invoice_appears_and_is_marked(
    new_page: Callable[..., Page], books: Books, scheme: str, width: int
) -> None:
    page = new_page(color_scheme=scheme)
    follow(page, "/vouchers")
    page.set_viewport_size({"width": width, "height": 900})
    count = page.get_by_test_id("count")
    expect(count).to_have_text(re.compile(r"\d"))
    before = int(re.sub(r"\D", "", (count.text_content() or "").partition("·")[0]))
    voucher = books.change("add_random_invoice")
    row = row_of(page, voucher)
    expect(row).to_contain_text(voucher["voucherNumber"])
    expect(row).to_have_attribute("data-fresh", "")
    assert page.locator("[data-fresh]").count() == 1, "the rows that only moved down are not news"
    expect(count).to_contain_text(f"{before + 1} vouchers")
    look(page, f"live-row-{scheme}-{width}")
    assert axe_violations(page) == []
    expect(row).not_to_have_attribute("data-fresh", "")


def test_a_page_at_which_nobody_sits_asks_nothing_until_somebody_is_back(
    new_page: Callable[..., Page], books: Books
) -> None:
    page = new_page()
    page.clock.install()
    follow(page, "/vouchers")
    expect(page.get_by_test_id("count")).to_have_text(re.compile(r"\d"))
    page.clock.fast_forward("06:00")
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url))
    voucher = books.change("add_random_invoice")
    expect(page.get_by_test_id("toast").filter(has_text=re.compile("created|changed")).first).to_be_visible()
    page.clock.fast_forward("00:05")
    assert not api(calls), "a call would keep the session of an empty chair"
    page.mouse.move(200, 200)
    expect(row_of(page, voucher)).to_contain_text(voucher["voucherNumber"])
    assert api(calls)


def test_a_row_that_changes_takes_neither_focus_nor_place_nor_words(
    new_page: Callable[..., Page], books: Books
) -> None:
    invoice = books.change("add_random_invoice")
    page = new_page(height=500)
    follow(page, "/vouchers?type=invoice")
    page.get_by_label("Number or contact").fill("re")
    expect(page).to_have_url(re.compile("q=re"))
    settle(page)
    link = page.get_by_test_id("vouchers").get_by_role("link").nth(12)
    link.focus()
    link.scroll_into_view_if_needed()
    link.evaluate("element => scrollBy(0, 40)")
    page.evaluate("getSelection().selectAllChildren(document.activeElement.closest('tr').cells[2])")
    number, top, chosen = link.text_content(), link.evaluate(IN_VIEW), page.evaluate("String(getSelection())")

    books.change("pay", voucher_id=invoice["id"])
    expect(row_of(page, invoice)).to_contain_text("Paid")
    above = row_of(page, books.change("add_random_invoice"))
    expect(above).to_be_attached()
    assert above.evaluate(IN_VIEW) < top

    assert page.evaluate("document.activeElement.textContent") == number
    assert page.evaluate(f"({IN_VIEW})(document.activeElement)") == pytest.approx(top, abs=2)
    assert page.evaluate("String(getSelection())") == chosen != ""
    assert page.get_by_label("Number or contact").input_value() == "re"


def test_the_sums_follow_and_what_was_opened_stays_open(new_page: Callable[..., Page], books: Books) -> None:
    page = new_page()
    follow(page, "/")
    page.get_by_text("Show as a table").click()
    total, paid = page.get_by_test_id("total-open"), page.get_by_test_id("total-paid")
    before, paid_before = total.text_content() or "", paid.text_content() or ""
    voucher = books.change("add_random_invoice")
    expect(total).not_to_have_text(before)
    expect(total).to_have_attribute("data-fresh", "")
    look(page, "live-sum")
    books.change("pay", voucher_id=voucher["id"])
    expect(total).to_have_text(before)
    expect(paid).not_to_have_text(paid_before)
    assert page.locator("details.as-table").get_attribute("open") == ""
    assert axe_violations(page) == []


def test_a_voucher_that_is_paid_says_so_while_it_is_read(new_page: Callable[..., Page], books: Books) -> None:
    page = new_page()
    voucher = books.change("add_random_invoice")
    follow(page, f"/vouchers/invoice/{voucher['id']}")
    expect(page.get_by_test_id("paid")).to_contain_text("Still open")
    page.get_by_test_id("pdf-download").focus()
    books.change("pay", voucher_id=voucher["id"])
    expect(page.get_by_test_id("paid")).to_contain_text("Paid on")
    expect(page.locator(".heading .pill")).to_have_text("Paid")
    assert page.evaluate("document.activeElement.dataset.testid") == "pdf-download"


def test_the_books_of_others_change_nothing_here(
    new_page: Callable[..., Page], running: Running, books: Books
) -> None:
    page = new_page()
    follow(page, "/vouchers")
    settle(page)
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url))
    Books(running, "rebenhof").change("add_random_invoice")
    voucher = books.change("add_random_invoice")
    expect(row_of(page, voucher)).to_be_visible()
    assert len([url for url in calls if "/api/" in url]) == 1


def test_nothing_is_asked_for_while_nobody_looks(new_page: Callable[..., Page], books: Books) -> None:
    page = new_page()
    page.clock.install()
    follow(page, "/vouchers")
    expect(page.locator("[aria-busy]")).to_have_count(0)
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url))
    page.evaluate(
        """() => new Promise((resolve) => import('/auth/client.js').then(({ events }) => {
          window.changes = 0;
          resolve(events({ changed: () => window.changes += 1 }));
        }))"""
    )
    show(page, "hidden")
    vouchers = [books.change("add_random_invoice") for _ in range(3)]
    wait_for(page, lambda: page.evaluate("window.changes") >= 3)
    page.clock.run_for(2000)
    assert not [url for url in calls if "/api/" in url]
    show(page, "visible")
    expect(row_of(page, vouchers[-1])).to_be_visible()
    assert len([url for url in calls if "/api/" in url]) == 1, "and then once for all"


def test_all_tabs_together_have_one_stream(new_page: Callable[..., Page], running: Running) -> None:
    first = new_page()
    follow(first, "/vouchers")
    second = first.context.new_page()
    second.goto("/")
    expect(second.get_by_test_id("live")).to_have_text(ON)
    assert streams(running) == 1
    first.close()
    expect(second.get_by_test_id("live")).to_have_text(ON)
    assert streams(running) == 1


def test_a_stream_that_is_refused_is_asked_for_again_and_what_was_missed_is_shown(
    new_page: Callable[..., Page], books: Books, complaints: Complaints
) -> None:
    complaints.expected.append("503")
    page = new_page()
    page.add_init_script(IN_THE_PAGE)
    page.route("**/auth/events*", lambda route: route.fulfill(status=503))
    sign_in(page, path="/vouchers")
    expect(page.get_by_test_id("vouchers")).to_be_visible()
    voucher = books.change("add_random_invoice")
    expect(page.get_by_test_id("live")).to_have_text(OFF)
    look(page, "live-off")
    assert row_of(page, voucher).count() == 0
    page.unroute("**/auth/events*")
    expect(row_of(page, voucher)).to_be_visible()
    expect(page.get_by_test_id("live")).to_have_text(ON)


def streams(running: Running) -> int:
    found = re.search(r"^lexgate_event_streams (\d+)", metrics(running), re.MULTILINE)
    assert found
    return int(found[1])


def show(page: Page, state: str) -> None:
    """Let the page believe that it is seen, or is not: no headless browser covers a tab with another."""
    page.evaluate(
        """state => {
          Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
          document.dispatchEvent(new Event('visibilitychange'));
        }""",
        state,
    )


def wait_for(page: Page, is_so: Callable[[], bool]) -> None:
    for _ in range(200):
        if is_so():
            return
        page.wait_for_timeout(20)
    raise AssertionError("it did not come to be")


@pytest.mark.parametrize(("user", "goes_on"), [("anna", True), ("jonas", False)])
def test_a_tab_goes_on_after_a_new_sign_in_in_another_if_it_was_the_same_person(
    new_page: Callable[..., Page], books: Books, *, user: str, goes_on: bool
) -> None:
    number = books.change("add_random_invoice")["voucherNumber"]
    page = new_page()
    follow(page, "/vouchers")
    expect(page.get_by_text(number)).to_be_visible()
    other = page.context.new_page()
    other.goto("/auth/login?return_to=/contacts&prompt=login")
    other.get_by_test_id(f"user-{user}").click()
    other.get_by_test_id("allow").click()
    expect(other.get_by_test_id("contacts")).to_be_visible()
    if goes_on:
        expect(row_of(page, books.change("add_random_invoice"))).to_be_visible()
    else:
        expect(page.get_by_test_id("notice")).to_contain_text("You are signed in as Jonas")
        expect(page.get_by_test_id("company")).to_have_text("Rebenhof Sommer e. K.")
        expect(page.get_by_text(number)).not_to_be_attached()
        look(page, "other-person")
        assert axe_violations(page) == []


def test_all_tabs_together_ask_once_for_what_changed(chromium: Browser) -> None:
    """The gateway forgot before it told: what the first tab is answered then serves the others."""
    settings = {"LEXGATE_CACHE": '{"/api/v1/voucherlist": 60}'}
    with running_gateway("lexware", clock=MovingClock(0), settings=settings, webhooks=True) as running:
        context = chromium.new_context(base_url=running.public_url, locale="en-GB")
        tabs = [context.new_page() for _ in range(3)]
        follow(tabs[0], "/vouchers")
        for tab in tabs[1:]:
            tab.goto("/vouchers")
            expect(tab.get_by_test_id("live")).to_have_text(ON)
            expect(tab.get_by_test_id("vouchers")).to_be_visible()
        httpx.delete(f"{running.sandbox_url}/sandbox/calls")
        voucher = Books(running).change("add_random_invoice")
        for tab in tabs:
            expect(row_of(tab, voucher)).to_be_visible()
        calls = httpx.get(f"{running.sandbox_url}/sandbox/calls").json()["calls"]
        assert [call["path"] for call in calls] == ["/v1/voucherlist"]
        context.close()
