"""The sandbox's front page: what this is, who can sign in, and where everything stands."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from gateway.sandbox.accounts import USERS
from gateway.sandbox.faults import FAULTS
from gateway.sandbox.pages.page import Page
from gateway.sandbox.pages.texts import TEXTS

if TYPE_CHECKING:
    from gateway.sandbox.options import SandboxOptions


def home_page(language: str, options: SandboxOptions) -> Page:
    """Return the page at `/`."""
    words = TEXTS[language]
    people = [(f"<b>{escape(user.name)}</b>", escape(user.organization.name)) for user in USERS.values()]
    faults = [(f"<code>{name}</code>", _marked_up(text)) for name, text in FAULTS.items()]
    body = (
        f'<h1>{words["home_title"]}</h1><p class="lead">{words["home_lead"]}</p>'
        f"<h2>{words['home_people']}</h2>{_table(people)}"
        f"<h2>{words['home_endpoints']}</h2>{_table(_endpoints(options.base_url))}"
        f'<h2>{words["home_faults"]}</h2><p class="small quiet">{words["home_inject"]}</p>{_table(faults)}'
    )
    return Page(language=language, title=words["home_title"], body=body, note=words["note"], wide=True)


def _endpoints(base_url: str) -> list[tuple[str, str]]:
    paths = (
        ("lexware", "/oauth2/authorize, /oauth2/token, /oauth2/revoke"),
        ("openid", "/openid/.well-known/openid-configuration"),
        ("REST API", "/v1/profile, /v1/voucherlist, /v1/invoices, …"),
        ("Faults", "/sandbox/faults"),
        ("Counters", "/sandbox/counters"),
    )
    return [(name, f"<code>{escape(base_url)}{escape(path)}</code>") for name, path in paths]


def _marked_up(text: str) -> str:
    """Return the text with its backticks as code."""
    return re.sub("`(.*?)`", r"<code>\1</code>", escape(text))


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(f'<tr><th scope="row">{head}</th><td>{cell}</td></tr>' for head, cell in rows)
    return f"<table>{cells}</table>"
