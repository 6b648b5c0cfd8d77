"""An app on a sibling origin in a real browser, and hosts that would like to be taken for it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import PATIENCE_MS, MovingClock
from tests.browser.keeper.stage import streams, until
from tests.support.certificate import write_certificate
from tests.support.chromium import ARGUMENTS
from tests.support.nginx import serving_site
from tests.support.ports import free_port
from tests.support.running import running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

SITE = """
upstream lexgate {{ server {gateway}; }}
ssl_certificate {certificate};
ssl_certificate_key {key};
server {{
    listen 127.0.0.1:{port} ssl;
    server_name api.lexgate.test;
    location / {{
        proxy_pass http://lexgate;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_buffering off;
    }}
}}
server {{
    listen 127.0.0.1:{port} ssl;
    server_name app.lexgate.test evil.lexgate.test app.other.test;
    default_type text/html;
    location / {{ return 200 '<!doctype html><title>an app</title><link rel=icon href="data:,">'; }}
}}
"""
CALL = """async ([url, options]) => {
  const headers = options.headers ?? {};
  const body = options.json ? JSON.stringify(options.json) : undefined;
  if (body) headers['Content-Type'] = 'application/json';
  try {
    const answer = await fetch(url, {credentials: 'include', ...options, headers, body});
    return {status: answer.status, text: await answer.text(), fields: Object.fromEntries(answer.headers)};
  } catch (error) {
    return {failed: error.name};
  }
}"""
LISTEN = """(url) => new Promise((resolve) => {
  const events = new EventSource(url, {withCredentials: true});
  const end = (word) => { events.close(); resolve(word); };
  events.addEventListener('hello', () => end('hello'));
  events.onerror = () => end('refused');
})"""
START = """async (api) => {
  window.client = await import(`${api}/auth/client.js`);
  window.told = [];
  window.client.events({ live: (isLive) => window.told.push(isLive ? 'live' : 'lost') });
  window.client.onSession(({ active }) => window.told.push(active ? 'in' : 'out'));
  return (await window.client.session()).active;
}"""
ENTER = "void window.client.login({ popup: true }).then(({ claims }) => window.told.push(claims.name))"
NAMES = ("x-request-id", "server-timing")


@dataclass(frozen=True, slots=True)
class Stage:
    """A gateway under https and the hosts beside it."""

    running: Running
    port: int

    def origin(self, host: str) -> str:
        return f"https://{host}:{self.port}"

    @property
    def api(self) -> str:
        return self.origin("api.lexgate.test")

    @property
    def app(self) -> str:
        return self.origin("app.lexgate.test")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    port = free_port()
    api, app = (f"https://{name}.lexgate.test:{port}" for name in ("api", "app"))
    scope = "profile.read contacts.read contacts.write"
    settings = {"LEXGATE_PUBLIC_URL": api, "LEXGATE_APP_ORIGINS": app, "LEXGATE_SCOPE": scope}
    options = {
        "redirect_uris": (f"{api}/auth/callback",),
        "post_logout_redirect_uris": (f"{api}/auth/signed-out",),
    }
    certificate = write_certificate(tmp_path_factory.mktemp("tls"))
    with running_gateway(
        "lexware", clock=MovingClock(0), settings=settings, sandbox_options=options
    ) as running:
        site = SITE.format(
            gateway=f"127.0.0.1:{urlsplit(running.url).port}",
            certificate=certificate.certificate,
            key=certificate.key,
            port=port,
        )
        listening = urlsplit(running.sandbox_url)
        assert listening.hostname == "127.0.0.1"
        with serving_site(site, port):
            yield Stage(running, port)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path, "Chromium is missing: `make test` installs it, or `apt-get install chromium`"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        hosts = "--host-resolver-rules=MAP *.lexgate.test 127.0.0.1, MAP *.other.test 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, hosts])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(ignore_https_errors=True, locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def sign_in(page: Page, stage: Stage) -> None:
    """Sign in from the app's own page, and be back there."""
    page.goto(f"{stage.app}/start")
    page.evaluate(
        "(url) => { location.href = url; }", f"{stage.api}/auth/login?return_to={stage.app}/invoices"
    )
    page.get_by_test_id("user-anna").click()
    page.get_by_test_id("allow").click()
    page.wait_for_url(f"{stage.app}/invoices")


def call(page: Page, url: str, **options: object) -> dict[str, object]:
    answer: dict[str, object] = page.evaluate(CALL, [url, options])
    return answer


