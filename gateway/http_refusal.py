"""The answer to a request that reaches no application, in bytes, and what the operator is told."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gateway.errors import GatewayFull

if TYPE_CHECKING:
    from gateway.errors import GatewayError


_TELL_SECONDS = 10.0
_LOGGER = logging.getLogger(__name__)


class FullListener:
    """Tells the operator that connections are refused: they appear in no access log."""

    def __init__(self) -> None:
        self._silent_until = 0.0

    def tell(self, limit: int, *, now: float) -> None:
        """Write a warning, one in ten seconds at most; `now` is of any clock that is never set back."""
        if now >= self._silent_until:
            self._silent_until = now + _TELL_SECONDS
            _LOGGER.warning("the listener is full", extra={"fields": {"max_connections": limit}})


FULL_LISTENER = FullListener()


def build_refusal(error: type[GatewayError]) -> bytes:
    """Build application/problem+json with its head; the connection ends with it."""
    document = {"type": "about:blank", "title": error.title, "status": error.status, "code": error.code}
    body = json.dumps(document).encode()
    return b"".join(
        (
            STATUS_LINE[error.status],
            b"content-type: application/problem+json\r\ncache-control: no-store\r\n",
            b"x-content-type-options: nosniff\r\nconnection: close\r\n",
            b"retry-after: 2\r\n" if error is GatewayFull else b"",
            b"content-length: %d\r\n\r\n" % len(body),
            body,
        )
    )
