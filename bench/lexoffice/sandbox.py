"""lexoffice in a box with its real limit, and what it tells of the calls that reached it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from bench.lexgate import ROOT
from bench.process import LOAD_CORE, free_port, start, stopping
from tests.support.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.lexoffice.arithmetic import Limit

CLIENT_ID, CLIENT_SECRET = "lexgate-bench", "a client secret of the load harness"
_SCOPE = "profile.read contacts.read invoices.read voucherlist.read vouchers.read articles.read payments.read"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Where it answers, and what it lets the proxies that stand before it do."""

    origin: str
    redirect_uri: str

    def arrivals(self) -> list[dict[str, Any]]:
        """Return the API calls so far: `at` by the machine's monotonic clock, method, path, status."""
        calls: list[dict[str, Any]] = httpx.get(f"{self.origin}/sandbox/calls", trust_env=False).json()[
            "calls"
        ]
        return calls

    def forget_arrivals(self) -> None:
        """Forget the API calls so far."""
        httpx.delete(f"{self.origin}/sandbox/calls", trust_env=False).raise_for_status()

    def new_token(self) -> str:
        """Sign a person in without any gateway, and return the access token of the new connection."""
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": self.redirect_uri,
            "scope": _SCOPE,
            "state": "any",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        with Browser(self.origin) as browser:
            page = browser.navigate(f"/oauth2/authorize?{urlencode(query)}", site="cross-site")
            landed = browser.consent(page, follow=False).headers["location"]
        form = {
            "grant_type": "authorization_code",
            "code": parse_qs(urlsplit(landed).query)["code"][0],
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        answer = httpx.post(
            f"{self.origin}/oauth2/token", data=form, auth=(CLIENT_ID, CLIENT_SECRET), trust_env=False
        )
        return str(answer.raise_for_status().json()["access_token"])


@contextlib.contextmanager
def running_sandbox(folder: Path, public_url: str, limit: Limit) -> Iterator[Sandbox]:
    """Run it until the block ends; whoever signs in again takes over the connection that is there."""
    port = free_port()
    origin, redirect_uri = f"http://127.0.0.1:{port}", f"{public_url}/auth/callback"
    options = {
        "base_url": origin,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [redirect_uri],
        "rate": limit.rate,
        "burst": limit.burst,
        "reconnect": "replace",
    }
    command = (sys.executable, "-m", "bench.lexoffice.sandbox_process", json.dumps(options))
    running = start(f"sandbox-{port}", command, core=LOAD_CORE, folder=folder, port=port, cwd=ROOT)
    with stopping(running):
        yield Sandbox(origin, redirect_uri)
