"""deploy/nginx.forward-auth.conf: a real nginx that asks about each call, and itself calls the API."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.browser import Browser
from tests.support.forward_auth import PATH, SECRET, SETTINGS, ask, cookie_of
from tests.support.nginx import FORWARD_AUTH_SITE, running_site
from tests.support.ports import free_port
from tests.support.running import running_gateway
from tests.support.wire import reply, running_wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.running import Running
    from tests.support.wire import Wire

REPORT = "/reports/2026/7?from=a%20b"
EVIL = "https://evil.example"


@dataclass(frozen=True, slots=True)
class Stage:
    """A gateway and an API behind one nginx."""

    origin: str
    running: Running
    reports: Wire


@contextmanager
def staged(folder: Path, *, lexgate: str = "") -> Iterator[Stage]:
    """Run all three; `lexgate` is where nginx finds the gateway, if not where it is."""
    secret_file = folder / "lexgate-proxy-secret.conf"
    secret_file.write_text(f'proxy_set_header X-Lexgate-Proxy-Secret "{SECRET}";', encoding="ascii")
    port = free_port()
    origin = f"http://localhost:{port}"
    settings = {**SETTINGS, "LEXGATE_PUBLIC_URL": origin}
    options = {"redirect_uris": (f"{origin}/auth/callback",)}
    with running_wire() as reports, running_gateway(settings=settings, sandbox_options=options) as running:
        places = {
            "server lexgate:8000;": f"server {lexgate or f'127.0.0.1:{urlsplit(running.url).port}'};",
            "server reports:8080;": f"server {urlsplit(reports.url).netloc};",
            "/etc/nginx/lexgate-proxy-secret.conf": str(secret_file),
        }
        with running_site(FORWARD_AUTH_SITE, port, places):
            yield Stage(origin, running, reports)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("nginx")) as stage:
        yield stage


@pytest.fixture
def browser(stage: Stage) -> Iterator[Browser]:
    stage.reports.reset()
    with Browser(stage.origin) as browser:
        yield browser


def test_a_call_goes_to_the_api_with_the_token_and_without_the_cookie(stage: Stage, browser: Browser) -> None:
    browser.sign_in()
    stage.reports.script = lambda _: reply(200, b'{"sum": 7}', "Set-Cookie: __Host-Http-lexgate=planted")
    answer = browser.fetch(
        REPORT, headers={"Authorization": "Bearer planted", "X-Lexgate-Subject": "planted"}
    )
    assert (answer.status_code, answer.json()) == (200, {"sum": 7})
    (heard,) = stage.reports.heard
    assert heard.target.decode() == REPORT
    assert heard.header("authorization") == ask(stage.running, cookie_of(browser)).headers["authorization"]
    assert heard.header("x-lexgate-subject") == browser.fetch("/auth/session").json()["subject"]
    assert heard.header("cookie") is None
    assert heard.header("x-lexgate-proxy-secret") is None
    assert not {"authorization", "x-lexgate-subject", "set-cookie"} & set(answer.headers)


def test_a_write_comes_with_its_body_once_it_has_the_header(stage: Stage, browser: Browser) -> None:
    browser.sign_in()
    body = b"x" * 300_000
    refused = browser.fetch(REPORT, "POST", content=body, headers={"X-CSRF": "0"})
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_header_missing")
    assert stage.reports.heard == []
    assert browser.fetch(REPORT, "POST", content=body).status_code == 200
    (heard,) = stage.reports.heard
    assert (heard.method, heard.body) == ("POST", body)


def test_a_script_without_a_session_is_told_what_signing_in_needs(stage: Stage, browser: Browser) -> None:
    answer = browser.fetch(REPORT)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "status": 401,
        "code": "session_required",
        "reason": "none",
        "login_url": f"{stage.origin}/auth/login",
    }
    assert stage.reports.heard == []


def test_a_person_without_a_session_is_led_to_sign_in(stage: Stage, browser: Browser) -> None:
    answer = browser.navigate(REPORT, follow=False)
    assert (answer.status_code, answer.headers["location"]) == (302, f"{stage.origin}/auth/login")
    browser.consent(browser.navigate(REPORT))
    assert browser.navigate(REPORT, site="same-origin").status_code == 200
    assert len(stage.reports.heard) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "fields",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": EVIL},
        {"Sec-Fetch-Site": "cross-site", "X-Original-Method": "GET", "X-Forwarded-Method": "GET"},
    ],
)
def test_a_request_from_elsewhere_does_not_come_through(
    stage: Stage, browser: Browser, method: str, fields: dict[str, str]
) -> None:
    browser.sign_in()
    answer = browser.fetch(REPORT, method, headers=fields)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site_refused")
    assert stage.reports.heard == []


@pytest.mark.parametrize("path", [PATH, f"{PATH}/", f"{PATH}/reports/7", "/auth/%66orward", "/ask-lexgate"])
def test_a_browser_reaches_neither_the_question_nor_its_answer(browser: Browser, path: str) -> None:
    """Not even with the secret: nginx takes it out of all but its own questions."""
    browser.sign_in()
    told = {"X-Original-Method": "GET", "X-Lexgate-Proxy-Secret": SECRET}
    for answer in (browser.fetch(path, headers=told), browser.navigate(path, site="same-origin")):
        assert answer.status_code == 404
        assert not {"authorization", "x-lexgate-subject"} & set(answer.headers)


def test_a_session_that_ended_is_refused_by_the_next_call(stage: Stage, browser: Browser) -> None:
    browser.sign_in()
    cookie = cookie_of(browser)
    assert browser.fetch(REPORT).status_code == 200
    assert browser.fetch("/auth/logout", "POST").status_code == 200
    replayed = httpx.get(f"{stage.origin}{REPORT}", headers={"Cookie": cookie}, trust_env=False)
    assert (replayed.status_code, replayed.json()["reason"]) == (401, "signed_out")
    assert len(stage.reports.heard) == 1


def test_without_the_gateway_nothing_comes_through_and_nobody_is_signed_out(tmp_path: Path) -> None:
    with staged(tmp_path, lexgate=f"127.0.0.1:{free_port()}") as stage, Browser(stage.origin) as browser:
        answer = browser.fetch(REPORT)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert "set-cookie" not in answer.headers
        assert stage.reports.heard == []


@pytest.mark.parametrize("status", [401, 403, 500])
def test_what_the_api_itself_refuses_comes_through_as_it_is(
    stage: Stage, browser: Browser, status: int
) -> None:
    browser.sign_in()
    stage.reports.script = lambda _: reply(status, b'{"said": "by the API"}')
    answer = browser.fetch(REPORT)
    assert (answer.status_code, answer.json()) == (status, {"said": "by the API"})
