"""The HTTP/1.1 protocol that gives a head, a body and a silence their time, and refuses what is late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.errors import RequestTooSlow
from gateway.http_refusal import build_refusal

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from gateway.errors import GatewayError

HEAD_SECONDS = 20.0
"""From the first byte of a request, or from the connection, to the end of its head (Slowloris)."""
BODY_SECONDS = 20.0
MIN_BODY_BYTES = 8192
"""What must come of a body in each BODY_SECONDS in which the gateway was ready to read it (R.U.D.Y.)."""
CROWDED_SECONDS = 2.0
"""The time for a head where the listener is full, so that it can be told so."""


class TimelyHttpProtocol(HttpToolsProtocol):
    """Has the timers; when one of them is to run is for whoever reads the requests to say."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **options)
        self._in_head = True
        self._bytes_without_progress = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._body_timer: asyncio.TimerHandle | None = None
        self._body_bytes = 0
        self._was_held_up = False
        self._is_crowded = False
        self._idle_timer: asyncio.TimerHandle | None = None
        self._idle_since = 0.0

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timers."""
        self._head_timer = cancelled(self._head_timer)
        self._body_timer = cancelled(self._body_timer)
        self._idle_timer = cancelled(self._idle_timer)
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection to another protocol."""
        self._idle_timer = cancelled(self._idle_timer)
        super().handle_websocket_upgrade()

    def _await_head(self) -> None:
        seconds = CROWDED_SECONDS if self._is_crowded else HEAD_SECONDS
        self._head_timer = self.loop.call_later(seconds, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._is_idle():
            self._refuse(RequestTooSlow)

    def _await_body(self) -> None:
        self._body_bytes = 0
        self._was_held_up = self._holds_up_body()
        self._body_timer = self.loop.call_later(BODY_SECONDS, self._judge_body)

    def _judge_body(self) -> None:
        self._body_timer = None
        # Whoever waits for us is not slow: the resource server may be.
        is_excused = self._was_held_up or self._holds_up_body()
        if self._body_bytes < MIN_BODY_BYTES and not is_excused:
            self._refuse(RequestTooSlow)
        elif not self.transport.is_closing():
            self._await_body()

    def _holds_up_body(self) -> bool:
        # Nobody asks yet for the body of a request that waits behind another.
        return bool(self.flow.read_paused or self.pipeline or self.cycle.waiting_for_100_continue)

    def _end_if_idle(self) -> None:
        self._idle_timer = None
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._end_if_idle)
        elif self._is_idle() and self._in_head and self._head_timer is None:
            self.transport.close()  # with half a head, too, whose own limit struck while an answer was due

    def _refuse(self, error: type[GatewayError]) -> None:
        if self.transport.is_closing():
            return
        if self._may_answer():
            self.transport.write(build_refusal(error))
        self.transport.close()

    def _may_answer(self) -> bool:
        # A second answer to one request would be taken for the next one's (response desynchronization).
        if self._in_head:
            return self._is_idle()
        return not (self.pipeline or self.cycle.response_started)

    def _is_idle(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        return cycle is None or bool(cycle.response_complete)


def cancelled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """Cancel a timer, if there is one; returns None for its place."""
    if timer is not None:
        timer.cancel()
    return None
