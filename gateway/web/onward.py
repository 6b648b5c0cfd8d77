"""Sends the browser on to where a sign-in or sign-out returns to, whatever page of others led it here."""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse, RedirectResponse, Response

_PAGE = """<!doctype html>
<html lang="zxx">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={url}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{host}</title>
</head>
<body>
<p><a href="{url}">{host}</a></p>
</body>
</html>
"""
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def send_on(return_to: str, *, status: int) -> Response:
    """Redirect to a path of the app's own origin; lead to a sibling's by a page.

    Browsers hold all redirects after a form to the Content-Security-Policy of the form's page (form-action):
    that of an authorization server may know the redirect URI, and nothing of a sibling.
    """
    if return_to.startswith("/"):
        return RedirectResponse(return_to, status)
    page = _PAGE.format(url=escape(return_to), host=escape(urlsplit(return_to).netloc))
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})
