"""Requests that meet opened sessions, for the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import SessionRequired
from gateway.sessions.session import Tokens
from tests.support.opened import id_of
from tests.unit.sessions import sign_ins
from tests.unit.sessions.sign_ins import NOW

if TYPE_CHECKING:
    from gateway.sessions.opened_session import OpenedSession
    from gateway.sessions.session import Grant, Session
    from gateway.sessions.vault import Vault
    from tests.support.opened import Stage


async def begin(vault: Vault, name: str = "id", **facts: Any) -> tuple[Session, Grant | None]:  # noqa: ANN401 - as sign_ins.begin
    """Sign Ada in, with a session id that a cookie can carry."""
    return await sign_ins.begin(vault, id_of(name), **facts)


async def admit(stage: Stage, name: str = "id", *, may_meet_401: bool = True) -> OpenedSession:
    """Admit a request."""
    return await stage.opened.admit([(b"cookie", stage.cookie(name))], may_meet_401=may_meet_401)


def find(stage: Stage, name: str = "id") -> OpenedSession | None:
    """Look a request up."""
    return stage.opened.find(stage.cookie(name))


async def reason(stage: Stage, name: str = "id") -> str:
    """Return why a request is refused."""
    with pytest.raises(SessionRequired) as refused:
        await admit(stage, name)
    return refused.value.reason


def short_lived(seconds: float) -> Tokens:
    """Return tokens that live so long from `NOW` on."""
    return Tokens(
        access_token="access short",
        refresh_token="refresh short",
        expires_at=NOW + seconds,
        refreshed_at=NOW,
        scope=None,
    )
