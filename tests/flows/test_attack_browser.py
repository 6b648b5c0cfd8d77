"""What a browser can be made to send: tampered cookies, and requests of other sites (CSRF)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.wire import Wire, running_wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

EVIL = "https://evil.example"
SAFE = ["/api/v1/profile", "/auth/session"]
UNSAFE = ["/api/v1/contacts", "/auth/session/refresh", "/auth/logout"]


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with running_wire() as wire:
        yield wire


@pytest.fixture(scope="module")
def running(wire: Wire) -> Iterator[Running]:
    with running_gateway("openid", settings={"LEXGATE_API_URL": wire.url}) as running:
        yield running


@pytest.fixture
def cookie(wire: Wire, browser: Browser) -> str:
    wire.reset()
    browser.sign_in()
    return browser.cookie(SESSION_COOKIE) or ""


def ask(running: Running, path: str, method: str = "GET", **headers: str | None) -> httpx.Response:
    """Send a request with exactly these headers; "_" in a name stands for "-"."""
    given = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
    sent = [(name.encode(), value.encode("latin-1")) for name, value in given.items()]
    return httpx.request(method, running.public_url + path, headers=sent, trust_env=False)


def session_of(running: Running, cookie_field: str) -> bool:
    return bool(ask(running, "/auth/session", cookie=cookie_field).json()["active"])


def test_a_session_cookie_with_any_byte_changed_is_no_session(running: Running, cookie: str) -> None:
    assert session_of(running, f"{SESSION_COOKIE}={cookie}")
    with httpx.Client(trust_env=False, base_url=running.public_url) as client:
        # The last character carries bits beyond the signature's 32 bytes: to change those changes nothing.
        for place in range(len(cookie) - 1):
            for changed in {"A", "B", cookie[place].swapcase()} - {cookie[place]}:
                tampered = cookie[:place] + changed + cookie[place + 1 :]
                answer = client.get("/auth/session", headers={"Cookie": f"{SESSION_COOKIE}={tampered}"})
                assert answer.json()["active"] is False, place


@pytest.mark.parametrize("tampering", [
    "{0}.", ".{0}", "{0}{0}",  '"{0}"', "{0}%00", "{id}", "{id}.", ".{sig}", "{id}.{id}", "{sig}.{sig}",
    "A" * 43, "{0}\xe4", "", "%7B{0}%7D", "{id}..{sig}", "x" * 8000,
])  # fmt: skip
def test_what_is_not_the_cookie_as_it_was_set_is_no_session(
    running: Running, cookie: str, tampering: str
) -> None:
    session_id, _, signature = cookie.partition(".")
    value = tampering.format(cookie, id=session_id, sig=signature)
    assert session_of(running, f"{SESSION_COOKIE}={value}") is False
    assert ask(running, "/api/v1/profile", cookie=f"{SESSION_COOKIE}={value}").status_code == 401


def test_two_session_cookies_are_none(running: Running, cookie: str) -> None:
    """Cookie tossing: nothing tells which of the two a sibling host has planted."""
    genuine = f"{SESSION_COOKIE}={cookie}"
    for field in (f"{genuine}; {SESSION_COOKIE}=planted", f"{SESSION_COOKIE}=planted; {genuine}"):
        assert session_of(running, field) is False
    assert session_of(running, f"a=b; {genuine}; __Host-lexgate=planted; lexgate=planted") is True
    assert session_of(running, genuine.lower()) is False, "cookie names are case-sensitive"


def test_a_cookie_of_another_installation_is_no_session(running: Running, cookie: str) -> None:
    del cookie
    with running_gateway("openid", secret="another secret of at least thirty-two bytes") as other:
        with Browser(other.public_url) as browser:
            browser.sign_in()
            foreign = browser.cookie(SESSION_COOKIE)
        assert session_of(running, f"{SESSION_COOKIE}={foreign}") is False


SITES = [
    ("cross-site", None, 403),
    ("same-site", None, 403),
    ("evil", None, 403),
    ("same-origin", EVIL, 403),
    ("same-origin", "null", 403),
    (None, EVIL, 403),
    (None, "null", 403),
    ("cross-site", "own", 403),
    ("same-origin", "own", 200),
]


@pytest.mark.parametrize("path", SAFE)
@pytest.mark.parametrize(
    ("site", "origin", "status"), [*SITES, ("none", None, 200), (None, None, 200), ("same-origin", None, 200)]
)
def test_a_read_from_elsewhere_is_refused(
    running: Running, wire: Wire, cookie: str, path: str, site: str | None, origin: str | None, status: int
) -> None:
    own = running.public_url if origin == "own" else origin
    field = f"{SESSION_COOKIE}={cookie}"
    answer = ask(running, path, cookie=field, sec_fetch_site=site, origin=own)
    assert answer.status_code == status
    assert bool(wire.heard) is (status == 200 and path.startswith("/api"))
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", UNSAFE)
@pytest.mark.parametrize(
    ("site", "origin", "status"), [*SITES, ("none", None, 403), (None, None, 403), (None, "own", 200)]
)
def test_a_write_from_elsewhere_is_refused(
    running: Running, wire: Wire, cookie: str, path: str, site: str | None, origin: str | None, status: int
) -> None:
    own = running.public_url if origin == "own" else origin
    field = f"{SESSION_COOKIE}={cookie}"
    answer = ask(running, path, "POST", cookie=field, sec_fetch_site=site, origin=own, x_csrf="1")
    assert answer.status_code == status, answer.text
    if status == 403:
        assert answer.json()["code"] == "cross_site_refused"
        assert wire.heard == []
        assert session_of(running, field) is True
    else:
        assert session_of(running, field) is (path != "/auth/logout")


@pytest.mark.parametrize("path", UNSAFE)
@pytest.mark.parametrize("value", [None, "", "0", "true", "11"])
def test_a_write_without_the_header_is_refused(
    running: Running, wire: Wire, cookie: str, path: str, value: str | None
) -> None:
    field = f"{SESSION_COOKIE}={cookie}"
    headers = {
        "cookie": field,
        "sec_fetch_site": "same-origin",
        "origin": running.public_url,
        "x_csrf": value,
    }
    answer = ask(running, path, "POST", **headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_header_missing")
    assert wire.heard == []
    assert session_of(running, field) is True


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]
)
def test_a_form_of_another_site_signs_nobody_out(running: Running, cookie: str, content_type: str) -> None:
    field = f"{SESSION_COOKIE}={cookie}"
    for site, origin in (("cross-site", EVIL), ("same-site", EVIL), (None, EVIL), (None, None)):
        headers = {"cookie": field, "content_type": content_type, "sec_fetch_site": site, "origin": origin}
        assert ask(running, "/auth/logout", "POST", **headers).status_code == 403
    assert session_of(running, field) is True


def test_no_preflight_is_ever_answered(running: Running, cookie: str) -> None:
    for path in (*SAFE, *UNSAFE):
        headers = {
            "origin": EVIL,
            "access_control_request_method": "POST",
            "cookie": f"{SESSION_COOKIE}={cookie}",
        }
        answer = ask(running, path, "OPTIONS", access_control_request_headers="x-csrf", **headers)
        assert answer.status_code in {403, 405}
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "OPTIONS", "PROPFIND", "PURGE"])
def test_other_methods_are_refused(running: Running, wire: Wire, cookie: str, method: str) -> None:
    """RFC 9110 §9.3.8: TRACE would send the token back."""
    headers = {"sec_fetch_site": "same-origin", "origin": running.public_url, "x_csrf": "1"}
    answer = ask(running, "/api/v1/profile", method, cookie=f"{SESSION_COOKIE}={cookie}", **headers)
    assert answer.status_code in {400, 405}
    assert wire.heard == []


def test_the_host_header_decides_nothing(running: Running, browser: Browser) -> None:
    begun = browser.fetch(
        "/auth/login",
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Sec-Fetch-Mode": "navigate",
                 "Sec-Fetch-Dest": "document"},
    )  # fmt: skip
    assert begun.status_code == 302
    assert "evil" not in begun.headers["location"]
    page = browser.fetch("/auth/callback", headers={"Host": "evil.example", "Sec-Fetch-Mode": "navigate"})
    assert "evil" not in page.text
    assert urlsplit(running.public_url).netloc in page.text
