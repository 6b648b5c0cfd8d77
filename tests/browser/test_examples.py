"""The examples are apps: they sign in, show contacts, follow what changes at lexoffice, and sign out."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.books import Books
from tests.browser.conftest import MovingClock, axe_violations, look
from tests.support.running import running_gateway
from tests.support.vite import EXAMPLES, build, copy, running_vite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.running import Running

RENAME = """async ([before, after]) => {
  const { fetch } = await import("/auth/client.js");
  const { content } = await (await fetch(`/api/v1/contacts?name=${encodeURIComponent(before)}`)).json();
  const { id, version, roles, company } = content[0];
  await fetch(`/api/v1/contacts/${id}`, { method: "PUT", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ version, roles, company: { ...company, name: after } }) });
}"""
LIVE = "Live: what changes at lexoffice shows here."


@pytest.fixture(scope="module", params=["plain", "react-built", "react-dev"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("example")
    settings = {"LEXGATE_SCOPE": "profile.read contacts.read contacts.write"}
    dev_server = None
    with ExitStack() as stack:
        if request.param == "plain":
            settings["LEXGATE_SPA"] = str(EXAMPLES / "plain")
        elif request.param == "react-built":
            build(folder)
            settings["LEXGATE_SPA"] = str(folder)
        else:
            dev_server = stack.enter_context(running_vite(copy(folder)))
        yield stack.enter_context(
            running_gateway(
                "lexware", clock=MovingClock(0), settings=settings, webhooks=True, dev_server=dev_server
            )
        )


@pytest.fixture
def books(running: Running) -> Books:
    return Books(running)


def test_an_example_signs_in_shows_contacts_follows_them_and_signs_out(
    new_page: Callable[..., Page], books: Books, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["running"]
    page = new_page(color_scheme="dark", width=420)
    page.goto("/")
    enter = page.get_by_role("button", name="Sign in with lexoffice")
    expect(enter).to_be_visible()
    look(page, f"example-{name}-welcome")
    assert axe_violations(page) == []
    with page.expect_popup() as popup:
        enter.click()
    popup.value.get_by_test_id("user-anna").click()
    popup.value.get_by_test_id("allow").click()
    expect(page.get_by_test_id("user")).to_have_text("Anna Petersen")
    rows = page.get_by_test_id("contacts").get_by_role("listitem")
    expect(rows).to_have_count(25)
    expect(page.get_by_role("status")).to_have_text(LIVE)

    books.change(action="add_random_invoice")
    expect(page.get_by_test_id("changes")).to_contain_text("invoice.created")
    before = (rows.first.text_content() or "").removesuffix("customer").strip()
    page.evaluate(RENAME, [before, "A new name GmbH"])
    expect(rows.filter(has_text="A new name GmbH")).to_have_count(1)
    look(page, f"example-{name}")
    assert axe_violations(page) == []

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in with lexoffice")).to_be_visible()
    expect(rows).to_have_count(0)
    assert page.evaluate("fetch('/auth/session').then((answer) => answer.json())")["active"] is False


def test_an_example_says_at_once_that_its_session_has_ended(new_page: Callable[..., Page]) -> None:
    page = new_page()
    other = page.context.new_page()
    page.goto("/auth/login?return_to=/")
    page.get_by_test_id("user-anna").click()
    page.get_by_test_id("allow").click()
    expect(page.get_by_role("status")).to_have_text(LIVE)
    other.goto("/auth/session")
    other.evaluate("fetch('/auth/logout', { method: 'POST', headers: { 'X-CSRF': '1' } })")
    expect(page.get_by_role("button", name="Sign in with lexoffice")).to_be_visible()
    expect(page.get_by_text(re.compile("signed.out"))).to_be_visible()
