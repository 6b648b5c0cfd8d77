"""uvicorn's WebSocket protocol with an end to every wait for a browser that does not read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn._types import ASGISendEvent

LINGER_SECONDS = 2.0
"""How long the browser may take to read the last frame and to close, once the application has ended."""


class LimitedWebSocketProtocol(WebSocketsSansIOProtocol):
    """Stops reading where nobody reads the answers, and cuts off who does not take leave."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **options)
        self._linger_timer: asyncio.TimerHandle | None = None
        self._is_held = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timer."""
        if self._linger_timer is not None:
            self._linger_timer.cancel()
            self._linger_timer = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take frames; each ping is answered, so whoever leaves the answers unread is not read from."""
        super().data_received(data)
        if not self.handshake_initiated:
            # The head comes in one piece: if it cannot be read, nothing else would ever end the connection.
            self.transport.close()
            return
        if not self.writable.is_set() and not self._is_held and not self.transport.is_closing():
            self._is_held = True
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again, unless the application has not taken the last message yet."""
        super().resume_writing()
        if self._is_held:
            self._is_held = False
            if not self.read_paused and not self.transport.is_closing():
                self.transport.resume_reading()

    async def send(self, message: ASGISendEvent) -> None:
        """Send; an HTTP answer completes the handshake too, or uvicorn logs an error for every refusal."""
        await super().send(message)
        if self.close_sent:
            self.handshake_complete = True

    async def run_asgi(self) -> None:
        """Run the application; its end is the connection's."""
        try:
            await super().run_asgi()
        finally:
            # A closing transport waits for the browser to read what is written, for ever if need be.
            self._linger_timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)
