"""The sending of a shared call, which tells when it sends: what changes after that is not in its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.proxy.sending import Sending

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.proxy.call import CallRequest
    from gateway.proxy.deadlines import CallLimit
    from gateway.proxy.forward import Forward
    from gateway.sessions.opened_session import OpenedSession


class FlightSending(Sending):
    """A Sending that tells when it sends."""

    def __init__(
        self,
        forward: Forward,
        request: CallRequest,
        limit: CallLimit,
        opened: OpenedSession,
        sends: Callable[[], None],
    ) -> None:
        super().__init__(forward, request, limit, opened)
        self._sends = sends

    async def _take_turn(self) -> None:
        await super()._take_turn()
        self._sends()
