"""lexgate as it is measured: `lexgate serve` from this checkout, and sessions planted into its store."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.authorization_server import CLIENT_ID, CLIENT_SECRET
from bench.load import Target
from bench.process import PROXY_CORE, Running, free_port, start, stopping
from gateway.browser.cookie import SESSION_COOKIE, SessionCookie
from gateway.parts import build_store
from gateway.sessions.keyring import Keyring
from gateway.sessions.session import Tokens
from gateway.sessions.vault import Vault
from gateway.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.upstream import Upstream

ROOT = Path(__file__).parent.parent
COMMAND = Path(sys.executable).with_name("lexgate")
_LIFETIME = 36_000


@dataclass(frozen=True, slots=True)
class Lexgate:
    """Its port and its settings; nothing runs yet."""

    port: int
    settings: Mapping[str, str]

    def start(self, folder: Path, *, name: str = "lexgate") -> Running:
        """Start it on the core of the proxies; its log, with the audit lines, goes to a file."""
        return start(
            name,
            [COMMAND, "serve"],
            core=PROXY_CORE,
            folder=folder,
            port=self.port,
            environment=self.settings,
        )

    def plant_sessions(self, count: int, folder: Path) -> list[str]:
        """Write sessions into its store as a sign-in would, and return their Cookie fields."""
        return asyncio.run(_plant(self.settings, count, folder))


def build_lexgate(
    *, store: str, api_url: str, issuer: str, log_level: str = "warning", port: int | None = None
) -> Lexgate:
    """Settle on ports and settings; `log_level` info writes the access log."""
    port = port or free_port()
    return Lexgate(
        port,
        {
            "LEXGATE_PUBLIC_URL": f"http://localhost:{port}",
            "LEXGATE_SECRETS": "one secret of the load harness 0123456789 abcdef",
            "LEXGATE_PROVIDER": "openid",
            "LEXGATE_ISSUER": issuer,
            "LEXGATE_CLIENT_ID": CLIENT_ID,
            "LEXGATE_CLIENT_SECRET": CLIENT_SECRET,
            "LEXGATE_API_URL": api_url,
            "LEXGATE_STORE": store,
            "LEXGATE_BIND": f"127.0.0.1:{port}",
            "LEXGATE_ADMIN_BIND": f"127.0.0.1:{free_port()}",
            "LEXGATE_LOG_LEVEL": log_level,
        },
    )


@contextlib.contextmanager
def running_planted(folder: Path, upstream: Upstream) -> Iterator[tuple[Running, Target]]:
    """Run it on SQLite until the block ends, without an authorization server: its one session is planted."""
    lexgate = build_lexgate(
        store=f"sqlite://{folder}/planted.sqlite", api_url=upstream.origin, issuer="http://127.0.0.1:9"
    )
    (cookie,) = lexgate.plant_sessions(1, folder)
    with stopping(lexgate.start(folder)) as running:
        yield running, Target(lexgate.port, (cookie,))


async def _plant(environment: Mapping[str, str], count: int, folder: Path) -> list[str]:
    settings = load_settings(environment, folder)
    keyring = Keyring([secret.get_secret_value() for secret in settings.secrets])
    store = build_store(settings)
    vault = Vault(store, keyring, idle_seconds=settings.session_idle, max_seconds=settings.session_max)
    cookie = SessionCookie(keyring.signing_keys)
    await store.open()
    try:
        return [
            f"Cookie: {SESSION_COOKIE}={cookie.sign(await _begin(vault, environment, str(number)))}"
            for number in range(count)
        ]
    finally:
        await store.close()


async def _begin(vault: Vault, environment: Mapping[str, str], subject: str) -> str:
    now = time.time()
    tokens = Tokens(
        access_token=secrets.token_urlsafe(32),
        refresh_token=secrets.token_urlsafe(32),
        expires_at=now + _LIFETIME,
        refreshed_at=now,
        scope="openid",
    )
    issuer, client_id = environment["LEXGATE_ISSUER"], environment["LEXGATE_CLIENT_ID"]
    session_id = vault.new_session_id(issuer=issuer, client_id=client_id, subject=subject, connection_id=None)
    await vault.begin(
        session_id=session_id,
        issuer=issuer,
        client_id=client_id,
        subject=subject,
        connection_id=None,
        claims={"name": f"Person {subject}"},
        tokens=tokens,
        replaces=None,
        now=now,
    )
    return session_id
