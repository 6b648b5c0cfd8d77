"""An invoice arrives exactly once, whatever happens to the session, the connection or somebody's patience."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import axe_violations, look, sign_in
from tests.browser.invoices import (
    FAULT,
    PATH,
    box,
    creates,
    fill_item,
    kept,
    made,
    sign_in_again,
    write_invoice,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Complaints
    from tests.support.running import Running

INVOICE_PAGE = re.compile(r"/vouchers/invoice/[0-9a-f-]{36}$")


def send_after_the_session_ran_out(
    page: Page, running: Running, name: str, *, is_final: bool = False
) -> None:
    sign_in(page, path=PATH)
    write_invoice(page, name=name)

    def end_the_session(route: Route) -> None:
        running.clock.advance(1801)
        route.continue_()

    page.route("**/api/v1/invoices*", end_the_session, times=1)
    if is_final:
        page.get_by_test_id("send-final").click()
        page.get_by_test_id("yes").click()
    else:
        page.get_by_test_id("send-draft").click()
    expect(page.get_by_test_id("session-ended")).to_be_visible()


@pytest.mark.parametrize("is_final", [False, True])
def test_an_invoice_that_met_the_end_of_the_session_is_made_once_after_a_popup(
    new_page: Callable[..., Page], running: Running, complaints: Complaints, *, is_final: bool
) -> None:
    complaints.expected.append("401")
    page = new_page()
    name = f"Popup {is_final}"
    before = creates(running)
    send_after_the_session_ran_out(page, running, name, is_final=is_final)
    assert creates(running) == before
    with page.context.expect_page() as opened:
        page.get_by_test_id("sign-in-again").click()
    sign_in_again(opened.value)
    expect(page).to_have_url(INVOICE_PAGE)
    expect(page.get_by_test_id("voucher-total")).to_contain_text("119.00")
    assert [voucher.status for voucher in made(running, name)] == ["open" if is_final else "draft"]
    assert creates(running) == before + 1
    assert kept(page) == []


@pytest.mark.parametrize("is_final", [False, True])
def test_an_invoice_that_met_the_end_of_the_session_is_made_once_after_leaving_the_page(
    new_page: Callable[..., Page], running: Running, complaints: Complaints, *, is_final: bool
) -> None:
    complaints.expected.append("401")
    page = new_page()
    name = f"Navigation {is_final}"
    before = creates(running)
    send_after_the_session_ran_out(page, running, name, is_final=is_final)
    page.get_by_test_id("sign-in-here").click()
    sign_in_again(page)
    expect(page).to_have_url(INVOICE_PAGE)
    expect(page.get_by_test_id("notice")).to_contain_text(
        "finalized" if is_final else "draft is in lexoffice"
    )
    expect(page.get_by_test_id("voucher-total")).to_contain_text("119.00")
    assert [voucher.status for voucher in made(running, name)] == ["open" if is_final else "draft"]
    assert creates(running) == before + 1
    page.goto(PATH)
    expect(box(page, "name")).to_have_value("")
    expect(page.get_by_test_id("offers")).to_have_count(0)
    assert creates(running) == before + 1


def test_an_invoice_that_was_refused_after_signing_in_is_sent_by_its_person_alone(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected += ["401", "503"]
    page = new_page()
    before = creates(running)
    send_after_the_session_ran_out(page, running, "Noch einmal")

    def away(route: Route) -> None:
        problem = {"status": 503, "code": "store_unavailable", "instance": "urn:request:0123456789abcdef"}
        route.fulfill(status=503, content_type="application/problem+json", json=problem)

    page.route("**/api/v1/invoices*", away, times=1)
    page.get_by_test_id("sign-in-here").click()
    sign_in_again(page)
    expect(page.get_by_test_id("fault")).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Contacts").click()
    expect(page.get_by_test_id("contacts")).to_be_visible()
    page.go_back()
    expect(page.get_by_test_id("offers")).to_be_visible()
    assert creates(running) == before
    page.get_by_test_id("offers").get_by_role("button").first.click()
    expect(box(page, "name")).to_have_value("Noch einmal")
    assert creates(running) == before
    page.get_by_test_id("send-draft").click()
    expect(page).to_have_url(INVOICE_PAGE)
    assert (creates(running), len(made(running, "Noch einmal"))) == (before + 1, 1)


def test_an_invoice_that_waits_for_a_sign_in_is_not_made_for_somebody_else(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected.append("401")
    page = new_page()
    before = creates(running)
    send_after_the_session_ran_out(page, running, "Nicht für Jonas")
    page.get_by_test_id("sign-in-here").click()
    sign_in_again(page, user="jonas")
    expect(page.get_by_test_id("user")).to_contain_text("Jonas")
    expect(box(page, "name")).to_have_value("")
    expect(page.get_by_test_id("offers")).to_have_count(0)
    assert [draft["draft"]["items"][0]["name"] for draft in kept(page)] == ["Nicht für Jonas"]
    assert creates(running) == before
    running.clock.advance(1801)
    page.goto(PATH)
    page.get_by_role("button", name="lexoffice").click()
    sign_in_again(page, user="anna")
    expect(page.get_by_test_id("offers")).to_contain_text("the outcome is not known")
    assert creates(running) == before


@pytest.mark.parametrize(
    ("fault", "parameters"), [("api_504", {"seconds": 0}), ("api_dropped", {}), ("api_500", {})]
)
def test_what_may_have_been_made_is_never_sent_again_by_itself(
    new_page: Callable[..., Page],
    running: Running,
    complaints: Complaints,
    fault: str,
    parameters: dict[str, int],
) -> None:
    complaints.expected += ["502", "504", "500"]
    page = new_page()
    sign_in(page, path=PATH)
    write_invoice(page, name=f"Zweifel {fault}", price="4321.09")
    running.sandbox.faults.inject(fault, {**FAULT, **parameters}, times=1)
    before = creates(running)
    page.get_by_test_id("send-draft").click()
    doubt = page.get_by_test_id("doubt")
    expect(doubt).to_be_visible()
    expect(doubt).to_be_focused()
    said = "tells of an error" if fault == "api_500" else "no answer of lexoffice arrived"
    expect(doubt).to_contain_text(said)
    assert axe_violations(page) == []
    page.get_by_test_id("send-draft").click()  # nothing happens until somebody has decided
    page.reload()
    expect(doubt).to_be_visible()
    expect(box(page, "name")).to_have_value(f"Zweifel {fault}")
    doubt.get_by_test_id("doubt-look").click()
    result = doubt.get_by_test_id("doubt-result")
    was_made = fault != "api_500"
    assert len(made(running, f"Zweifel {fault}")) == was_made
    assert creates(running) == before + 1
    if was_made:
        expect(result).to_contain_text("Hotel Alsterblick GmbH · €5,142.10")
        look(page, "invoice-doubt-1280")
        assert axe_violations(page) == []
        result.get_by_test_id("doubt-is-it").first.click()
        expect(page).to_have_url(re.compile(r"/vouchers\?type=invoice$"))
        assert kept(page) == []
        for voucher in made(running, f"Zweifel {fault}"):
            running.sandbox.books_of("nordlicht").vouchers.pop(voucher.id)
    else:
        expect(result).to_contain_text("no invoice of that day")
        doubt.get_by_test_id("doubt-go-on").click()
        page.get_by_test_id("send-draft").click()
        expect(page).to_have_url(INVOICE_PAGE)
        assert len(made(running, f"Zweifel {fault}")) == 1
        for voucher in made(running, f"Zweifel {fault}"):
            running.sandbox.books_of("nordlicht").vouchers.pop(voucher.id)


def test_what_may_have_been_made_is_not_sent_again_where_a_part_of_the_app_was_missing(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected += ["504", "ERR_FAILED"]
    page = new_page()
    sign_in(page, path=PATH)
    write_invoice(page, name="Lücke")
    running.sandbox.faults.inject("api_504", {**FAULT, "seconds": 0}, times=1)
    before = creates(running)
    page.get_by_test_id("send-draft").click()
    expect(page.get_by_test_id("doubt")).to_be_visible()
    page.route("**/app/invoice/dispatch.js*", lambda route: route.abort())
    page.reload()
    expect(page.get_by_test_id("sending")).not_to_be_empty()
    page.unroute("**/app/invoice/dispatch.js*")
    page.get_by_test_id("send-draft").click()
    expect(page.get_by_test_id("doubt")).to_be_visible()
    assert creates(running) == before + 1
    for voucher in made(running, "Lücke"):
        running.sandbox.books_of("nordlicht").vouchers.pop(voucher.id)


def test_an_invoice_whose_answer_broke_off_was_made(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected += ["ERR_", "502"]
    page = new_page()
    sign_in(page, path=PATH)
    write_invoice(page, name="Abgerissen")
    before = creates(running)

    def break_off(route: Route) -> None:
        route.fetch()
        route.fulfill(status=201, body='{"id":')

    page.route("**/api/v1/invoices", break_off)
    page.get_by_test_id("send-draft").click()
    expect(page).to_have_url(re.compile(r"/vouchers\?type=invoice$"))
    expect(page.get_by_test_id("notice")).to_contain_text("draft is in lexoffice")
    assert (creates(running), len(made(running, "Abgerissen")), kept(page)) == (before + 1, 1, [])


def test_a_call_too_many_is_sent_again_since_it_was_not_performed(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected.append("429")
    page = new_page()
    sign_in(page, path=PATH)
    write_invoice(page, name="Zu viele Aufrufe")

    def busy(route: Route) -> None:
        route.fulfill(status=429, headers={"Retry-After": "1"}, json={"message": "Rate limit exceeded"})

    page.route("**/api/v1/invoices", busy, times=1)
    page.get_by_test_id("send-draft").click()
    expect(page).to_have_url(INVOICE_PAGE)
    assert len(made(running, "Zu viele Aufrufe")) == 1


def test_offline_nothing_is_sent_and_all_is_kept(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected.append("ERR_INTERNET_DISCONNECTED")
    page = new_page()
    sign_in(page, path=PATH)
    write_invoice(page, name="Im Zug")
    before = creates(running)
    page.context.set_offline(True)
    page.get_by_test_id("send-draft").click()
    expect(page.get_by_test_id("fault")).to_contain_text("Nothing was sent")
    expect(page.get_by_test_id("fault")).to_be_focused()
    assert axe_violations(page) == []
    page.context.set_offline(False)
    assert creates(running) == before
    expect(box(page, "name")).to_have_value("Im Zug")
    page.get_by_test_id("send-draft").click()
    expect(page).to_have_url(INVOICE_PAGE)
    assert creates(running) == before + 1


def test_whoever_may_not_write_invoices_is_told_so(
    new_page: Callable[..., Page], running: Running, complaints: Complaints
) -> None:
    complaints.expected.append("403")
    page = new_page()
    sign_in(page, path=PATH)
    write_invoice(page, name="Ohne Recht")
    page.route(
        "**/api/v1/invoices",
        lambda route: route.fulfill(status=403, json={"message": "The access token lacks invoices.write"}),
    )
    page.get_by_test_id("send-draft").click()
    fault = page.get_by_test_id("fault")
    expect(fault).to_contain_text("may not write invoices")
    expect(fault).to_contain_text("No invoice was made")
    assert made(running, "Ohne Recht") == []
    fill_item(page, name="Noch da")
    assert len(kept(page)) == 1


def test_an_invoice_that_is_made_after_its_page_was_left_is_told(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page()
    sign_in(page, path=PATH)
    write_invoice(page, name="Schon woanders")
    held: list[Route] = []
    page.route("**/api/v1/invoices", lambda route: held.append(route))  # noqa: PLW0108 - playwright marks it
    page.get_by_test_id("send-draft").click()
    expect(page.get_by_test_id("sending")).not_to_be_empty()
    page.get_by_role("link", name="Contacts").first.click()
    expect(page.get_by_test_id("contacts")).to_be_visible()
    held[0].continue_()
    expect(page.get_by_test_id("notice")).to_contain_text("draft is in lexoffice")
    expect(page).to_have_url(re.compile(r"/contacts$"))
    assert (len(made(running, "Schon woanders")), kept(page)) == (1, [])
