"""A line of calls for whose turns a task asks the store: how each of them learns what became of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.errors import StoreUnavailable
from gateway.proxy.waiting_line import WaitingLine

if TYPE_CHECKING:
    from gateway.proxy.waiting_line import BudgetCall
    from gateway.sessions.turn import Pace


class AskedLine(WaitingLine):
    """Belongs to one event loop, in which its calls wait for their `turn`."""

    def __init__(self, key: bytes, pace: Pace) -> None:
        super().__init__(key, pace)
        self.woken = asyncio.Event()
        """Set when there is something to tell the store: another first call, or that nobody waits."""
        self.driver: asyncio.Task[None] | None = None
        """The task that asks."""

    def let_go(self, session: bytes) -> None:
        """Give a session's turn to the first of its calls that still wants it."""
        while (call := self.take(session)) is not None:
            if call.turn is not None and not call.turn.done():  # it may be about to leave
                call.turn.set_result(None)
                return

    def give_up(self, call: BudgetCall) -> None:
        """Give up a place; a turn that came in the very moment is the next one's."""
        turn = call.turn
        if turn is not None and turn.done() and not turn.cancelled() and turn.exception() is None:
            self.let_go(call.place.session)
        self.leave(call)
        if not self:
            self.woken.set()

    def fail(self, detail: str) -> None:
        """Tell all who wait that there are no turns; `detail` is for the log."""
        for call in self.calls():
            self.leave(call)
            if call.turn is not None and not call.turn.done():
                call.turn.set_exception(StoreUnavailable(log_detail=detail))
