"""`lexgate demo`: everything in one process, and nothing left of it."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.sandbox.accounts import USERS
from tests.flows.cli.process import end, read_until, started
from tests.support.browser import Browser
from tests.support.wire import until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("picture", ["lexware", "openid"])
def test_the_demo_greets_works_and_ends(tmp_path: Path, picture: str) -> None:
    (folder := tmp_path / "temporary").mkdir()
    (cwd := tmp_path / "empty").mkdir()
    foreign = {
        "LEXGATE_PUBLIC_URL": "https://app.example.com",
        "LEXGATE_STORE": "nonsense",
        "TMPDIR": str(folder),
    }
    with started("demo", "--port", "0", "--picture", picture, cwd=cwd, settings=foreign) as process:
        greeting = read_until(process.stdout, "Ctrl-C ends it.")
        public_url = re.findall(r"lexgate is ready: +(http://localhost:\d+)\n", greeting)[0]
        for user in USERS.values():
            assert user.name in greeting
        with Browser(public_url) as browser:
            assert browser.sign_in().status_code == 200
            answer = browser.fetch("/api/v1/profile")
            assert answer.json()["companyName"] in greeting
            assert "stored" in answer.headers["cache-status"]
            books = browser.fetch("/api/v1/voucherlist?voucherType=any&voucherStatus=any")
            assert books.json()["totalElements"] == 110
            assert "queue;dur=" in books.headers["server-timing"]
            assert change_the_books(greeting) == (["204"], "delivered")
            assert browser.fetch("/auth/logout", "POST").status_code == 200
        code, output, errors = end(process, signal.SIGINT)
    assert (code, output.strip()) == (0, "")
    assert [json.loads(line)["message"] for line in errors.splitlines()] == [
        "sign_in",
        "webhook",
        "sign_out",
    ], "the audit log"
    assert [*cwd.iterdir(), *folder.iterdir()] == []


def change_the_books(greeting: str) -> tuple[list[str], str]:
    """Add an invoice on the sandbox's page and return what became of the webhook that tells of it."""
    sandbox_url = re.findall(r"lexoffice in a box +(http://127.0.0.1:\d+)\n", greeting)[0]
    with httpx.Client(base_url=sandbox_url, timeout=10) as http:
        assert http.post("/books/nordlicht/invoices", data={"random": "yes"}).status_code == 303
        until(lambda: _delivery(http)["state"] != "under_way")
        delivery = _delivery(http)
    assert delivery["eventType"] == "invoice.created"
    return [attempt["outcome"] for attempt in delivery["attempts"]], delivery["state"]


def _delivery(http: httpx.Client) -> dict[str, Any]:
    (delivery,) = http.get("/sandbox/deliveries").json()["deliveries"]
    found: dict[str, Any] = delivery
    return found


def test_the_demo_switches_faults_on(tmp_path: Path) -> None:
    arguments = ("--port", "0", "--fault", "api_403_echo", "--fault", "token_failing")
    with started("demo", *arguments, cwd=tmp_path) as process:
        greeting = read_until(process.stdout, "Ctrl-C ends it.")
        assert "Faults              api_403_echo, token_failing" in greeting
        public_url = re.findall(r"http://localhost:\d+", greeting)[0]
        with Browser(public_url) as browser:
            page = browser.sign_in()
        assert page.status_code == 503
        assert "authorization_server_unreachable" in page.text
        code, _, errors = end(process)
    assert code == 0
    lines = [json.loads(line) for line in errors.splitlines()]
    assert lines
    assert [line for line in lines if line["level"] != "warning"] == []
