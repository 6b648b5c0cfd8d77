"""A script of an app on a sibling origin, and what it can read of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.support.browser import Browser
    from tests.support.running import Running

APP = "https://web.example.com"
EXPOSED = {"server-timing", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id", "cache-status"}
READS = ["/api/v1/profile", "/auth/session", "/auth/sessions"]
UNSAFE = [("/api/v1/contacts", "POST"), ("/auth/session/refresh", "POST"), ("/auth/sessions", "DELETE")]
SETTINGS = {
    "LEXGATE_APP_ORIGINS": f"{APP},http://localhost:5173",
    "LEXGATE_CACHE": '{"/api/v1/kept": 60}',
}


def call(
    browser: Browser, path: str, method: str = "GET", *, origin: str = APP, **headers: str
) -> httpx.Response:
    """Call as a script of the sibling does, with `credentials: "include"`."""
    own = {"Origin": origin, "Sec-Fetch-Site": "same-site"}
    own |= {name.replace("_", "-"): value for name, value in headers.items()}
    return browser.fetch(path, method, headers=own)


def assert_granted(answer: httpx.Response, origin: str = APP) -> None:
    headers = answer.headers
    assert headers.get_list("access-control-allow-origin") == [origin]
    assert headers.get_list("access-control-allow-credentials") == ["true"]
    assert headers.get_list("timing-allow-origin") == [origin]


def assert_readable(answer: httpx.Response, origin: str = APP) -> None:
    headers = answer.headers
    assert_granted(answer, origin)
    assert "Origin" in headers["vary"]
    exposed = {name.strip().lower() for name in headers["access-control-expose-headers"].split(",")}
    assert exposed >= EXPOSED


def assert_unreadable(answer: httpx.Response) -> None:
    named = [name for name in answer.headers if name.startswith(("access-control-", "timing-allow"))]
    assert named == []


def preflight(running: Running, path: str, origin: str) -> httpx.Response:
    headers = {
        "Origin": origin,
        "Sec-Fetch-Site": "same-site",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-csrf",
    }
    return httpx.request("OPTIONS", running.public_url + path, headers=headers, trust_env=False)
