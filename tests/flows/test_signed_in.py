"""A sign-in in a window of its own ends at a page that tells the app; a failed one stays in that window."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI

from gateway.web.client_bundle import MODULES
from gateway.web.client_files import build_client_router
from tests.support.browser import Browser
from tests.support.running import Running, running_app, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

END = "/auth/signed-in"
WORDS = {"de-DE": "schließen", "en": "close", "fr": "close"}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_gateway("lexware") as running:
        yield running


def test_a_sign_in_in_a_window_of_its_own_ends_at_the_page_for_it(browser: Browser) -> None:
    page = browser.sign_in(END)
    assert (page.status_code, page.url.path) == (200, END)
    assert browser.fetch("/auth/session").json()["active"] is True


@pytest.mark.parametrize("language", WORDS)
def test_the_page_says_what_to_do_in_the_persons_language_and_needs_no_cookie(
    running: Running, language: str
) -> None:
    answer = httpx.get(running.public_url + END, headers={"Accept-Language": language}, trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert f'<html lang="{"de" if language == "de-DE" else "en"}">' in answer.text
    assert WORDS[language] in answer.text
    assert f'href="{running.public_url}/"' in answer.text


def test_the_page_may_run_its_own_script_and_nothing_else(running: Running) -> None:
    answer = httpx.get(running.public_url + END, trust_env=False)
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert re.findall(r"<script[^>]*>", answer.text) == ['<script type="module" src="/auth/signed-in.js">']
    script = httpx.get(f"{running.public_url}/auth/signed-in.js", trust_env=False)
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert 'postMessage({ type: "signed-in" })' in script.text
    assert "/*" not in script.text


def test_a_failed_sign_in_offers_a_way_on_that_stays_in_the_window(
    running: Running, browser: Browser
) -> None:
    begun = browser.navigate(f"/auth/login?return_to={END}", site="same-origin")
    denied = browser.consent(begun, decision="deny")
    assert denied.status_code == 403
    assert "close this window" in denied.text
    links = re.findall(r'<a class="(\w+)" href="([^"]+)">', denied.text)
    assert links == [("login", f"{running.public_url}/auth/login?return_to=%2Fauth%2Fsigned-in")]
    again = browser.navigate(links[0][1], site="same-origin")
    assert browser.consent(again).url.path == END


@pytest.mark.parametrize(
    "return_to",
    [f"{END}/", f"{END}?x=1", f"{END}%23", "/auth/Signed-in", "/auth/session", "//auth/signed-in"],
)
def test_no_other_path_of_the_gateway_is_where_a_sign_in_ends(browser: Browser, return_to: str) -> None:
    assert browser.sign_in(return_to).url.path == "/"


def test_a_sign_out_does_not_end_at_the_page_of_a_sign_in(running: Running, browser: Browser) -> None:
    browser.sign_in()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = browser.fetch(f"/auth/logout?return_to={END}", "POST", headers=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{running.public_url}/")


def test_with_apps_on_siblings_the_page_leads_to_none() -> None:
    settings = {"LEXGATE_APP_ORIGINS": "http://localhost:5173"}
    with running_gateway("lexware", settings=settings) as running, Browser(running.public_url) as browser:
        page = browser.sign_in(END)
        assert (page.url.path, "<a " in page.text, "close" in page.text) == (END, False, True)


def test_the_clients_modules_are_one_file(tmp_path: Path) -> None:
    app = FastAPI()
    for name in MODULES:
        (tmp_path / f"{name}.js").write_text(
            f'import {{ it }} from "./it.js";\nexport const {name} = "{name}"; // note\n'
        )
    app.include_router(build_client_router(tmp_path))
    with running_app(app) as url:
        found = {name: httpx.get(f"{url}/auth/{name}.js", trust_env=False) for name in MODULES}
    bundle = found.pop("client")
    assert bundle.status_code == 200
    assert bundle.text.startswith("export const{client}=")
    assert all(bundle.text.count(f'"{name}"') == 1 for name in MODULES)
    assert "// note" not in bundle.text
    assert {answer.status_code for answer in found.values()} == {404}
