"""Security headers on every answer that leaves the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SPA_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self' blob:; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Holds for all that sets no policy of its own: the files of the SPA."""

_HSTS = b"max-age=31536000"  # without includeSubDomains: the sibling hosts are not ours to decide for


class Guard:
    """Plain ASGI: adds what is missing and leaves what an inner application has set."""

    def __init__(self, app: ASGIApp, *, is_secure: bool) -> None:
        self._app = app
        headers = {
            b"x-content-type-options": b"nosniff",
            b"referrer-policy": b"no-referrer",
            b"content-security-policy": SPA_POLICY.encode(),
            b"cross-origin-opener-policy": b"same-origin",
            b"cross-origin-resource-policy": b"same-origin",
            b"x-frame-options": b"DENY",
            b"cache-control": b"no-store",
        }
        if is_secure:
            headers[b"strict-transport-security"] = _HSTS
        self.fields = tuple(headers.items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._app(scope, receive, self.guarded(send))

    def guarded(self, send: Send) -> Send:
        """Return a `send` that adds what an answer lacks."""

        async def guarding(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                message["headers"] = [*given, *(field for field in self.fields if field[0] not in names)]
            await send(message)

        return guarding
