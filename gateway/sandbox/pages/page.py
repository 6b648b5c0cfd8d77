"""The frame around every page, and the headers that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

_MARK = (
    '<svg class="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">'
    '<rect width="32" height="32" rx="9" fill="currentColor"/>'
    '<path d="M10 8v13a3 3 0 0 0 3 3h9" fill="none" stroke="#fff" stroke-width="3.2" stroke-linecap="round"/>'
    '<circle cx="20.5" cy="12.5" r="3.5" fill="#fff"/></svg>'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`body` is HTML, everything in it escaped already; `title` is plain text."""

    language: str
    title: str
    body: str
    note: str
    wide: bool = False


def html(page: Page, *, status: int = 200, form_action: str | None = None) -> Response:
    """Return the answer; its forms may lead to the sandbox and on to the origin of `form_action`."""
    target = urlsplit(form_action or "")
    onward = f" {target.scheme}://{target.netloc}" if target.netloc else ""
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action 'self'{onward}"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Content-Language": page.language,
        "Vary": "Accept-Language, Cookie",
    }
    return HTMLResponse(_frame(page), status_code=status, headers=headers)


def _frame(page: Page) -> str:
    width = ' class="wide"' if page.wide else ""
    return (
        f'<!doctype html><html lang="{page.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
        f"<title>{escape(page.title)} · lexoffice sandbox</title>"
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/sandbox/style.css"></head><body>'
        f'<header class="brand">{_MARK}<span>lexoffice <b>sandbox</b></span></header>'
        f'<main{width}>{page.body}</main><footer class="note">{escape(page.note)}</footer></body></html>'
    )


@cache
def _stylesheet() -> bytes:
    return b"\n".join(Path(__file__).with_name(name).read_bytes() for name in ("style.css", "front.css"))


async def _style(_request: Request) -> Response:
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return Response(_stylesheet(), media_type="text/css", headers=headers)


STYLE = Route("/sandbox/style.css", _style)
