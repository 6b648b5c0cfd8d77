"""Security headers on every answer that leaves the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.datastructures import MutableHeaders
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SPA_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self' blob:; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lexgate"
)
"""Holds for all that sets no policy of its own: the files of the SPA."""

WORKER_POLICY = "default-src 'self'; require-trusted-types-for 'script'; trusted-types lexgate"
"""Of a script, which heeds it where it becomes a worker (HTML, "run a worker"): what SPA_POLICY comes to
there, for a worker has no styles, pictures, frames, forms or base."""

_SCRIPT = "text/javascript"
_PARTS = frozenset(
    {
        _SCRIPT,
        "application/manifest+json",
        "application/wasm",
        "image/avif",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/x-icon",
        "text/css",
    }
)
"""What never is a document that runs anything. An SVG may be one, and so may all that is not named here."""
_OF_DOCUMENTS = ("Content-Security-Policy", "Cross-Origin-Opener-Policy", "X-Frame-Options")

_TRUSTED_TYPES = "require-trusted-types-for 'script'; trusted-types lexgate"
_FOR_DEVELOPMENT = {
    "script-src 'self'": "script-src 'self' 'unsafe-inline'",  # the preamble of React's fast refresh
    "style-src 'self'": "style-src 'self' 'unsafe-inline'",  # styles that are changed without a reload
    "worker-src 'self'": "worker-src 'self' blob:",  # Vite's client waits in one for a dev server to return
}

_HSTS = b"max-age=31536000"  # without includeSubDomains: the sibling hosts are not ours to decide for


def build_dev_fields(public_origin: str) -> tuple[tuple[bytes, bytes], ...]:
    """Build the policy of pages that come from a dev server: that of the static site, with what it needs.

    Vite's client makes a worker from a text, so Trusted Types are reported in the console, not enforced.
    """
    policy = SPA_POLICY.replace(f"; {_TRUSTED_TYPES}", "")
    socket = f"ws{public_origin.removeprefix('http')}"
    needed = {**_FOR_DEVELOPMENT, "connect-src 'self'": f"connect-src 'self' {socket}"}
    for strict, wider in needed.items():
        policy = policy.replace(strict, wider)
    return (
        (b"content-security-policy", policy.encode()),
        (b"content-security-policy-report-only", _TRUSTED_TYPES.encode()),
    )


def spare_documents_fields(headers: MutableHeaders, media_type: str | None) -> None:
    """Leave out of a file's answer what only documents heed, unless it may be one.

    A browser takes the policy from the answer of which a document or worker is made (CSP3 §4.2), the opener
    policy from that to a navigation (HTML, "Cross-origin opener policies"), and where there is nothing to
    click, no frame can mislead (OWASP HTTP Headers Cheat Sheet, X-Frame-Options). `nosniff` and the resource
    policy are for just these files, and the referrer policy of a style or module is that of what it loads.
    """
    essence = (media_type or "").partition(";")[0]
    if essence in _PARTS or essence.startswith("font/"):
        headers.update(dict.fromkeys(_OF_DOCUMENTS, ""))
        if essence == _SCRIPT:
            headers["Content-Security-Policy"] = WORKER_POLICY


class Guard:
    """Plain ASGI: adds what is missing, leaves what an inner application has set; an empty field is none."""

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
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                missing = (field for field in self.fields if field[0] not in names)
                message["headers"] = [*(field for field in given if field[1]), *missing]
            await send(message)

        return guarding
