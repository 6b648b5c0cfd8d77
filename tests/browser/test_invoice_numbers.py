"""The arithmetic, numbers and dates of an invoice that is written in the app: modules that know no page."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from gateway.sandbox.books.dates import midnight, wire
from gateway.sandbox.books.voucher import Line, tax_amounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.support.running import Running

MODULES = ("amounts", "days", "draft", "numbers", "order", "refusal", "validation")


@pytest.fixture(scope="module")
def run(chromium: Browser, running: Running) -> Iterator[Callable[..., Any]]:
    """Give a function that runs JavaScript with the modules' exports (`m`) and an argument (`a`)."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{running.public_url}/favicon.svg")
    imports = ", ".join(f"await import('{running.public_url}/app/invoice/{name}.js')" for name in MODULES)

    def run(body: str, argument: Any = None) -> Any:  # noqa: ANN401 - JSON either way
        return page.evaluate(f"async (a) => {{ const m = Object.assign({{}}, {imports}); {body} }}", argument)

    yield run
    context.close()


READ = (
    "return a.map(([text, language, places]) => m.parseDecimal(text, language, places)?.toString() ?? null);"
)


@pytest.mark.parametrize(
    ("language", "text", "places", "read"),
    [
        ("de", "1.234,56", 2, 123456),
        ("en", "1,234.56", 2, 123456),
        ("de", "1234,5", 2, 123450),
        ("en", "1234.5", 2, 123450),
        ("de", "  12 ", 2, 1200),
        ("de", "1.234", 2, 123400),
        ("en", "1,234", 2, 123400),
        ("de", "1.234.567,89", 2, 123456789),
        ("de", "-12,30", 2, -1230),
        ("de", "\N{MINUS SIGN}12,30", 2, -1230),
        ("de", "0,0001", 4, 1),
        ("en", "0", 4, 0),
        ("de", "007", 2, 700),
    ],
)
def test_a_number_is_read_as_its_language_writes_it(
    run: Callable[..., Any], language: str, text: str, places: int, read: int
) -> None:
    assert run(READ, [[text, language, places]]) == [str(read)]


@pytest.mark.parametrize(
    ("language", "text", "places"),
    [
        ("de", "1,234.56", 2),
        ("en", "1.234,56", 2),
        ("de", "12.5", 2),
        ("en", "12,5", 2),
        ("de", "1.23.456", 2),
        ("de", "1..234", 2),
        ("de", "12345.678", 2),
        ("de", "1,234", 2),
        ("de", ",50", 2),
        ("de", "5,", 2),
        ("de", "1 234,50", 2),
        ("de", "1e3", 2),
        ("de", "0x10", 2),
        ("de", "--1", 2),
        ("de", "+1", 2),
        ("de", "", 2),
        ("de", "\N{ARABIC-INDIC DIGIT FIVE}", 2),
        ("de", "1" * 20, 2),
        ("de", "Infinity", 2),
    ],
)
def test_what_is_no_number_in_its_language_is_none(
    run: Callable[..., Any], language: str, text: str, places: int
) -> None:
    assert run(READ, [[text, language, places]]) == [None]


def test_what_is_written_is_read_as_the_same_number(run: Callable[..., Any]) -> None:
    random = Random(19)  # noqa: S311 - the same numbers each time
    drawn = [
        (random.randint(-(10**9), 10**9), places, random.choice(["de", "en"]))
        for places in (2, 4)
        for _ in range(500)
    ]
    drawn += [(0, 2, "de"), (-1, 2, "en"), (5, 4, "de"), (100_000, 2, "en"), (99_999, 2, "de")]
    back = run(
        """return a.map(([value, places, language]) => [0, places].map((least) => {
             const text = m.formatDecimal(BigInt(value), language, places, least);
             return Number(m.parseDecimal(text, language, places));
           }));""",
        drawn,
    )
    assert back == [[value, value] for value, _, _ in drawn]


def test_numbers_are_written_with_marks_of_thousands(run: Callable[..., Any]) -> None:
    written = run(
        """return [[123456789n, 'de', 2], [123456789n, 'en', 2], [15000n, 'de', 4, 0], [-50n, 'de', 2],
             [10000n, 'en', 4, 0]].map((one) => m.formatDecimal(...one));"""
    )
    assert written == ["1.234.567,89", "1,234,567.89", "1,5", "-0,50", "1"]


