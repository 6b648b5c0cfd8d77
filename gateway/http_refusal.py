"""The answer to a request that reaches no application, in bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gateway.errors import GatewayFull

if TYPE_CHECKING:
    from gateway.errors import GatewayError


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
