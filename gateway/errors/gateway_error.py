"""The root of the tree, and what is nobody's fault but the gateway's own."""

from __future__ import annotations

from typing import ClassVar


class GatewayError(Exception):
    """Root of the tree; `code` is stable, `status` an HTTP status, `title` a short public sentence.

    `problem_type` is a URI that says more of it to programs (RFC 9457 §3.1.1).
    """

    code: str = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "The gateway failed"
    problem_type: ClassVar[str] = "about:blank"

    def __init__(self, detail: str = "", *, log_detail: str = "", retry_after: int | None = None) -> None:
        super().__init__(log_detail or detail or self.title)
        self.detail = detail
        self.log_detail = log_detail
        self.retry_after = retry_after
        """Seconds after which trying again makes sense, or None."""


class GatewayFull(GatewayError):
    """The listener holds as many connections as it may."""

    code = "gateway_full"
    status = 503
    title = "The gateway is full just now"