TOTALS = """return a.map(([taxType, lines]) => {
  const amounts = lines.map(([quantity, price, discount]) =>
    m.lineAmount(BigInt(quantity), BigInt(price), BigInt(discount)));
  const totals = m.totalsOf(amounts.map((amount, index) => ({ amount, rate: lines[index][3] })), taxType);
  return { amounts: amounts.map(Number), net: Number(totals.net), gross: Number(totals.gross),
    taxes: totals.taxes.map(({ rate, net, tax }) => [rate, Number(net), Number(tax)]) };
});"""


@pytest.mark.parametrize(
    ("quantity", "price", "discount", "amount"),
    [
        (10_000, 3333, 0, 3333),
        (5_000, 1, 0, 1),  # half a cent, away from zero
        (5_000, -1, 0, -1),
        (4_999, 1, 0, 0),
        (15_000, 1999, 0, 2999),  # 29.985
        (30_000, 3333, 1_000, 8999),  # 89.991
        (10_000, 10_000, 10_000, 0),
        (10_000, 100, 3_350, 67),  # 66.5
        (10_000_000_000_000, 1, 0, 1_000_000_000),
    ],
)
def test_an_amount_is_rounded_once_and_commercially(
    run: Callable[..., Any], quantity: int, price: int, discount: int, amount: int
) -> None:
    (found,) = run(TOTALS, [["net", [[quantity, price, discount, 19]]]])
    assert found["amounts"] == [amount]


def test_sums_are_those_of_the_sandbox_and_of_their_lines(run: Callable[..., Any]) -> None:
    """A thousand invoices: the tax once for each rate, and the lines add up to net or gross, to the cent."""
    random = Random(7)  # noqa: S311 - the same invoices each time
    drawn: list[tuple[Any, list[list[int]]]] = [
        (
            random.choice(["net", "gross", "vatfree"]),
            [
                [
                    random.randint(1, 1_000_000),
                    random.randint(-5_000, 500_000),
                    random.choice([0, 0, 250, 1_000, random.randint(0, 10_000)]),
                    random.choice([0, 7, 19]),
                ]
                for _ in range(random.randint(1, 8))
            ],
        )
        for _ in range(1_000)
    ]
    for (tax_type, lines), found in zip(drawn, run(TOTALS, drawn), strict=True):
        booked = tuple(
            Line(
                id="",
                kind="custom",
                name="",
                quantity=Decimal(quantity) / 10_000,
                unit_price=price,
                discount=Decimal(discount) / 100,
                tax_rate=Decimal(rate),
            )
            for quantity, price, discount, rate in lines
        )
        taxes = tax_amounts(booked, tax_type)
        assert found["amounts"] == [line.amount for line in booked]
        assert found["taxes"] == [[int(tax.rate), tax.net, tax.tax] for tax in taxes]
        assert sum(found["amounts"]) == found["gross" if tax_type == "gross" else "net"]
        assert found["gross"] - found["net"] == sum(tax for _, _, tax in found["taxes"])


def test_days_become_the_first_moment_of_the_day_in_germany(run: Callable[..., Any]) -> None:
    days = ["2026-01-31", "2026-03-28", "2026-03-29", "2026-03-30", "2026-07-01", "2026-10-25", "2026-10-26"]
    days += ["2024-02-29", "2027-03-28", "2027-10-31"]
    expected = [wire(midnight(date.fromisoformat(day))) for day in days]
    assert run("return a.map(m.wireDay);", days) == expected


@pytest.mark.parametrize(
    ("text", "is_day"),
    [
        ("2026-02-28", True),
        ("2024-02-29", True),
        ("2026-02-29", False),
        ("2026-13-01", False),
        ("1999-01-01", False),
        ("02026-01-01", False),
        ("2026-1-1", False),
        ("", False),
    ],
)
def test_only_days_of_the_calendar_are_days(run: Callable[..., Any], text: str, *, is_day: bool) -> None:
    assert run("return m.isDay(a);", text) is is_day


def test_the_day_it_is_due_follows_from_the_days_to_pay(run: Callable[..., Any]) -> None:
    due = """const draft = m.newDraft('2026-01-31', 'de');
      return a.map((termDays) => m.dueDay({ ...draft, termDays }));"""
    assert run(due, ["0", "14", " 30", "x", "1,5"]) == ["2026-01-31", "2026-02-14", "2026-03-02", "", ""]
    assert run("return m.daysBetween('2026-03-28', '2026-03-30');") == 2


