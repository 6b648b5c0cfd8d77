"""Prints what remembered sessions cost: python -m tests.contract.measure_opened, with the count to try."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gateway.browser.cookie import SESSION_COOKIE, SessionCookie
from gateway.sessions.keyring import Keyring
from gateway.sessions.opened_table import MAX_REMEMBERED
from gateway.sessions.session import Tokens
from tests.contract import redis_servers
from tests.contract.stores import STORES, opened
from tests.support.opened import build_opened

if TYPE_CHECKING:
    from gateway.sessions.opened import OpenedSessions
    from gateway.sessions.vault import Vault

_SECRET = "a secret of at least thirty-two bytes"
_NOW = 4_000_000_000.0
_LOOK_UPS = 1_000_000
_IDLE_SECONDS = 10.0


async def _sign_in(vault: Vault, sessions: int, characters: int) -> list[bytes]:
    """Begin sessions; returns the Cookie fields that lead to them."""
    cookie = SessionCookie(Keyring([_SECRET]).signing_keys)
    fields: list[bytes] = []
    for number in range(sessions):
        names = {"issuer": "https://as.example", "client_id": "client", "subject": f"{number}"}
        session_id = vault.new_session_id(**names, connection_id=f"{number}")
        fields.append(f"{SESSION_COOKIE}={cookie.sign(session_id)}".encode())
        await vault.begin(
            session_id=session_id,
            **names,
            connection_id=f"{number}",
            claims={"name": "Ada Lovelace", "email": "ada@example.com", "organization": "Analytical Engines"},
            tokens=Tokens(
                access_token=f"{number:0{characters}}",
                refresh_token=f"{number:0128}",
                expires_at=_NOW + 3600,
                refreshed_at=_NOW,
                scope="profile.read",
            ),
            replaces=None,
            now=_NOW,
            ceilings=(),
            device="Firefox on Linux",
            address="192.0.2.7",
        )
    return fields


async def _admit(remembered: OpenedSessions, fields: list[bytes]) -> float:
    """Return the seconds that one look-up of the store takes, with all that comes of it."""
    began = time.perf_counter()
    for field in fields:
        await remembered.admit([(b"cookie", bytes(bytearray(field)))], may_meet_401=True)
    return (time.perf_counter() - began) / len(fields)


async def _find(remembered: OpenedSessions, fields: list[bytes]) -> float:
    """Return the seconds that one look-up takes, over all sessions in turn."""
    copies = [bytes(bytearray(field)) for field in fields]
    spent = 0.0
    for _ in range(_LOOK_UPS // len(copies)):
        await asyncio.sleep(0)  # lets the looks at the store go on
        began = time.perf_counter()
        found = sum(remembered.find(field) is not None for field in copies)
        spent += time.perf_counter() - began
        assert found == len(copies)
    return spent / (_LOOK_UPS // len(copies) * len(copies))


async def measure(sessions: int, characters: int) -> str:
    """Return a line of the table."""
    with TemporaryDirectory() as folder:
        store = STORES["memory"](Path(folder))
        async with opened(store), build_opened(store, _SECRET, clock=lambda: _NOW) as stage:
            fields = await _sign_in(stage.vault, sessions, characters)
            await asyncio.sleep(0.5)
            tracemalloc.start()
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            await _admit(stage.opened, fields)
            gc.collect()
            size = (tracemalloc.get_traced_memory()[0] - before) / sessions
            tracemalloc.stop()
            admit = await _admit(stage.opened, fields)
            find = await _find(stage.opened, fields)
    return f"| {characters} | {size:,.0f} | {admit * 1e6:.0f} | {find * 1e6:.2f} | {1 / find:,.0f} |"


async def measure_idle(name: str) -> str:
    """Return how much of a core looking takes: with nothing remembered, and with a session remembered."""
    shares: list[float] = []
    with TemporaryDirectory() as folder:
        store = STORES[name](Path(folder))
        async with opened(store), build_opened(store, _SECRET, clock=lambda: _NOW) as stage:
            [field] = await _sign_in(stage.vault, 1, 1000)
            for wanted in (False, True):
                if wanted:
                    await stage.opened.admit([(b"cookie", field)], may_meet_401=True)
                await asyncio.sleep(1)
                began = time.process_time()
                await asyncio.sleep(_IDLE_SECONDS)
                shares.append((time.process_time() - began) / _IDLE_SECONDS * 100)
    return f"| {name} | {shares[0]:.3f} % | {shares[1]:.3f} % |"


async def main(sessions: int) -> None:
    """Print the tables."""
    say = sys.stdout.write
    say("| token | bytes a session | µs to admit | µs to find | finds/s |\n|---|---|---|---|---|\n")
    for characters in (1000, 4096):
        say(await measure(min(sessions, MAX_REMEMBERED), characters) + "\n")
    say("\n| store | CPU, nothing remembered | CPU, a session remembered |\n|---|---|---|\n")
    for name in STORES:
        say(await measure_idle(name) + "\n")
    redis_servers.stop_all()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
