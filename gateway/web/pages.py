"""The small pages that a person sees of the gateway itself: what happened, and the way on."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

from gateway.browser.language import choose_language
from gateway.browser.return_to import DEFAULT_RETURN_TO, SIGNED_IN, build_return_url
from gateway.errors import DevServerUnreachable, StateUnknown
from gateway.observability.exchange import exchange_of
from gateway.web.page_texts import BUTTONS, CLOSE, FALLBACK, OVER_HTTP, SIGNED_IN_TEXTS, TEXTS

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
{head}</head>
<body>
<main>
<h1>{title}</h1>
<p>{text}</p>
{rest}</main>
</body>
</html>
"""
_WAYS = """{detail}<p class="ways">{ways}</p>
<p class="reference">{reference}: <code>{code}</code> · <code>{request_id}</code></p>
"""
_SCRIPT = '<script type="module" src="/auth/signed-in.js"></script>\n'
_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


class Pages:
    """Builds pages; links are absolute, so a person who came by another host name finds the right one."""

    policy = _POLICY
    """The Content-Security-Policy of the error pages."""
    signed_in_policy = (
        f"{_POLICY}; script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
    )

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def build_error_page(self, error: GatewayError, *, scope: Scope, return_to: str) -> str:
        """Build the page for an error; nothing of the request stands in it but a checked `return_to`."""
        language = _language_of(scope)
        title, text, ways = TEXTS[language].get(error.code, FALLBACK[language])
        if return_to == SIGNED_IN:  # the app stands in another, as it was
            text, ways = f"{text} {CLOSE[language]}", ("login",)
        if isinstance(error, StateUnknown) and not self._public_url.startswith("https:"):
            text = f"{text} {OVER_HTTP[language]}"
        rest = _WAYS.format(
            detail=f"<p><code>{escape(error.detail)}</code></p>\n"
            if isinstance(error, DevServerUnreachable)
            else "",
            ways=" ".join(self._way(way, language, return_to) for way in ways),
            reference=BUTTONS[language]["reference"],
            code=escape(error.code),
            request_id=exchange_of(scope).request_id,
        )
        return _build_page(language, title, text, rest=rest)

    def build_signed_in_page(self, *, scope: Scope, links_app: bool) -> str:
        """Build the page at which a sign-in in a window of its own ends."""
        language = _language_of(scope)
        title, text = SIGNED_IN_TEXTS[language]
        way = self._way("app", language, DEFAULT_RETURN_TO)
        rest = f'<p class="ways">{way}</p>\n' if links_app else ""
        return _build_page(language, title, text, head=_SCRIPT, rest=rest)

    def _way(self, way: str, language: Language, return_to: str) -> str:
        if way == "app":
            # A click on this page is a same-origin navigation: the Strict session cookie comes with it.
            href = build_return_url(return_to, self._public_url)
        else:
            href = f"{self._public_url}/auth/login?{urlencode({'return_to': return_to})}"
        return f'<a class="{way}" href="{escape(href)}">{escape(BUTTONS[language][way])}</a>'


def _build_page(language: Language, title: str, text: str, *, rest: str, head: str = "") -> str:
    return _PAGE.format(language=language, title=escape(title), text=escape(text), head=head, rest=rest)


def _language_of(scope: Scope) -> Language:
    headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
    return choose_language(
        ",".join(value.decode("latin-1") for name, value in headers if name == b"accept-language")
    )