@pytest.mark.parametrize("day", ["", "20266-01-01", "x"])
def test_of_what_is_no_day_nothing_follows(run: Callable[..., Any], day: str) -> None:
    """Date inputs let a year of five or six digits be typed."""
    assert run("return m.dueDay({ ...m.newDraft('2026-01-31', 'de'), voucherDate: a });", day) == ""


DRAFT = """
const numbers = { quantity: '1,5', price: '1.234,56 €', discount: '10 %' };
const item = { ...m.newItem(), key: 'k', name: 'Beratung', ...numbers };
const contact = { id: 'c', name: 'Probe', address: '' };
const items = (a.items ?? [{}]).map((one, n) => ({ ...item, key: `k${n}`, ...one }));
const draft = { ...m.newDraft('2026-11-26', 'de'), contact, ...a.draft, items };
"""
PROBLEMS = DRAFT + "return m.problemsOf(draft).map(({ field, code }) => `${field}: ${code}`);"


@pytest.mark.parametrize(
    ("draft", "items", "problems"),
    [
        ({}, None, []),
        ({"contact": None}, None, ["contact: contact"]),
        ({"recipient": "address"}, None, ["address-name: name"]),
        ({"voucherDate": ""}, None, ["voucher-date: day"]),
        ({"voucherDate": "2026-02-30"}, None, ["voucher-date: day"]),
        ({"termDays": "bald"}, None, ["term-days: term"]),
        ({"termDays": "1001"}, None, ["term-days: term"]),
        ({"termDays": "-1"}, None, ["term-days: term"]),
        ({"shippingDate": ""}, None, ["shipping-date: day"]),
        ({"shippingType": "none", "shippingDate": ""}, None, []),
        (
            {"shippingType": "serviceperiod", "shippingEndDate": "2026-11-25"},
            None,
            ["shipping-end-date: endDay"],
        ),
        ({"shippingType": "deliveryperiod", "shippingEndDate": ""}, None, ["shipping-end-date: day"]),
        ({}, [{"name": " "}], ["item-k0-name: itemName"]),
        ({}, [{"quantity": "0"}], ["item-k0-quantity: quantity"]),
        ({}, [{"quantity": "1.5"}], ["item-k0-quantity: quantity"]),
        ({}, [{"quantity": "10000000000"}], ["item-k0-quantity: quantity"]),
        ({}, [{"price": ""}], ["item-k0-price: price"]),
        ({}, [{"price": "12.5"}], ["item-k0-price: price"]),
        ({}, [{"price": "1000000000,01"}], ["item-k0-price: amount"]),
        ({}, [{"discount": "100,01"}], ["item-k0-discount: discount"]),
        ({}, [{"discount": "-1"}], ["item-k0-discount: discount"]),
        ({}, [{"discount": ""}], []),
        ({}, [{}, {"name": "", "price": "", "description": " "}], []),  # a line nobody touched is not meant
        ({}, [{"kind": "text", "quantity": "x", "price": "x"}], ["items: noItems"]),
        ({}, [{"price": "-5"}], ["items: negative"]),
        ({}, [{}, {"price": "-100"}], []),
        (
            {"contact": None, "termDays": ""},
            [{"name": "", "price": "x"}],
            ["contact: contact", "term-days: term", "item-k0-name: itemName", "item-k0-price: price"],
        ),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_sent(
    run: Callable[..., Any],
    draft: dict[str, Any],
    items: list[dict[str, str]] | None,
    problems: list[str],
) -> None:
    assert run(PROBLEMS, {"draft": draft, "items": items}) == problems


@pytest.mark.parametrize(
    ("zip_code", "country", "is_wrong"), [("1234", "DE", True), ("1010", "AT", False), ("", "DE", False)]
)
def test_a_german_postcode_has_five_digits(
    run: Callable[..., Any], zip_code: str, country: str, *, is_wrong: bool
) -> None:
    address = {
        "name": "x",
        "supplement": "",
        "street": "",
        "zip": zip_code,
        "city": "",
        "countryCode": country,
    }
    found = run(PROBLEMS, {"draft": {"recipient": "address", "address": address}})
    assert found == (["address-zip: zip"] if is_wrong else [])


def test_the_order_is_what_lexoffice_takes(run: Callable[..., Any]) -> None:
    text = {"kind": "text", "name": " Hinweis ", "description": "zwei\nZeilen"}
    argument = {
        "draft": {"shippingType": "serviceperiod", "shippingEndDate": "2026-12-01", "title": "  "},
        "items": [{"unit": "Stunde"}, text, {"name": "", "price": "", "description": ""}],
    }
    order = run(DRAFT + "return m.orderOf(draft);", argument)
    assert order == {
        "archived": False,
        "voucherDate": "2026-11-26T00:00:00.000+01:00",
        "address": {"contactId": "c"},
        "lineItems": [
            {
                "type": "custom",
                "name": "Beratung",
                "quantity": 1.5,
                "unitName": "Stunde",
                "unitPrice": {"currency": "EUR", "netAmount": 1234.56, "taxRatePercentage": 19},
                "discountPercentage": 10,
            },
            {"type": "text", "name": "Hinweis", "description": "zwei\nZeilen"},
        ],
        "totalPrice": {"currency": "EUR"},
        "taxConditions": {"taxType": "net"},
        "paymentConditions": {
            "paymentTermLabel": "Zahlbar innerhalb von 14 Tagen ohne Abzug",
            "paymentTermDuration": 14,
        },
        "shippingConditions": {
            "shippingType": "serviceperiod",
            "shippingDate": "2026-11-26T00:00:00.000+01:00",
            "shippingEndDate": "2026-12-01T00:00:00.000+01:00",
        },
    }


@pytest.mark.parametrize(
    ("tax_type", "key", "rate"),
    [("net", "netAmount", 19), ("gross", "grossAmount", 19), ("vatfree", "netAmount", 0)],
)
def test_prices_are_told_as_they_are_meant(
    run: Callable[..., Any], tax_type: str, key: str, rate: int
) -> None:
    order = run(DRAFT + "return m.orderOf(draft);", {"draft": {"taxType": tax_type}})
    assert order["taxConditions"] == {"taxType": tax_type}
    price = {"currency": "EUR", key: 1234.56, "taxRatePercentage": rate}
    assert order["lineItems"][0]["unitPrice"] == price


def test_a_draft_in_another_language_has_the_same_numbers(run: Callable[..., Any]) -> None:
    items = [{"quantity": "1.000,5", "price": "abc", "discount": "7,5"}]
    (item,) = run(DRAFT + "return m.translated(draft, 'en').items;", {"items": items})
    assert (item["quantity"], item["price"], item["discount"]) == ("1,000.5", "abc", "7.5")


def test_what_is_no_number_becomes_none_by_another_language(run: Callable[..., Any]) -> None:
    texts = [{"price": price} for price in ("0,125", "1.5", "1,2,3", "a, b")]
    problems = "return m.problemsOf(m.translated(draft, 'en')).map(({ field }) => field);"
    assert run(DRAFT + problems, {"items": texts}) == [f"item-k{number}-price" for number in range(4)]


@pytest.mark.parametrize(
    ("recipient", "source", "field"),
    [
        ("contact", "address.contactId", "contact"),
        ("contact", "address.zip", "contact"),
        ("address", "address.zip", "address-zip"),
        ("address", "address.countryCode", "address-country"),
        ("address", "address.contactId", "address-name"),
        ("contact", "voucherDate", "voucher-date"),
        ("contact", "taxConditions.taxType", "tax-type"),
        ("contact", "paymentConditions.paymentTermDuration", "term-days"),
        ("contact", "shippingConditions.shippingDate", "shipping-date"),
        ("contact", "shippingConditions.shippingEndDate", "shipping-end-date"),
        ("contact", "lineItems", "items"),
        ("contact", "totalPrice.currency", "items"),
        ("contact", "title", "title"),
        ("contact", "lineItems[0].name", "item-k0-name"),
        ("contact", "lineItems[1].unitPrice.netAmount", "item-k2-price"),  # the blank one was not sent
        ("contact", "lineItems[1].unitPrice.taxRatePercentage", "item-k2-rate"),
        ("contact", "lineItems[1].quantity", "item-k2-quantity"),
        ("contact", "lineItems[1].discountPercentage", "item-k2-discount"),
        ("contact", "lineItems[1]", "item-k2-name"),
        ("contact", "lineItems[9].name", None),
        ("contact", "printLayoutId", None),
        ("contact", "", None),
    ],
)
def test_what_lexoffice_refuses_is_put_to_its_field(
    run: Callable[..., Any], recipient: str, source: str, field: str | None
) -> None:
    argument = {
        "draft": {"recipient": recipient},
        "items": [{}, {"name": "", "price": "", "description": ""}, {}],
        "issue": {"field": source, "code": "NOTNULL", "message": "must be there"},
    }
    found = run(DRAFT + "return m.placed([a.issue], draft);", argument)
    assert [one["field"] for one in found["placed"]] == ([field] if field else [])
    assert len(found["others"]) == (0 if field else 1)
