"""The pages of the end-session endpoint."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gateway.sandbox.pages.page import Page
from gateway.sandbox.pages.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEPT = ("client_id", "id_token_hint", "post_logout_redirect_uri", "state", "ui_locales")


def confirm_page(language: str, parameters: Mapping[str, str]) -> Page:
    """Asks, for anybody could have sent the person here."""
    texts = TEXTS[language]
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(parameters[name])}">'
        for name in _KEPT
        if name in parameters
    )
    body = (
        f'<h1>{texts["sign_out"]}</h1><p class="lead">{texts["sign_out_text"]}</p>'
        f'<form class="answers" method="post" action="/openid/logout">{hidden}'
        '<button class="primary" name="confirmed" value="yes" data-testid="sign-out">'
        f"{texts['sign_out_button']}</button></form>"
    )
    return Page(language=language, title=texts["sign_out"], body=body, note=texts["note"])


def signed_out_page(language: str) -> Page:
    """Return the end, where there is no address to go back to."""
    texts = TEXTS[language]
    body = f'<h1>{texts["signed_out"]}</h1><p class="lead">{texts["signed_out_text"]}</p>'
    return Page(language=language, title=texts["signed_out"], body=body, note=texts["note"])
