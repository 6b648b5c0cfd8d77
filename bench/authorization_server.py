"""Runs the authorization server, and signs a person in at a proxy as a browser would."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.load import command_path
from bench.process import LOAD_CORE, free_port, start, stopping
from tests.support.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CLIENT_ID = "bench"
CLIENT_SECRET = "a-client-secret-of-the-load-harness-0123456789"  # noqa: S105 - it opens nothing but this run
CALLBACK = "/auth/callback"
NODE_FOLDER = Path(__file__).parent


@contextlib.contextmanager
def running_authorization_server(folder: Path, ports: Sequence[int]) -> Iterator[str]:
    """Run it for proxies on these ports until the block ends; yields its issuer."""
    if not (NODE_FOLDER / "node_modules/oidc-provider").is_dir():
        raise RuntimeError("oidc-provider is missing: `make bench` installs it, or npm ci in bench")
    port = free_port()
    options = {
        "port": port,
        "clientId": CLIENT_ID,
        "clientSecret": CLIENT_SECRET,
        "redirectUris": [f"http://localhost:{each}{CALLBACK}" for each in ports],
    }
    command = (command_path("node"), NODE_FOLDER / "authorization_server.mjs", json.dumps(options))
    running = start(
        "authorization-server",
        command,
        core=LOAD_CORE,
        folder=folder,
        port=port,
        environment={"NODE_ENV": "production"},
    )
    with stopping(running):
        yield f"http://127.0.0.1:{port}"


def sign_in(origin: str, path: str) -> str:
    """Sign a person in at a proxy by opening `path`; returns the Cookie field of the session."""
    with Browser(origin) as browser:
        login = browser.navigate(path, site="same-origin")
        consent = browser.post_form(login, {"prompt": "login", "login": "berta", "password": "any"})
        landed = browser.post_form(consent, {"prompt": "consent"})
        jar = browser.cookies.get(urlsplit(origin).netloc, {})
        # What a proxy took back, a browser would not send: Browser knows Max-Age=0 alone.
        kept = {name: cookie.value for name, cookie in jar.items() if cookie.value not in {"", "deleted"}}
        if not kept:
            raise RuntimeError(f"nobody was signed in at {origin}: {landed.status_code} {landed.url}")
        return "Cookie: " + "; ".join(f"{name}={value}" for name, value in kept.items())
