"""The small pages that a person sees when a navigation fails: what happened, and the way on."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

from gateway.browser.language import choose_language
from gateway.browser.return_to import build_return_url
from gateway.errors import DevServerUnreachable
from gateway.observability.exchange import exchange_of
from gateway.web.page_texts import BUTTONS, FALLBACK, TEXTS

if TYPE_CHECKING:
    from starlette.types import Scope

    from gateway.browser.language import Language
    from gateway.errors import GatewayError

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="stylesheet" href="/auth/page.css">
</head>
<body>
<main>
<h1>{title}</h1>
<p>{text}</p>
{detail}<p class="ways">{ways}</p>
<p class="reference">{reference}: <code>{code}</code> · <code>{request_id}</code></p>
</main>
</body>
</html>
"""


class Pages:
    """Builds pages; links are absolute, so a person who came by another host name finds the right one."""

    policy = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    """The Content-Security-Policy of these pages."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def build_error_page(self, error: GatewayError, *, scope: Scope, return_to: str) -> str:
        """Build the page for an error; nothing of the request stands in it but a checked `return_to`."""
        language = choose_language(_accept_language(scope))
        title, text, ways = TEXTS[language].get(error.code, FALLBACK[language])
        return _PAGE.format(
            language=language,
            title=escape(title),
            text=escape(text),
            detail=f"<p><code>{escape(error.detail)}</code></p>\n"
            if isinstance(error, DevServerUnreachable)
            else "",
            ways=" ".join(self._way(way, language, return_to) for way in ways),
            reference=BUTTONS[language]["reference"],
            code=escape(error.code),
            request_id=exchange_of(scope).request_id,
        )

    def _way(self, way: str, language: Language, return_to: str) -> str:
        if way == "app":
            # A click on this page is a same-origin navigation: the Strict session cookie comes with it.
            href = build_return_url(return_to, self._public_url)
        else:
            href = f"{self._public_url}/auth/login?{urlencode({'return_to': return_to})}"
        return f'<a class="{way}" href="{escape(href)}">{escape(BUTTONS[language][way])}</a>'


def _accept_language(scope: Scope) -> str:
    headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
    return ",".join(value.decode("latin-1") for name, value in headers if name == b"accept-language")
