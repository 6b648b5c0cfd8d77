"""The whole way against `oidc-provider`, an OpenID provider that knows nothing of lexgate."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.browser import Browser
from tests.support.ports import free_port
from tests.support.running import CLIENT_ID, CLIENT_SECRET, Clock, Running, running_gateway
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

NODE_FOLDER = Path(__file__).parent.parent / "node"


@contextmanager
def running_provider(public_url: str, client_auth: str) -> Iterator[str]:
    """Run the provider until the block ends; yields its issuer."""
    node = shutil.which("node")
    assert node, "node is missing: install Node.js 20 or later"
    assert (NODE_FOLDER / "node_modules/oidc-provider").is_dir(), (
        "oidc-provider is missing: `make test` installs it, or run `npm ci` in tests/node"
    )
    options = {
        "port": 0,
        "clientId": CLIENT_ID,
        "clientSecret": CLIENT_SECRET,
        "clientAuth": client_auth,
        "redirectUri": f"{public_url}/auth/callback",
        "home": f"{public_url}/auth/signed-out",
    }
    process = subprocess.Popen(
        [node, "oidc-provider.mjs", json.dumps(options)],
        cwd=NODE_FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["issuer"]
        process.stdin.close()


@pytest.fixture(scope="module", params=["client_secret_basic", "client_secret_post"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    port = free_port()
    settings = {
        "LEXGATE_SESSION_IDLE": "86400",
        "LEXGATE_SESSION_MAX": "86400",
        "LEXGATE_CLIENT_AUTH": request.param,
    }
    with running_provider(f"http://localhost:{port}", request.param) as issuer:
        settings |= {"LEXGATE_PROVIDER": "openid", "LEXGATE_ISSUER": issuer, "LEXGATE_API_URL": issuer}
        with running_gateway("openid", settings=settings, port=port, clock=Clock(time.time())) as running:
            yield running


@pytest.fixture
def browser(running: Running) -> Iterator[Browser]:
    with Browser(running.public_url) as browser:
        yield browser


def sign_in(browser: Browser, return_to: str = "/", person: str = "berta") -> httpx.Response:
    login = browser.navigate(f"/auth/login?return_to={return_to}", site="same-origin")
    consent = browser.post_form(login, {"prompt": "login", "login": person, "password": "any"})
    return browser.post_form(consent, {"prompt": "consent"})


def test_the_whole_way_at_a_provider_that_requires_pkce(running: Running, browser: Browser) -> None:
    landed = sign_in(browser, "/vouchers")
    assert (landed.status_code, urlsplit(str(landed.url)).path) == (200, "/vouchers"), landed.text
    session = browser.fetch("/auth/session").json()
    assert session["subject"] == "berta"
    assert session["claims"] == {"name": "Person berta", "email": "berta@example.org"}
    assert browser.fetch("/api/me").json()["sub"] == "berta"

    running.clock.advance(3600 - 30)
    assert browser.fetch("/api/me").status_code == 200
    until(lambda: browser.generation() == 2)  # refreshed ahead of its end
    running.clock.advance(60)
    assert browser.fetch("/auth/session/refresh", "POST").json()["tokens"]["generation"] == 3
    assert browser.fetch("/api/me").status_code == 200, "the rotated refresh token served once more"

    logout_url = browser.fetch("/auth/logout?return_to=/contacts", "POST").json()["logout_url"]
    query = parse_qs(urlsplit(logout_url).query)
    assert query.pop("state")
    assert query == {
        "client_id": [CLIENT_ID],
        "post_logout_redirect_uri": [f"{running.public_url}/auth/signed-out"],
    }
    assert browser.fetch("/auth/session").json()["active"] is False
    asked = browser.navigate(logout_url, site="same-origin")
    assert asked.status_code == 200, "the provider asks the person, for there is no id_token_hint"
    found = re.search(r'name="xsrf" value="([^"]+)"', asked.text)
    assert found is not None
    back = browser.post_form(asked, {"xsrf": found[1], "logout": "yes"})
    assert (back.status_code, str(back.url)) == (200, f"{running.public_url}/contacts")
    running.clock.now = time.time()


def test_a_revoked_refresh_token_ends_the_session_with_its_reason(running: Running, browser: Browser) -> None:
    running.clock.now = time.time()
    first = sign_in(browser)
    assert first.status_code == 200
    with Browser(running.public_url) as other:
        assert sign_in(other, person="caesar").status_code == 200
        assert other.fetch("/auth/session").json()["subject"] == "caesar"
        assert other.fetch("/auth/logout", "POST").status_code == 200
    assert browser.fetch("/api/me").json()["sub"] == "berta", "another person's sign-out touches nobody"


def test_a_person_who_declines_gets_a_page(running: Running, browser: Browser) -> None:
    running.clock.now = time.time()
    login = browser.navigate("/auth/login?return_to=/contacts", site="same-origin")
    page = browser.navigate(f"{login.url}/abort", site="same-origin")
    assert page.status_code == 403
    assert "Sign-in cancelled" in page.text
    assert "return_to=%2Fcontacts" in page.text
    assert browser.fetch("/auth/session").json()["active"] is False


def test_a_silent_sign_in_uses_the_provider_session(running: Running, browser: Browser) -> None:
    running.clock.now = time.time()
    sign_in(browser)
    browser.cookies[urlsplit(running.public_url).netloc].clear()
    landed = browser.navigate("/auth/login?return_to=/&prompt=none", site="same-origin")
    assert landed.status_code == 200
    assert browser.fetch("/auth/session").json()["subject"] == "berta"
