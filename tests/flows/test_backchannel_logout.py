"""The authorization server ends sessions by a logout token, once; nobody else does."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.errors import StoreUnavailable
from gateway.oauth.logout_token import LOGOUT_EVENT
from tests.support.browser import Browser
from tests.support.running import CLIENT_ID, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

PATH = "/auth/backchannel-logout"


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_gateway("openid") as running:
        yield running


def claims(running: Running, **changes: object) -> dict[str, Any]:
    """Return right claims with some changes; None leaves a claim out."""
    now = int(running.clock())
    right = {
        "iss": f"{running.sandbox_url}/openid",
        "aud": CLIENT_ID,
        "iat": now,
        "exp": now + 120,
        "jti": secrets.token_urlsafe(),
        "events": {LOGOUT_EVENT: {}},
    }
    return {name: value for name, value in {**right, **changes}.items() if value is not None}


def logout_token(running: Running, **changes: Any) -> str:  # noqa: ANN401 - any claims
    return running.sandbox.keys.sign(claims(running, **changes), "logout+jwt")


def notify(running: Running, token: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's
    """Post as an authorization server does: no cookie, no Origin, no header of ours."""
    return httpx.post(
        f"{running.public_url}{PATH}", **{"data": {"logout_token": token}, "trust_env": False, **options}
    )


def refuse(answer: httpx.Response, error: str = "invalid_request") -> None:
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.headers["cache-control"] == "no-store"


def who(running: Running, browser: Browser) -> tuple[str, str]:
    """Return the subject and the sid of the browser's newest sign-in."""
    subject = browser.fetch("/auth/session").json()["subject"]
    return subject, running.sandbox.grants.connections()[-1].sid


def state(browser: Browser) -> str:
    document = browser.fetch("/auth/session").json()
    return "active" if document["active"] else document["reason"]


@pytest.mark.parametrize("typ", ["logout+jwt", "JWT"])
def test_the_sessions_of_a_sid_end_and_no_others(
    running: Running, browser: Browser, other_browser: Browser, typ: str
) -> None:
    other_browser.sign_in()
    browser.sign_in()
    subject, sid = who(running, browser)
    living = len(running.sandbox.grants.connections())
    answer = notify(running, running.sandbox.keys.sign(claims(running, sub=subject, sid=sid), typ))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert state(browser) == "signed_out_elsewhere"
    assert browser.fetch("/api/v1/profile").status_code == 401
    assert state(other_browser) == "active"
    running.call(running.gateway._revocation.drain())  # noqa: SLF001 - nothing else tells when it is done
    assert len(running.sandbox.grants.connections()) == living - 1


def test_without_a_sid_all_sessions_of_the_subject_end(
    running: Running, browser: Browser, other_browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    with Browser(running.public_url) as third:
        third.sign_in(user="jonas")
        for each in (browser, other_browser):
            each.sign_in()
        subject, _ = who(running, browser)
        with caplog.at_level(logging.INFO, "gateway.audit"):
            assert notify(running, logout_token(running, sub=subject)).status_code == 200
        assert [state(each) for each in (browser, other_browser)] == ["signed_out_elsewhere"] * 2
        assert state(third) == "active"
    outcomes = {(record.message, vars(record)["fields"]["outcome"]) for record in caplog.records}
    assert outcomes == {("session_ended", "signed_out_elsewhere")}


def test_nobody_to_sign_out_is_a_success(running: Running) -> None:
    assert notify(running, logout_token(running, sid="unknown")).status_code == 200
    assert notify(running, logout_token(running, sub="unknown")).status_code == 200


def test_a_logout_token_counts_once(running: Running, browser: Browser) -> None:
    browser.sign_in()
    subject, _ = who(running, browser)
    token = logout_token(running, sub=subject)
    assert notify(running, token).status_code == 200
    browser.sign_in()
    refuse(notify(running, token))
    running.clock.advance(100)
    refuse(notify(running, token))
    again = logout_token(running, sub=subject, jti=running.sandbox.keys.read(token)["jti"])  # type: ignore[index]
    refuse(notify(running, again))
    assert state(browser) == "active"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "other"},
        {"iat": 1},
        {"exp": 1},
        {"exp": None},
        {"jti": None},
        {"events": None},
        {"events": {LOGOUT_EVENT: None}},
        {"nonce": "n"},
        {"sub": None},
    ],
)
def test_every_check_is_made(running: Running, browser: Browser, changes: dict[str, object]) -> None:
    browser.sign_in()
    subject, _ = who(running, browser)
    refuse(notify(running, logout_token(running, **{"sub": subject, **changes})))
    assert state(browser) == "active"


