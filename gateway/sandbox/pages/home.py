"""The sandbox's front page: books to change, and below them what this is and where everything stands."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from gateway.sandbox.accounts import ORGANIZATIONS, USERS
from gateway.sandbox.faults import FAULTS
from gateway.sandbox.pages.invoices import invoices_section
from gateway.sandbox.pages.live import clock_section, connections_section, webhooks_section
from gateway.sandbox.pages.page import Page

if TYPE_CHECKING:
    from gateway.sandbox.pages.view import View


def home_page(view: View) -> Page:
    """Return the page at `/`."""
    words = view.words
    body = (
        f'<h1>{words["home_title"]}</h1><p class="lead">{words["home_lead"]}</p>{_organizations(view)}'
        f"{invoices_section(view)}{connections_section(view)}{webhooks_section(view)}{clock_section(view)}"
        f"{_about(view)}"
    )
    return Page(language=view.language, title=words["home_title"], body=body, note=words["note"], wide=True)


def _organizations(view: View) -> str:
    links = "".join(
        f'<a href="/?organization={one.key}" data-testid="organization-{one.key}"'
        f"{' aria-current=page' if one == view.books.organization else ''}>{escape(one.name)}</a>"
        for one in ORGANIZATIONS
    )
    return f'<nav class="tabs" aria-label="{view.words["organizations"]}">{links}</nav>'


def _about(view: View) -> str:
    words = view.words
    people = [(f"<b>{escape(user.name)}</b>", escape(user.organization.name)) for user in USERS.values()]
    faults = [(f"<code>{name}</code>", _marked_up(text)) for name, text in FAULTS.items()]
    return (
        f'<section class="about"><h2>{words["about"]}</h2><p class="small">{words["home_about"]}</p>'
        f"<details><summary>{words['home_people']}</summary>{_table(people)}</details>"
        f"<details><summary>{words['home_endpoints']}</summary>{_table(_endpoints(view.base_url))}</details>"
        f'<details><summary>{words["home_faults"]}</summary><p class="small quiet">{words["home_inject"]}</p>'
        f"{_table(faults)}</details></section>"
    )


def _endpoints(base_url: str) -> list[tuple[str, str]]:
    paths = (
        ("lexware", "/oauth2/authorize, /oauth2/token, /oauth2/revoke"),
        ("openid", "/openid/.well-known/openid-configuration"),
        ("REST API", "/v1/profile, /v1/voucherlist, /v1/invoices, …"),
        ("Webhooks", "/sandbox/webhook-key.pem, /sandbox/deliveries"),
        ("Books", "/sandbox/changes"),
        ("Faults", "/sandbox/faults"),
        ("Limits, clock", "/sandbox/limits, /sandbox/clock"),
        ("Counters", "/sandbox/counters, /sandbox/calls"),
    )
    return [(name, f"<code>{escape(base_url)}{escape(path)}</code>") for name, path in paths]


def _marked_up(text: str) -> str:
    """Return the text with its backticks as code."""
    return re.sub("`(.*?)`", r"<code>\1</code>", escape(text))


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(f'<tr><th scope="row">{head}</th><td>{cell}</td></tr>' for head, cell in rows)
    return f"<table>{cells}</table>"
