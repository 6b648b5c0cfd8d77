"""The login page, the consent page, and the page for a sign-in that cannot go on."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.sandbox.accounts import USERS, User
from gateway.sandbox.pages.page import Page
from gateway.sandbox.pages.texts import TEXTS
from gateway.sandbox.scopes import OPENID, Scope

if TYPE_CHECKING:
    from gateway.sandbox.authorization_server.logins import Attempt, Login

_CHEVRON = (
    '<svg class="chevron" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">'
    '<path d="m9 5 7 7-7 7" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>'
    "</svg>"
)


def login_page(language: str, attempt: Attempt) -> Page:
    """One button for each person; the one that `login_hint` names comes first."""
    texts, request = TEXTS[language], attempt.request
    users = sorted(USERS.values(), key=lambda user: user.email != request.login_hint)
    buttons = "".join(f"<li>{_person_button(user)}</li>" for user in users)
    client = escape(request.address.client.id)
    body = (
        f'<h1>{texts["sign_in"]}</h1><p class="lead">'
        f"{texts['continue_to'].format(client=f'<b>{client}</b>')}</p>"
        f'<form method="post" action="/sign-in/{escape(attempt.id)}/person">'
        f'<ul class="people" aria-label="{texts["choose"]}">{buttons}</ul></form>'
    )
    return Page(language=language, title=texts["sign_in"], body=body, note=texts["note"])


def _person_button(user: User) -> str:
    return (
        f'<button class="person" name="user" value="{user.key}" id="user-{user.key}" '
        f'data-testid="user-{user.key}">{_portrait(user)}<span class="who"><b>{escape(user.name)}</b>'
        f'<span>{escape(user.organization.name)}</span><span class="quiet">{escape(user.email)}</span></span>'
        f"{_CHEVRON}</button>"
    )


def _portrait(user: User) -> str:
    return f'<span class="portrait {user.key}" aria-hidden="true">{user.initials}</span>'


def consent_page(language: str, attempt: Attempt, login: Login) -> Page:
    """Who asks for what, and the two answers."""
    texts, request, user = TEXTS[language], attempt.request, login.user
    client, organization = escape(request.address.client.id), escape(user.organization.name)
    asks = texts["asks"].format(client=f"<b>{client}</b>", organization=f"<b>{organization}</b>")
    scopes = "".join(_scope_item(language, OPENID[name]) for name in request.scope)
    target = urlsplit(request.address.redirect_uri)
    origin = f"<b>{escape(target.scheme)}://{escape(target.netloc)}</b>"
    body = (
        f"<h1>{texts['consent']}</h1>{_account(language, attempt, user)}"
        f'<p class="lead">{asks}</p>{_connection(language, request.connection_name)}'
        f'<h2 id="wants">{texts["wants"]}</h2><ul class="scopes" aria-labelledby="wants">{scopes}</ul>'
        f'<form class="answers" method="post" action="/sign-in/{escape(attempt.id)}/consent">'
        f"{_answer('allow', texts['allow'], 'primary')}{_answer('deny', texts['deny'], 'plain')}</form>"
        f'<p class="quiet small">{texts["goes_to"].format(origin=origin)}</p>'
    )
    return Page(language=language, title=texts["consent"], body=body, note=texts["note"])


def _answer(decision: str, text: str, kind: str) -> str:
    return (
        f'<button class="{kind}" name="decision" value="{decision}" data-testid="{decision}">{text}</button>'
    )


def _account(language: str, attempt: Attempt, user: User) -> str:
    return (
        f'<div class="account">{_portrait(user)}<span class="who"><b>{escape(user.name)}</b>'
        f'<span class="quiet">{escape(user.email)}</span></span>'
        f'<a href="/sign-in/{escape(attempt.id)}?choose=1" data-testid="choose">'
        f"{TEXTS[language]['other']}</a></div>"
    )


def _connection(language: str, name: str) -> str:
    if not name:
        return ""
    return (
        f'<p class="connection"><span class="quiet">{TEXTS[language]["connection"]}</span> {escape(name)}</p>'
    )


def _scope_item(language: str, scope: Scope) -> str:
    words = scope.de if language == "de" else scope.en
    return f"<li><span>{escape(words)}</span><code>{escape(scope.name)}</code></li>"


def refusal_page(language: str, reason: str) -> Page:
    """Says what is wrong with the request; `reason` is one of client, redirect_uri, repeated, stale."""
    texts = TEXTS[language]
    body = (
        f'<h1>{texts["refused"]}</h1><p class="lead" role="alert">{texts[f"refused_{reason}"]}</p>'
        f'<p class="quiet">{texts["refused_way_on"]}</p>'
    )
    return Page(language=language, title=texts["refused"], body=body, note=texts["note"])
