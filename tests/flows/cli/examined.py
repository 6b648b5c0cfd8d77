"""What the doctor is shown: an authorization server and API that are well until scripted otherwise."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from gateway.doctor import Finding, examine
from tests.flows.cli.process import serve_settings
from tests.support.wire import Heard, Reply, Wire, reply

if TYPE_CHECKING:
    from pathlib import Path

UNKNOWN_TOKEN = b'{"error": "invalid_grant"}'


def well(heard: Heard) -> Reply:
    if heard.target == b"/oauth2/token":
        return reply(400, UNKNOWN_TOKEN, date(0))
    return reply(200, b"{}", date(0))


def date(seconds: float) -> str:
    return f"Date: {formatdate(time.time() + seconds, usegmt=True)}"


def lexware(server: Wire, **more: str) -> dict[str, str]:
    return serve_settings(**{"api_url": server.url, "authorization_server": server.url, **more})


def openid(server: Wire, **more: str) -> dict[str, str]:
    return serve_settings(**{"provider": "openid", "issuer": server.url, "api_url": server.url, **more})


def metadata(server: Wire, **more: Any) -> bytes:  # noqa: ANN401 - JSON
    document = {
        "issuer": server.url,
        "authorization_endpoint": f"{server.url}/authorize",
        "token_endpoint": f"{server.url}/oauth2/token",
        "jwks_uri": f"{server.url}/keys",
        **more,
    }
    return json.dumps(document).encode()


def discovers(server: Wire, body: bytes, status: int = 200) -> None:
    def script(heard: Heard) -> Reply:
        found = heard.target == b"/.well-known/openid-configuration"
        return reply(status, body, date(0)) if found else well(heard)

    server.script = script


def is_empty(folder: Path) -> bool:
    return not list(folder.iterdir())


async def findings(settings: dict[str, str], folder: Path) -> list[Finding]:
    return [finding async for finding in examine(settings, folder)]


async def about(subject: str, settings: dict[str, str], folder: Path) -> Finding:
    (found,) = [found for found in await findings(settings, folder) if found.subject == subject]
    return found