def test_an_app_on_a_sibling_origin_does_all_that_the_app_does(page: Page, stage: Stage) -> None:
    sign_in(page, stage)
    session = call(page, f"{stage.api}/auth/session")
    assert '"active":true' in str(session["text"])
    for _ in range(2):
        profile = call(page, f"{stage.api}/api/v1/profile")
        assert profile["status"] == 200
        fields = profile["fields"]
        assert isinstance(fields, dict)
        assert set(NAMES) <= set(fields)
    contact = {"version": 0, "roles": {"customer": {}}, "company": {"name": "Muster & Söhne KG"}}
    bare = call(page, f"{stage.api}/api/v1/contacts", method="POST", json=contact)
    assert (bare["status"], '"csrf_header_missing"' in str(bare["text"])) == (403, True)
    created = call(page, f"{stage.api}/api/v1/contacts", method="POST", headers={"X-CSRF": "1"}, json=contact)
    assert created["status"] in {200, 201}
    assert page.evaluate(LISTEN, f"{stage.api}/auth/events") == "hello"
    assert page.evaluate("async (url) => typeof (await import(url)).session", f"{stage.api}/auth/client.js")
    out = call(page, f"{stage.api}/auth/logout", method="POST", headers={"X-CSRF": "1"})
    assert out["status"] == 200
    ended = call(page, f"{stage.api}/api/v1/profile")
    assert (ended["status"], '"session_required"' in str(ended["text"])) == (401, True)


def test_the_client_serves_a_sibling_as_it_serves_the_gateways_own_app(page: Page, stage: Stage) -> None:
    """No worker comes from another origin, and no word of the window: a tab keeps the stream, and asks."""
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto(f"{stage.app}/start")
        assert tab.evaluate(START, stage.api) is False
    with page.expect_popup() as popup:
        page.evaluate(ENTER)
    window = popup.value
    window.get_by_test_id("user-anna").click()
    with window.expect_event("close"):
        window.get_by_test_id("allow").click()
    page.evaluate("dispatchEvent(new Event('focus'))")  # without a screen no window has it
    for tab in (page, other):
        until(tab, lambda tab=tab: {"in", "live"} <= set(tab.evaluate("window.told")))  # type: ignore[misc]
    assert "Anna Petersen" in page.evaluate("window.told")
    assert streams(stage.running) == 1
    contact = {"version": 0, "roles": {"customer": {}}, "company": {"name": "Muster & Söhne KG"}}
    send = """(contact) => window.client.fetch('/api/v1/contacts', { method: 'POST',
      headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(contact) }).then((it) => it.ok)"""
    assert page.evaluate(send, contact) is True
    page.evaluate("void window.client.logout({ returnTo: '/bye' })")
    page.wait_for_url(f"{stage.app}/bye")
    until(other, lambda: other.evaluate("window.told.at(-1)") in {"out", "lost"})
    assert "out" in other.evaluate("window.told.slice(1)")


@pytest.mark.parametrize("host", ["evil.lexgate.test", "app.other.test"])
def test_any_other_host_reads_nothing_and_changes_nothing(page: Page, stage: Stage, host: str) -> None:
    """The first is of the same site, as one that was taken over would be: the Strict cookie goes along."""
    sign_in(page, stage)
    page.goto(f"{stage.origin(host)}/")
    arrived = len(list(stage.running.sandbox.arrivals))
    for path in ("/auth/session", "/api/v1/profile"):
        assert call(page, stage.api + path) == {"failed": "TypeError"}
        assert call(page, stage.api + path, mode="no-cors") == {"failed": "TypeError"}
    for path in ("/auth/logout", "/auth/session/refresh", "/api/v1/contacts"):
        write = {"method": "POST", "headers": {"X-CSRF": "1"}}
        assert call(page, stage.api + path, **write) == {"failed": "TypeError"}
        unseen = call(page, stage.api + path, method="POST", mode="no-cors")
        assert unseen == {"failed": "TypeError"}
    assert page.evaluate(LISTEN, f"{stage.api}/auth/events") == "refused"
    submit = "(url) => { const f = document.createElement('form'); f.method = 'POST'; f.action = url;"
    submit += " document.body.append(f); f.submit(); }"
    with page.expect_response(f"{stage.api}/auth/logout") as response:
        page.evaluate(submit, f"{stage.api}/auth/logout")
    assert response.value.status == 403
    page.wait_for_url(f"{stage.api}/auth/logout")
    assert len(list(stage.running.sandbox.arrivals)) == arrived
    page.goto(f"{stage.app}/")
    assert '"active":true' in str(call(page, f"{stage.api}/auth/session")["text"])
