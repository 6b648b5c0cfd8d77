"""A proxy that asks /auth/forward, as nginx, Traefik, Caddy and Envoy do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.support.browser import Browser
    from tests.support.running import Running

PATH = "/auth/forward"
SECRET = "what a proxy of the tests proves itself with: 0123456789"
FORMER = "what it proved itself with before that: 0123456789 0123"
SETTINGS = {
    "LEXGATE_FORWARD_AUTH_SECRETS": f"{SECRET},{FORMER}",
    "LEXGATE_FORWARD_AUTH_PROXIES": "192.0.2.0/24,127.0.0.1",
}
PROOF = {"X-Lexgate-Proxy-Secret": SECRET}
NGINX = {**PROOF, "X-Original-Method": "GET"}


def cookie_of(browser: Browser) -> str:
    """Return the Cookie field of a signed-in browser, as a proxy hands it on."""
    jar = next(iter(browser.cookies.values()))
    return "; ".join(f"{name}={cookie.value}" for name, cookie in jar.items())


def ask(
    running: Running,
    cookie: str | None,
    *more: tuple[str, str],
    path: str = PATH,
    method: str = "GET",
    proof: dict[str, str] = NGINX,
) -> httpx.Response:
    """Ask about a request with this cookie; `more` are further fields, which may be repeated."""
    fields = [*proof.items(), *([("Cookie", cookie)] if cookie else []), *more]
    headers = [(name.encode(), value.encode("latin-1")) for name, value in fields]
    return httpx.request(method, running.url + path, headers=headers, trust_env=False)
