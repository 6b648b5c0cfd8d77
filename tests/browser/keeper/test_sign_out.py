"""What becomes of the session in one tab, or elsewhere, the tabs of a browser learn at once."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.browser.keeper.stage import consent, forget, streams, told, until, wait_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import APIResponse, Route

    from tests.browser.keeper.stage import Tabs
    from tests.support.running import Running

AT = "window.told.find((one) => one.kind === 'ended').at"


def is_of(subject: str, session: dict[str, Any]) -> bool:
    return session.get("subject") == subject


def test_a_sign_out_in_one_tab_is_seen_in_the_others(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    first, *others = new_tabs(mode).open_signed_in(5)
    began = first.evaluate("(window.client.logout(), Date.now())")
    took = []
    for page in others:
        ended = wait_told(page, "ended")
        assert ended["reason"] == "signed_out"
        assert ended["loginUrl"].endswith("/auth/login")
        took.append(page.evaluate(AT) - began)
        assert wait_told(page, "session", where=lambda session: not session["active"])
        assert len(told(page, "ended")) == 1
    sys.stdout.write(f"\n{mode}: signed out in one tab, seen in four others after {sorted(took)} ms\n")
    until(others[0], lambda: streams(running) == 0, what="the end of the stream")


def test_a_session_that_is_ended_from_another_browser_is_seen_in_all_tabs(
    new_tabs: Callable[..., Tabs], mode: str
) -> None:
    pages = new_tabs(mode).open_signed_in(3)
    elsewhere = new_tabs().sign_in()
    assert any(not session["current"] for session in elsewhere.evaluate("window.client.sessions()"))
    assert elsewhere.evaluate("window.client.endSessions()") >= 1
    for page in pages:
        assert wait_told(page, "ended")["reason"] == "signed_out_elsewhere"
    assert told(elsewhere, "ended") == []


def test_a_sign_in_in_one_tab_is_noticed_in_the_others(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    tabs = new_tabs(mode)
    waiting = [tabs.open(), tabs.open()]
    tabs.sign_in()
    for page in waiting:
        session = wait_told(page, "session", where=lambda session: session["active"])
        assert session["claims"]["name"] == "Anna Petersen"
        wait_told(page, "live", where=lambda is_live: is_live is True)
    assert streams(running) == 1


def test_a_sign_in_of_somebody_else_is_noticed_as_that(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    tabs = new_tabs(mode)
    first, second = tabs.open_signed_in(2)
    anna = wait_told(first, "session")["subject"]
    second.goto("/auth/login?return_to=/")
    consent(second, "jonas")
    session = wait_told(
        first, "session", where=lambda session: session["active"] and session["subject"] != anna
    )
    assert session["claims"]["name"] != "Anna Petersen"
    until(first, lambda: streams(running) == 1, what="one stream, the new person's")


def test_who_signs_in_in_place_of_somebody_else_is_told_nothing_of_the_one_before(
    new_tabs: Callable[..., Tabs], mode: str
) -> None:
    tabs = new_tabs(mode)
    first, second = tabs.open_signed_in(2)
    for user in ("jonas", "anna", "jonas", "anna"):
        second.goto("/auth/login?return_to=/&prompt=login")
        consent(second, user)
        mine = wait_told(second, "ready")["subject"]
        wait_told(first, "session", where=partial(is_of, mine))
        second.evaluate("dispatchEvent(new Event('pageshow'))")
        wait_told(second, "live", where=lambda is_live: is_live is True)
        assert {session.get("subject") for session in told(second, "session")} == {mine}
        assert told(second, "ended") == []
        forget(first)


def test_a_failed_sign_out_leaves_everything_as_it_was(new_tabs: Callable[..., Tabs], mode: str) -> None:
    first, second = new_tabs(mode).open_signed_in(2)
    first.route("**/auth/logout*", lambda route: route.abort())
    failed = "window.client.logout().then(() => 'left', (error) => error.name)"
    assert first.evaluate(failed) == "NetworkError"
    first.unroute("**/auth/logout*")
    assert first.evaluate("window.client.session().then(({ active }) => active)") is True
    for page in (first, second):
        assert told(page, "ended") == []


def test_an_answer_from_before_the_end_of_the_session_does_not_bring_it_back(
    new_tabs: Callable[..., Tabs],
) -> None:
    leaving, page = (tabs := new_tabs("page")).open_signed_in(2)
    late: list[tuple[Route, APIResponse]] = []
    tabs.context.route("**/auth/session/refresh", lambda route: late.append((route, route.fetch())))
    page.evaluate("void (window.late = window.client.keepAlive())")
    until(page, lambda: late != [], what="the answer, which is kept back")
    leaving.evaluate("void window.client.logout()")
    wait_told(page, "ended")
    forget(page)
    ((route, answer),) = late
    route.fulfill(response=answer)
    assert page.evaluate("window.late.then(({ active }) => active)") is False
    assert told(page, "session") == []
