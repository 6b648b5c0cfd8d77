"""Requests that meet opened sessions of processes that look at their store by themselves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import SessionRequired
from tests.contract.records import NOW
from tests.unit.sessions import sign_ins

if TYPE_CHECKING:
    from gateway.sessions.opened_session import OpenedSession
    from gateway.sessions.session import Session
    from tests.support.opened import Stage


async def sign_in(stage: Stage, **facts: Any) -> tuple[Session, bytes]:  # noqa: ANN401 - as sign_ins.begin
    """Begin a session; returns it and the Cookie field of its browser."""
    session_id = stage.vault.new_session_id(
        issuer="https://as.example",
        client_id="client",
        subject="Ada",
        connection_id=facts.get("connection_id"),
    )
    session, _ = await sign_ins.begin(stage.vault, session_id, now=NOW, **facts)
    return session, stage.field_of(session_id)


async def remember(stage: Stage, cookie: bytes) -> OpenedSession:
    """Admit a request until the session is served from memory."""
    async with asyncio.timeout(10):
        while (found := stage.opened.find(cookie)) is None:
            await stage.opened.admit([(b"cookie", cookie)], may_meet_401=True)
            await asyncio.sleep(0.01)
    return found


async def refusal(stage: Stage, cookie: bytes) -> str:
    """Return why a request is refused."""
    with pytest.raises(SessionRequired) as refused:
        await stage.opened.admit([(b"cookie", cookie)], may_meet_401=True)
    return refused.value.reason