def test_the_id_token_of_the_sign_in_is_no_logout_token(running: Running, browser: Browser) -> None:
    browser.sign_in()
    subject, sid = who(running, browser)
    now = int(running.clock())
    id_token: dict[str, object] = {
        "iss": f"{running.sandbox_url}/openid",
        "aud": CLIENT_ID,
        "sub": subject,
        "sid": sid,
    }
    id_token |= {"iat": now, "exp": now + 300, "nonce": "n"}
    refuse(notify(running, running.sandbox.keys.sign(id_token)))
    assert state(browser) == "active"


def test_a_new_key_is_fetched(running: Running, browser: Browser) -> None:
    browser.sign_in()
    subject, _ = who(running, browser)
    running.clock.advance(61)
    running.sandbox.keys.roll()
    assert notify(running, logout_token(running, sub=subject)).status_code == 200
    running.sandbox.keys.roll()
    token = logout_token(running, sub=subject)
    fetched = running.sandbox.counters.events["jwks_requests"]
    for _ in range(3):
        refuse(notify(running, token))
    assert running.sandbox.counters.events["jwks_requests"] == fetched, "at most once a minute"
    running.clock.advance(61)


@pytest.mark.parametrize(
    "options",
    [
        {"data": {}},
        {"data": {"logout_token": ["a.b.c", "d.e.f"]}},
        {"data": {"logout_token": "a.b.c"}},
        {"data": {"logout_token": "x" * 70_000}},
        {"data": None, "json": {"logout_token": "a.b.c"}},
        {"data": None, "content": b"\xff\x00=&&;", "headers": {"Content-Type": "text/plain"}},
        {
            "data": None,
            "content": b"logout_token=%ff%00&\xff\xfe",
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
    ],
)
def test_what_is_no_logout_request_is_refused(running: Running, options: dict[str, Any]) -> None:
    refuse(notify(running, "", **options))


def test_only_a_post_is_answered(running: Running, browser: Browser) -> None:
    token = logout_token(running, sub="anybody")
    assert browser.fetch(f"{PATH}?logout_token={token}").status_code in {404, 405}
    refuse(httpx.post(f"{running.public_url}{PATH}?logout_token={token}", trust_env=False))


def test_without_an_issuer_there_is_no_such_address() -> None:
    with running_gateway("lexware") as running:
        answer = notify(running, "a.b.c")
        assert (answer.status_code, answer.json()["code"]) == (404, "route_unknown")


def test_an_outage_of_the_keys_is_told_and_spends_nothing() -> None:
    with running_gateway("openid") as running, Browser(running.public_url) as browser:
        browser.sign_in()
        subject, _ = who(running, browser)
        token = logout_token(running, sub=subject)
        published: Any = running.gateway._authorization_server._published  # noqa: SLF001 - as if newly started
        published._keys, jwks_uri = None, published._metadata.jwks_uri  # noqa: SLF001 - see above
        object.__setattr__(published._metadata, "jwks_uri", f"{running.sandbox_url}/nowhere")  # noqa: SLF001
        refuse(notify(running, token), "temporarily_unavailable")
        assert state(browser) == "active"
        object.__setattr__(published._metadata, "jwks_uri", jwks_uri)  # noqa: SLF001
        assert notify(running, token).status_code == 200
        assert state(browser) == "signed_out_elsewhere"


def test_an_outage_of_the_store_is_told(tmp_path: Any) -> None:  # noqa: ANN401
    with running_gateway("openid", store=f"sqlite://{tmp_path}/store.sqlite") as running:
        assert notify(running, logout_token(running, sub="anybody")).status_code == 200
        running.call(running.gateway._store.close())  # noqa: SLF001 - a store that is gone
        refuse(notify(running, logout_token(running, sub="anybody")), "temporarily_unavailable")
        running.call(running.gateway._store.open())  # noqa: SLF001 - so that the gateway can end


@pytest.mark.parametrize("fails", ["end_sessions", "spend_once"])
def test_a_store_that_fails_in_between_makes_no_replay_of_a_repetition(
    running: Running, browser: Browser, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    """The authorization server repeats what was not answered 200: the token has not done its work yet."""
    browser.sign_in()
    subject, _ = who(running, browser)
    token = logout_token(running, sub=subject)
    store: Any = running.gateway._store  # noqa: SLF001 - a store that fails at this very point

    async def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable(log_detail="as if it had failed")

    with monkeypatch.context() as failing:
        failing.setattr(store, fails, fail)
        refuse(notify(running, token), "temporarily_unavailable")
    assert state(browser) == ("active" if fails == "end_sessions" else "signed_out_elsewhere")
    assert notify(running, token).status_code == 200
    assert state(browser) == "signed_out_elsewhere"
    browser.sign_in()
    refuse(notify(running, token))
    assert state(browser) == "active"
