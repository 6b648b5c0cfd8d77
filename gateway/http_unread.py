"""The HTTP protocol that leaves a browser which takes nothing of its answers: to close would be to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.http_protocol import LimitedHttpProtocol

if TYPE_CHECKING:
    import asyncio

UNREAD_SECONDS = 60.0
"""How long a browser may take no more than a trickle of what is to be written to it (Slow Read)."""
MIN_TAKEN_BYTES = 8192
"""What it must take in each UNREAD_SECONDS for which writing to it had to stop."""


class UnreadHttpProtocol(LimitedHttpProtocol):
    """Looks from time to time, while more is to be written than the browser takes."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **options)
        self._unread_timer: asyncio.TimerHandle | None = None
        self._left_to_write = 0

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timer."""
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to look."""
        super().pause_writing()
        self._await_reading()

    def resume_writing(self) -> None:
        """Take note that the browser has taken much."""
        super().resume_writing()
        self._left_to_write = 0

    def on_response_complete(self) -> None:
        """End an answer; behind the last one of a connection lies nothing else that ends it."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._await_reading()

    def _await_reading(self) -> None:
        if self._unread_timer is None:
            self._left_to_write = self.transport.get_write_buffer_size()
            self._unread_timer = self.loop.call_later(UNREAD_SECONDS, self._judge_reading)

    def _judge_reading(self) -> None:
        self._unread_timer = None
        left, before = self.transport.get_write_buffer_size(), self._left_to_write
        if not (self.flow.write_paused or self.transport.is_closing()) or not left:
            return
        if before and before - left < MIN_TAKEN_BYTES:
            self.transport.abort()
        else:
            self._await_reading()
