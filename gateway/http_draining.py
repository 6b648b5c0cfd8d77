"""The HTTP protocol of a gateway that ends: no request that was sent is left without its answer."""

from __future__ import annotations

import fcntl
import struct
import termios
from typing import TYPE_CHECKING, Any

from gateway.http_unread import UnreadHttpProtocol

if TYPE_CHECKING:
    import asyncio

LINGER_SECONDS = 1.0
"""How long a connection without a request must stay silent before it is closed.

A request that crosses our closing on its way is lost, and only its sender could tell whether to send it
again. Who uses a connection often sends within this time, and is answered with `Connection: close`; what
stays silent for so long will hardly begin in the instant of the closing.
"""
_INT = struct.Struct("i")


class DrainingHttpProtocol(UnreadHttpProtocol):
    """Ends connections one answer after `shutdown`, which the server calls once."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **options)
        self._is_draining = False
        self._linger_timer: asyncio.TimerHandle | None = None

    def shutdown(self) -> None:
        """Let the call in flight, or the one that may be on its way, be the last."""
        self._is_draining = True
        if self._is_idle():
            self._linger()
        elif not self.cycle.response_started:
            self.cycle.keep_alive = False  # RFC 9112 §9.6: announced by `Connection: close`

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timer."""
        self._stop_lingering()
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        """Begin a request; while draining it is the connection's last."""
        super().on_headers_complete()
        if self._is_draining and not self._is_idle():
            self.cycle.keep_alive = False

    def on_response_complete(self) -> None:
        """End an answer; one whose head was sent before the draining began promised to go on."""
        super().on_response_complete()
        if self._is_draining and self._is_idle() and not self.transport.is_closing():
            self._linger()

    def _linger(self) -> None:
        self._stop_lingering()
        self._linger_timer = self.loop.call_later(LINGER_SECONDS, self._close_if_silent)

    def _stop_lingering(self) -> None:
        if self._linger_timer is not None:
            self._linger_timer.cancel()
            self._linger_timer = None

    def _close_if_silent(self) -> None:
        self._linger_timer = None
        if self.transport.is_closing() or not self._is_idle() or self._bytes_without_progress:
            return  # the answer, or the time limit of the head, ends the connection
        if _unread_bytes(self.transport):
            self._linger()
        else:
            self.transport.close()


def _unread_bytes(transport: asyncio.Transport) -> int:
    """Return how much the kernel has received that the event loop has not yet looked at."""
    descriptor = transport.get_extra_info("socket").fileno()
    (size,) = _INT.unpack(fcntl.ioctl(descriptor, termios.FIONREAD, _INT.pack(0)))
    return int(size)
