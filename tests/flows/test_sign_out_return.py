"""After a sign-out at the authorization server the browser comes back to the app, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from gateway.errors import RecordUnreadable
from gateway.web.sign_out_return import SIGNED_OUT_PATH
from tests.support.browser import Browser
from tests.support.running import CLIENT_ID, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

HOUR = 3600
HINT = {"LEXGATE_LOGOUT_ID_TOKEN_HINT": "true"}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_gateway("openid") as running:
        yield running


def query_of(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def state_for(browser: Browser, return_to: str) -> str:
    url = browser.fetch(f"/auth/logout?return_to={return_to}", "POST").json()["logout_url"]
    (state,) = query_of(url)["state"]
    return state


def landed(browser: Browser, query: str) -> str:
    answer = browser.navigate(f"{SIGNED_OUT_PATH}{query}", site="cross-site", follow=False)
    assert (answer.status_code, answer.headers["cache-control"]) == (303, "no-store")
    location: str = answer.headers["location"]
    return location


def test_the_way_back_leads_into_the_app_without_a_trace_of_the_sign_out(
    running: Running, browser: Browser
) -> None:
    browser.sign_in()
    url = browser.fetch("/auth/logout?return_to=/contacts%3Fq%3Da", "POST").json()["logout_url"]
    asked = browser.navigate(url, site="same-origin")
    assert "confirmed" in asked.text, "without a hint the person is asked"
    sent = {name: value for name, (value,) in query_of(url).items()}
    back = browser.post_form(asked, {**sent, "confirmed": "yes"})
    assert (back.status_code, str(back.url)) == (200, f"{running.public_url}/contacts?q=a")
    assert running.sandbox.counters.events["sign_outs"] == 1


def test_a_form_comes_back_too(browser: Browser) -> None:
    browser.sign_in()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-CSRF": ""}
    answer = browser.fetch("/auth/logout?return_to=/contacts", "POST", headers=headers)
    (state,) = query_of(answer.headers["location"])["state"]
    assert landed(browser, f"?state={state}") == "/contacts"


def test_a_state_leads_there_for_an_hour(running: Running, browser: Browser) -> None:
    state = state_for(browser, "/contacts")
    assert state != state_for(browser, "/contacts")
    running.clock.advance(HOUR)
    assert landed(browser, f"?state={state}") == "/contacts"
    running.clock.advance(1)
    assert landed(browser, f"?state={state}") == "/"


@pytest.mark.parametrize(
    "evil", ["https://evil.example/", "//evil.example", "/%5Cevil.example", "/auth/login"]
)
def test_no_state_leads_out_of_the_app(browser: Browser, evil: str) -> None:
    """RFC 9700 §4.11: no open redirector."""
    assert landed(browser, f"?state={state_for(browser, evil)}") == "/"
    assert landed(browser, f"?state={evil}") == "/"


@pytest.mark.parametrize("query", ["", "?state=", "?state=%00", "?state=a", "?state=AAAA&state=AAAA", "?x=y"])
def test_a_state_that_is_none_leads_to_the_root(browser: Browser, query: str) -> None:
    assert landed(browser, query) == "/"


def test_a_state_that_was_changed_leads_to_the_root(browser: Browser) -> None:
    state = state_for(browser, "/contacts")
    for place in (0, 3, 10, len(state) // 2, len(state) - 2):
        changed = state[:place] + ("A" if state[place] != "A" else "B") + state[place + 1 :]
        assert landed(browser, f"?state={changed}") == "/"
    assert landed(browser, f"?state={state}&state={state}") == "/"


def test_by_default_no_id_token_is_kept_or_sent(running: Running, browser: Browser) -> None:
    browser.sign_in()
    session = running.call(only_session(running))
    assert session.id_token is None
    assert query_of(browser.fetch("/auth/logout", "POST").json()["logout_url"]).keys() == {
        "client_id",
        "post_logout_redirect_uri",
        "state",
    }


async def only_session(running: Running) -> Any:  # noqa: ANN401 - a session
    vault: Any = running.gateway._vault  # noqa: SLF001 - what is kept shows nowhere else
    store: Any = running.gateway._store  # noqa: SLF001 - the same
    newest = max(store._opened().sessions.values(), key=lambda record: record.created_at)  # noqa: SLF001
    return await vault.read(newest.key, now=running.clock())


@pytest.mark.parametrize("path", ["/auth/logout", "/auth/logout?everywhere=true"])
def test_where_the_operator_wants_it_the_hint_spares_the_person_a_question(path: str) -> None:
    with running_gateway("openid", settings=HINT) as running, Browser(running.public_url) as browser:
        browser.sign_in()
        running.clock.advance(61)
        assert browser.fetch("/api/v1/profile").status_code == 200, "activity seals the session anew"
        url = browser.fetch(path, "POST").json()["logout_url"]
        (hint,) = query_of(url)["id_token_hint"]
        claims = running.sandbox.keys.read(hint)
        assert claims is not None
        assert claims["aud"] == CLIENT_ID
        back = browser.navigate(url, site="same-origin")
        assert str(back.url) == f"{running.public_url}/"
        assert running.sandbox.counters.events["sign_outs"] == 1
        again = browser.fetch("/auth/logout", "POST").json()["logout_url"]
        assert "id_token_hint" not in again, "a session that has ended gives none"


def test_each_session_of_a_shared_grant_hints_at_its_own_sign_in() -> None:
    settings = {**HINT, "LEXGATE_GRANTS": "connection"}
    with (
        running_gateway("openid", settings=settings, sandbox_options={"reconnect": "replace"}) as running,
        Browser(running.public_url) as one,
        Browser(running.public_url) as other,
    ):
        sids = []
        for browser in (one, other):
            browser.sign_in()
            sids.append(running.sandbox.grants.connections()[-1].sid)
        hints = [
            query_of(browser.fetch("/auth/logout", "POST").json()["logout_url"])["id_token_hint"][0]
            for browser in (one, other)
        ]
        claims = [running.sandbox.keys.read(hint) or {} for hint in hints]
        assert [each["sid"] for each in claims] == sids
        assert len(set(sids)) == 2


def test_a_session_that_cannot_be_read_gives_no_hint_and_ends_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running_gateway("openid", settings=HINT) as running, Browser(running.public_url) as browser:
        browser.sign_in()
        kept = {"Cookie": f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"}

        async def fail(*_: object, **__: object) -> None:
            raise RecordUnreadable(log_detail="as if sealed with a secret that is not configured")

        with monkeypatch.context() as unreadable:
            unreadable.setattr(running.gateway._vault, "read", fail)  # noqa: SLF001 - a slip of the operator's
            url = browser.fetch("/auth/logout", "POST").json()["logout_url"]
        assert "id_token_hint" not in query_of(url)
        assert browser.fetch("/auth/session", headers=kept).json()["reason"] == "signed_out"
