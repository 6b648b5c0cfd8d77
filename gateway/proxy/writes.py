"""What calls with an unsafe method make outdated: forgotten here, and told to all who may have kept it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.errors import (
    BrowserError,
    BudgetExhausted,
    ResendRequired,
    ResourceServerUnreachable,
    SessionBusy,
    SessionRequired,
    StoreError,
    UpstreamFull,
)
from gateway.proxy.response_cache import Written
from gateway.proxy.retry import SAFE_METHODS
from gateway.proxy.sharing import public_path

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from gateway.proxy.call import CallRequest
    from gateway.proxy.invalidation import Resources
    from gateway.proxy.response_cache import ResponseCache
    from gateway.sessions.opened_session import OpenedSession

    Announce = Callable[[Written], asyncio.Task[None] | None]

_NOT_PERFORMED = (ResourceServerUnreachable, UpstreamFull, ResendRequired, BrowserError)
_NOT_SENT = (BudgetExhausted, SessionBusy, SessionRequired, StoreError)
"""Nothing was sent, or it was refused for the token or the rate: there is nothing to forget.

All others would ask again, just when there are too many calls.
"""

_TELLING_SECONDS = 1.0
"""How long the answer to a write waits until what it touches is found nowhere any more."""


class Writes:
    """`announce` tells other processes; without any route that shares its answers nothing is done."""

    def __init__(
        self, cache: ResponseCache, *, touched_by_write: Callable[[bytes], Resources], is_in_use: bool
    ) -> None:
        self.announce: Announce = _announce_to_nobody
        self._cache = cache
        self._touched_by_write = touched_by_write
        self._is_in_use = is_in_use

    def heeds(self, method: str) -> bool:
        """Say whether a call with this method is of concern on any route: a write touches what is shared."""
        return self._is_in_use and method not in SAFE_METHODS

    @asynccontextmanager
    async def writing(
        self, opened: OpenedSession, request: CallRequest
    ) -> AsyncGenerator[Callable[[int], None]]:
        """Forget what a call with an unsafe method touches, when its answer or its failure is there.

        The status of its answer is to be told. Without one, or with 504, it may still be performed.
        """
        told: list[int] = []
        is_open = is_sent = True
        try:
            yield told.append
            is_open = HTTPStatus.GATEWAY_TIMEOUT in told
        except _NOT_SENT:
            is_sent = False
            raise
        except _NOT_PERFORMED:
            is_open = False
            raise
        finally:
            if is_sent:
                await self._note_written(opened, request, is_open=is_open)

    async def _note_written(self, opened: OpenedSession, request: CallRequest, *, is_open: bool) -> None:
        """Forget what a write touches, and have it announced."""
        if not self._is_in_use:
            return
        written = Written(
            opened.grant.key,
            opened.session.claims.get("organization_id"),
            self._touched_by_write(public_path(request.matched)),
            is_open,
        )
        if written.is_open:
            self._cache.doubt(written.connection)
        # RFC 9111 §4.4: before the browser can know of it, and whatever became of it.
        self._cache.forget(
            written.resources, connection=written.connection, organization=written.organization
        )
        if (announcing := self.announce(written)) is not None:
            await asyncio.wait([announcing], timeout=_TELLING_SECONDS)


def _announce_to_nobody(_written: Written) -> None:
    return None
