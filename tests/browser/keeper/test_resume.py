"""A call that met the end of its session is sent again once the same person is back: once, as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.keeper.stage import consent, told, wait_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

    from tests.browser.keeper.stage import Tabs
    from tests.support.running import Running
    from tests.support.wire import Heard, Wire

IDLE = 3600
TEXT = '{"note": "Grüße, 漢字, 🧾 und\\r\\nneue Zeilen"}'
EVERY_BYTE = bytes(range(256)) * 300
BODIES = {
    "text": TEXT.encode(),
    "bytes": EVERY_BYTE,
    "blob": EVERY_BYTE,
    "form": b"a=%C3%A4%26&b=1",
}
POST = """([name, body, text, resume]) => {
  window.call(name, '/api/kept/invoices?draft=1', {
    method: 'POST', headers: { 'Content-Type': 'text/x-kept', }, body: window.bodies[body](text),
    ...(resume === null ? {} : { resume }),
  });
}"""
REQUEST = """(text) => window.call('asked', new Request('/api/kept/invoices', {
  method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: text }))"""


def post(page: Page, name: str, body: str = "text", resume: Any = None) -> None:  # noqa: ANN401 - JSON
    """Send a body that a call cannot be without."""
    page.evaluate(POST, [name, body, TEXT, resume])


def sign_in_by_popup(page: Page, user: str = "anna") -> None:
    """Sign in again in a window of its own, which closes by itself."""
    with page.expect_popup() as popup:
        page.click("#popup")
    window = popup.value
    with window.expect_event("close"):
        consent(window, user)


def end_session(running: Running, page: Page) -> None:
    """Let the time pass in which a session ends for lack of use."""
    running.clock.now += IDLE
    assert page.evaluate("fetch('/auth/session').then((it) => it.json()).then((it) => it.active)") is False


def kept(wire: Wire, method: str = "POST") -> list[Heard]:
    return [heard for heard in wire.heard if heard.method == method]


@pytest.mark.parametrize("body", BODIES)
def test_a_post_that_met_the_end_of_its_session_arrives_once_and_as_it_was(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire, body: str
) -> None:
    page = new_tabs().sign_in(path="/?waits")
    end_session(running, page)
    post(page, "invoice", body)
    needed = wait_told(page, "needed")
    assert needed["reason"] == "idle"
    assert wire.heard == []
    sign_in_by_popup(page)
    answer = wait_told(page, "answer")
    assert (answer["name"], answer["status"]) == ("invoice", 200)
    (heard,) = kept(wire)
    assert heard.body == BODIES[body]
    assert heard.target.endswith(b"/invoices?draft=1")
    assert heard.header("content-type") == "text/x-kept"
    assert wait_told(page, "login")["active"] is True
    assert len(told(page, "needed")) == 1


def test_a_request_object_and_several_calls_at_once_are_one_question_and_each_arrives_once(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire
) -> None:
    page = new_tabs().sign_in(path="/?waits")
    end_session(running, page)
    page.evaluate(REQUEST, TEXT)
    for number in range(3):
        post(page, f"n{number}")
    page.evaluate("window.call('read', '/api/kept/read')")
    wait_told(page, "needed")
    sign_in_by_popup(page)
    wait_told(page, "answer", 5)
    assert len(kept(wire)) == 3
    (put,) = kept(wire, "PUT")
    assert put.body == TEXT.encode()
    assert len(kept(wire, "GET")) == 1
    assert len(told(page, "needed")) == 1


def test_calls_of_two_tabs_go_on_when_one_of_them_has_signed_in(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire, mode: str
) -> None:
    tabs = new_tabs(mode)
    first, second = tabs.sign_in(path="/?waits"), tabs.open("/?waits")
    end_session(running, first)
    for name, page in (("first", first), ("second", second)):
        post(page, name)
        wait_told(page, "needed")
    sign_in_by_popup(first)
    for page in (first, second):
        assert wait_told(page, "answer")["status"] == 200
    assert len(kept(wire)) == 2


def test_a_call_of_one_person_is_never_sent_for_another(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire
) -> None:
    page = new_tabs().sign_in(path="/?waits")
    end_session(running, page)
    post(page, "hers")
    post(page, "hers-too", "text", "named")
    wait_told(page, "needed")
    sign_in_by_popup(page, "jonas")
    for failed in [wait_told(page, "failed", number) for number in (1, 2)]:
        assert failed["status"] == 401
    assert wire.heard == []
    assert page.evaluate("window.client.resume('named') === undefined") is True


def test_a_call_is_not_sent_for_the_same_person_in_another_organization(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire
) -> None:
    tabs = new_tabs("page")
    page = tabs.sign_in(path="/?waits")
    end_session(running, page)
    post(page, "theirs")
    wait_told(page, "needed")

    def move(route: Route) -> None:
        response = route.fetch()
        found = response.json()
        if found["active"]:
            found["claims"]["organization_id"] = "another"
        route.fulfill(response=response, json=found)

    tabs.context.route("**/auth/session", move)
    sign_in_by_popup(page)
    assert wait_told(page, "failed")["status"] == 401
    assert wire.heard == []


def test_a_call_waits_though_nobody_can_ask_for_the_session(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire
) -> None:
    tabs = new_tabs("page")
    page = tabs.sign_in(path="/?waits")
    running.clock.now += IDLE
    tabs.context.route("**/auth/session", lambda route: route.abort())
    post(page, "invoice")
    assert wait_told(page, "needed")["reason"] == "idle"
    assert wait_told(page, "ended")["reason"] == "idle"
    tabs.context.unroute("**/auth/session")
    sign_in_by_popup(page)
    assert wait_told(page, "answer")["status"] == 200
    assert len(kept(wire)) == 1


def test_who_gives_up_has_every_call_refused_and_forgotten(
    new_tabs: Callable[..., Tabs], running: Running, wire: Wire
) -> None:
    page = new_tabs().sign_in(path="/?waits")
    end_session(running, page)
    post(page, "one", "text", "named")
    wait_told(page, "needed")
    page.evaluate("window.giveUp()")
    failed = wait_told(page, "failed")
    assert (failed["status"], failed["code"], failed["reason"]) == (401, "session_required", "idle")
    sign_in_by_popup(page)
    wait_told(page, "login")
    assert page.evaluate("window.client.resume('named') === undefined") is True
    assert wire.heard == []


@pytest.mark.parametrize(("path", "resume"), [("/", None), ("/?waits", False)])
def test_a_call_that_nobody_holds_fails_at_once(
    new_tabs: Callable[..., Tabs],
    running: Running,
    wire: Wire,
    path: str,
    resume: Any,  # noqa: ANN401 - JSON
) -> None:
    page = new_tabs().sign_in(path=path)
    end_session(running, page)
    post(page, "one", "text", resume)
    assert wait_told(page, "failed")["status"] == 401
    assert told(page, "needed") == []
    sign_in_by_popup(page)
    wait_told(page, "login")
    assert wire.heard == []
