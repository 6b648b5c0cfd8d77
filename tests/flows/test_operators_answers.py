"""What a front-end developer can rely on in an answer."""

from __future__ import annotations

import gzip
import logging
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.wire import reply, running_wire, send_raw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.running import Running

PROFILE = b'{"organizationId": "o", "companyName": "C", "created": {"userId": "u"}, "connectionId": "k"}'


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_gateway() as running:
        yield running


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code", "more"),
    [
        ("GET", "/api/v1/profile", {}, 401, "session_required", {"reason", "login_url"}),
        ("POST", "/auth/logout", {"Origin": "https://evil.example"}, 403, "cross_site_refused", {"cause"}),
        ("GET", "/api/v1/..%2f", {}, 400, "path_refused", set()),
        ("GET", "/missing.js", {}, 404, "route_unknown", set()),
        ("PUT", "/auth/session", {}, 405, "method_refused", set()),
    ],
)
def test_an_error_is_a_problem_document(
    running: Running, method: str, path: str, headers: dict[str, str], status: int, code: str, more: set[str]
) -> None:
    # RFC 9457 §3.1: type, title, status, detail, instance, and members of our own
    answer = httpx.request(method, f"{running.public_url}{path}", headers=headers, trust_env=False)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert (document["type"], document["status"], document["code"]) == ("about:blank", status, code)
    assert document["instance"] == f"urn:request:{answer.headers['x-request-id']}"
    assert document["title"]
    assert document.keys() - {"type", "title", "status", "code", "instance", "detail"} == more


def test_cookies_may_come_in_several_fields(running: Running) -> None:
    # RFC 9113 §8.2.3: a proxy that speaks HTTP/2 to browsers may hand them on as they came
    with Browser(running.public_url) as browser:
        browser.sign_in()
        session = f"Cookie: {SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"
    host = running.public_url.removeprefix("http://")
    head = (
        f"GET /auth/session HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nCookie: theme=dark\r\n{session}"
    )
    assert b'"active":true' in send_raw(running.public_url, f"{head}\r\n\r\n".encode())


def test_a_decoded_answer_names_other_bytes_than_the_encoded_one() -> None:
    # RFC 9110 §8.4
    packed = gzip.compress(b'{"number": "RE-1"}')
    with running_wire() as api, running_gateway(settings={"LEXGATE_API_URL": api.url}) as running:
        api.script = lambda heard: (
            reply(200, packed, "Content-Encoding: gzip", 'ETag: "1"', "Accept-Ranges: bytes")
            if heard.target == b"/v1/packed"
            else reply(200, PROFILE)
        )
        with Browser(running.public_url) as browser:
            assert browser.sign_in().status_code == 200
            answer = browser.fetch("/api/v1/packed")
    assert answer.json() == {"number": "RE-1"}
    assert not answer.headers.keys() & {"content-encoding", "etag", "accept-ranges"}


def test_a_defect_is_one_answer_and_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "spa"
    folder.mkdir()
    (folder / "index.html").touch()
    with running_gateway(settings={"LEXGATE_SPA": str(folder)}) as running:
        (folder / "index.html").unlink()
        folder.rmdir()
        with caplog.at_level(logging.ERROR):
            answer = httpx.get(f"{running.public_url}/app.js", trust_env=False)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert str(tmp_path) not in answer.text
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
