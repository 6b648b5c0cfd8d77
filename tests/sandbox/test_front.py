"""The front page: books are changed on it by forms of its own, and it shows what came of that."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from gateway.sandbox.accounts import NORDLICHT, REBENHOF
from gateway.sandbox.books.changes import add_random_invoice, customers_of, void
from gateway.sandbox.pages.de import TEXTS as DE
from gateway.sandbox.pages.en import TEXTS as EN
from gateway.sandbox.pages.format import format_amount, format_money, parse_amount
from gateway.sandbox.pages.notices import KINDS
from gateway.sandbox.webhooks.event import EVENT_TYPES
from tests.support.wire import Reply, Wire, reply, running_wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from gateway.sandbox import Sandbox
    from gateway.sandbox.books.voucher import Voucher
    from tests.sandbox.stage import Clock, Person, Stage

GERMAN = {"Accept-Language": "de"}


@pytest.fixture
def hook() -> Iterator[Wire]:
    with running_wire() as wire:
        wire.script = lambda _: Reply(b"HTTP/1.1 204 No Content\r\n\r\n")
        yield wire


def send(http: httpx.Client, path: str, **fields: str) -> str:
    """Send a form and return the page that it leads to."""
    answer = http.post(path, data=fields)
    assert answer.status_code == 303, answer.text
    page = http.get(answer.headers["location"])
    assert page.status_code == 200
    return page.text


def notice(page: str) -> str:
    return unescape(re.findall(r'data-testid="notice">([^<]*)<', page)[0])


def newest(sandbox: Sandbox) -> Voucher:
    return list(sandbox.books[NORDLICHT.id].vouchers.values())[-1]


def test_an_invoice_is_added(http: httpx.Client, sandbox: Sandbox) -> None:
    contact = customers_of(sandbox.books[NORDLICHT.id])[2]
    page = send(http, "/books/nordlicht/invoices", contact=contact["id"], amount="1.234,50 €")
    voucher = newest(sandbox)
    assert (voucher.gross, voucher.status, voucher.contact_id) == (123450, "open", contact["id"])
    assert notice(page) == f"{voucher.number} for {contact['company']['name']} was added."
    assert "€1,234.50" in page
    assert "fresh" in page


def test_any_invoice_is_added_by_one_click(http: httpx.Client, sandbox: Sandbox) -> None:
    before = len(sandbox.books[NORDLICHT.id].vouchers)
    page = send(http, "/books/nordlicht/invoices", random="yes")
    assert len(sandbox.books[NORDLICHT.id].vouchers) == before + 1
    assert notice(page).startswith(f"{newest(sandbox).number} for")


def test_an_invoice_is_paid_in_parts_and_then_wholly(http: httpx.Client, sandbox: Sandbox) -> None:
    voucher = add_random_invoice(sandbox.books[NORDLICHT.id], sandbox.random, now=sandbox.now())
    path = f"/books/nordlicht/invoices/{voucher.id}"
    page = send(http, f"{path}/payments", amount="1.00")
    assert notice(page) == (
        f"{voucher.number} was paid in part, {format_money('en', voucher.gross - 100)} are still open."
    )
    assert f"{path}/void" not in page
    refused = send(http, f"{path}/void")
    assert notice(refused) == EN["notice_no_status"]
    page = send(http, f"{path}/payments", amount=format_amount("en", voucher.gross - 100))
    assert notice(page) == f"{voucher.number} is paid."
    assert newest(sandbox).status == "paid"
    assert f"{path}/payments" not in page


def test_an_invoice_is_voided(http: httpx.Client, sandbox: Sandbox) -> None:
    voucher = add_random_invoice(sandbox.books[NORDLICHT.id], sandbox.random, now=sandbox.now())
    page = send(http, f"/books/nordlicht/invoices/{voucher.id}/void")
    assert (notice(page), newest(sandbox).status) == (f"{voucher.number} was voided.", "voided")


@pytest.mark.parametrize(
    ("path", "fields", "kind"),
    [
        ("", {"contact": "unknown", "amount": "1"}, "no_contact"),
        ("", {"amount": "1"}, "no_contact"),
        ("", {"contact": "known", "amount": "much"}, "no_amount"),
        ("", {"contact": "known", "amount": "0"}, "no_amount"),
        ("", {"contact": "known", "amount": "-1"}, "no_amount"),
        ("", {"contact": "known", "amount": "999999999"}, "no_amount"),
        ("/unknown/payments", {"amount": "1"}, "no_voucher"),
        ("/unknown/void", {}, "no_voucher"),
        ("/open/payments", {"amount": "900000"}, "no_amount"),
        ("/open/payments", {}, "no_amount"),
        ("/voided/payments", {"amount": "1"}, "no_status"),
        ("/voided/void", {}, "no_status"),
    ],
)
def test_what_cannot_be_changes_nothing_and_is_told(
    http: httpx.Client, sandbox: Sandbox, path: str, fields: dict[str, str], kind: str
) -> None:
    books = sandbox.books[NORDLICHT.id]
    now = sandbox.now()
    open_one, voided = (add_random_invoice(books, sandbox.random, now=now).id for _ in range(2))
    void(books, voided, now=now)
    known = {"known": customers_of(books)[0]["id"]}
    before = dict(books.vouchers)
    whole = path.replace("/open/", f"/{open_one}/").replace("/voided/", f"/{voided}/")
    wanted = {key: known.get(value, value) for key, value in fields.items()}
    page = send(http, f"/books/nordlicht/invoices{whole}", **wanted)
    assert notice(page) == EN[f"notice_{kind}"]
    assert 'role="alert"' in page
    assert books.vouchers == before


def test_a_connection_is_ended_and_the_app_loses_access(person: Person, sandbox: Sandbox) -> None:
    token = person.sign_in("jonas").access_token
    (connection,) = sandbox.grants.connections()
    path = f"/connections/{connection.id}/end"
    assert path in person.http.get("/").text, "the books of whoever connected last come first"
    assert path not in person.http.get("/?organization=nordlicht").text
    page = send(person.http, path)
    assert notice(page) == EN["notice_ended"]
    assert EN["nobody"] in page
    assert person.api("GET", "/profile", token).status_code == 401
    assert notice(send(person.http, path)) == EN["notice_no_connection"]


def test_each_organization_has_its_own_page(http: httpx.Client, sandbox: Sandbox) -> None:
    voucher = add_random_invoice(sandbox.books[REBENHOF.id], sandbox.random, now=sandbox.now())
    assert voucher.id in http.get("/?organization=rebenhof").text
    page = http.get("/?organization=acme").text
    assert voucher.id not in page
    assert "aria-current=page>Nordlicht Leuchten GmbH" in page
    send(http, "/books/rebenhof/invoices", random="yes")
    assert len(sandbox.books[REBENHOF.id].vouchers) == 112


def test_the_clock_is_moved_and_set_back(http: httpx.Client, sandbox: Sandbox, clock: Clock) -> None:
    send(http, "/clock", ahead="86400", organization="rebenhof")
    page = send(http, "/clock", ahead="3600", organization="rebenhof")
    assert sandbox.now() == clock.now + 86400 + 3600
    assert "25 h ahead" in page
    assert "aria-current=page>Rebenhof" in page
    sandbox.move_clock(-1800)
    assert "geht der Uhr des Rechners 0.5 Stunden nach" in http.get("/", headers=GERMAN).text
    assert "as the machine" in send(http, "/clock", ahead="0")
    sandbox.move_clock(3650 * 86400)
    send(http, "/clock", ahead="2592000")
    assert sandbox.clock_offset == 3650 * 86400, "as far as it goes"


def test_the_page_shows_what_became_of_the_deliveries(
    http: httpx.Client, stage: Stage, clock: Clock, hook: Wire
) -> None:
    sandbox = stage.put_on(clock, webhook_retries=(1.0,))
    for event_type in EVENT_TYPES:
        sandbox.webhooks.subscribe(NORDLICHT.id, event_type, f"{hook.url}/hook")
    page = send(http, "/books/nordlicht/invoices", random="yes")
    assert f"{hook.url}/hook" in page
    assert f"{len(EVENT_TYPES)} event types" in page
    assert page.count('data-testid="delivery"') == 1
    assert f"<code>invoice.created</code> {newest(sandbox).number}" in page
    assert EN["delivery_delivered"] in page
    hook.script = lambda _: reply(500)
    page = send(http, "/books/nordlicht/invoices", random="yes")
    assert EN["delivery_waiting"] in page
    sandbox.books[NORDLICHT.id].subscriptions.clear()


def test_the_page_does_not_wait_long_for_a_slow_subscriber(
    http: httpx.Client, sandbox: Sandbox, hook: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sandbox.front._PATIENCE", 0.05)
    hook.script = lambda _: Reply(waits=True)
    sandbox.webhooks.subscribe(NORDLICHT.id, "invoice.created", f"{hook.url}/hook")
    assert EN["delivery_under_way"] in send(http, "/books/nordlicht/invoices", random="yes")


FOREIGN = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
)


@pytest.mark.parametrize("fields", FOREIGN)
def test_forms_of_other_sites_change_nothing(
    person: Person, sandbox: Sandbox, fields: dict[str, str]
) -> None:
    person.sign_in()
    voucher = add_random_invoice(sandbox.books[NORDLICHT.id], sandbox.random, now=sandbox.now())
    (connection,) = sandbox.grants.connections()
    invoice = f"/books/nordlicht/invoices/{voucher.id}"
    paths = ("/books/nordlicht/invoices", f"{invoice}/payments", f"{invoice}/void", "/clock")
    for path in (*paths, f"/connections/{connection.id}/end"):
        form = {"random": "yes", "amount": "1", "ahead": "3600"}
        answer = person.http.post(path, data=form, headers=fields)
        assert answer.status_code == 403, path
        assert EN["refused_foreign_form"] in answer.text
    assert newest(sandbox) == voucher
    assert (sandbox.grants.connections(), sandbox.clock_offset) == ((connection,), 0)


def test_the_pages_own_forms_are_taken(http: httpx.Client, sandbox: Sandbox, stage: Stage) -> None:
    for fields in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": stage.base_url}):
        answer = http.post("/clock", data={"ahead": "3600"}, headers=fields)
        assert answer.status_code == 303
    assert sandbox.clock_offset == 7200


def test_nothing_of_the_query_is_shown(http: httpx.Client, sandbox: Sandbox) -> None:
    assert sandbox
    for query in (
        "notice=%3Cscript%3E&section=invoices",
        "notice=added&section=%3Cscript%3E",
        "notice=added&section=invoices&about=%3Cscript%3E",
    ):
        page = http.get(f"/?{query}")
        assert page.status_code == 200
        assert "script" not in page.text


def test_names_that_a_client_chose_are_escaped(person: Person, sandbox: Sandbox) -> None:
    token = person.sign_in().access_token
    contact = {"version": 0, "roles": {"customer": {}}, "company": {"name": "<i>A & B</i>"}}
    made = person.api("POST", "/contacts", token, json=contact).json()["id"]
    page = send(person.http, "/books/nordlicht/invoices", contact=made, amount="1")
    assert newest(sandbox).contact_name == "<i>A & B</i>"
    assert "<i>A" not in page
    assert notice(page) == f"{newest(sandbox).number} for <i>A & B</i> was added."


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("1", 100),
        ("1,5", 150),
        ("1.50", 150),
        ("1.234", 123400),
        ("1,234.5", 123450),
        ("1.234,56 €", 123456),
        ("€ 12.345.678,90", 1234567890),
        (" 1 234,00", 123400),
        ("", None),
        ("-1", None),
        ("1.2.3", None),
        ("1,234,5678", None),
        ("1e3", None),
        ("\u0661", None),
        ("1" * 10, None),
    ],
)
def test_amounts_are_read_as_people_type_them(text: str, cents: int | None) -> None:
    assert parse_amount(text) == cents


def test_both_languages_say_the_same_things() -> None:
    assert EN.keys() == DE.keys()
    assert {f"notice_{kind}" for kind in KINDS} <= EN.keys()
    for key, text in EN.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", DE[key])), key
