"""The sections of the front page beside the books: connections, webhooks and the clock."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gateway.sandbox.books.dates import local
from gateway.sandbox.pages.format import format_day, format_time
from gateway.sandbox.pages.notices import notice_of

if TYPE_CHECKING:
    from gateway.sandbox.authorization_server.grants import Connection
    from gateway.sandbox.pages.view import View
    from gateway.sandbox.webhooks.delivery import Delivery

_SHOWN = 8
_HOUR = 3600
STEPS = (("hour", _HOUR), ("day", 24 * _HOUR), ("month", 30 * 24 * _HOUR))
"""By how many seconds the clock is moved, and what the button says."""


def connections_section(view: View) -> str:
    """Return who is connected, each with the button that ends it."""
    words = view.words
    rows = "".join(_connection(view, connection) for connection in view.connections)
    content = f'<ul class="rows">{rows}</ul>' if rows else f'<p class="quiet">{words["nobody"]}</p>'
    return _section(view, "connections", content)


def _connection(view: View, connection: Connection) -> str:
    words, since = view.words, local(connection.auth_time)
    told = words["since"].format(day=format_day(view.language, since), time=format_time(since))
    name = escape(connection.user.name)
    return (
        f'<li data-testid="connection"><span class="what"><b>{name}</b> {escape(connection.client.id)}'
        f'<span class="quiet small">{told}</span></span>'
        f'<span class="does"><form method="post" action="/connections/{escape(connection.id)}/end">'
        f'<button class="plain" aria-label="{words["end"]}: {name}" data-testid="end">{words["end"]}</button>'
        "</form></span></li>"
    )


def webhooks_section(view: View) -> str:
    """Return who subscribed, and what became of the last deliveries."""
    words = view.words
    by_url: dict[str, list[str]] = {}
    for subscription in view.books.subscriptions.values():
        by_url.setdefault(subscription["callbackUrl"], []).append(subscription["eventType"])
    subscribers = "".join(
        f"<details><summary><code>{escape(url)}</code> "
        f'<span class="quiet small">{words["events"].format(count=len(types))}</span></summary>'
        f'<p class="small">{", ".join(f"<code>{escape(one)}</code>" for one in sorted(types))}</p></details>'
        for url, types in by_url.items()
    )
    rows = "".join(_delivery(view, delivery) for delivery in view.deliveries[:_SHOWN])
    deliveries = f'<ul class="rows">{rows}</ul>' if rows else f'<p class="quiet">{words["no_deliveries"]}</p>'
    nobody = f'<p class="quiet">{words["no_subscriptions"]}</p>'
    return _section(view, "webhooks", f"{subscribers or nobody}<h3>{words['deliveries']}</h3>{deliveries}")


def _delivery(view: View, delivery: Delivery) -> str:
    event, words = delivery.event, view.words
    voucher = view.books.vouchers.get(event.resource_id)
    about = (voucher.number if voucher else None) or f"{event.resource_id[:8]}…"
    outcome = delivery.attempts[-1].outcome if delivery.attempts else ""
    tried = words["tried"].format(count=len(delivery.attempts)) if len(delivery.attempts) > 1 else ""
    return (
        f'<li data-testid="delivery"><span class="what"><code>{escape(event.type)}</code> {escape(about)}'
        f'<span class="quiet small">{format_time(local(event.date))}</span></span>'
        f'<span class="amount small">{words.get(outcome, escape(outcome))} {tried}</span>'
        f'<span class="status {delivery.state}">{words[f"delivery_{delivery.state}"]}</span></li>'
    )


def clock_section(view: View) -> str:
    """Return the sandbox's time, and what moves it."""
    words = view.words
    now = f"{format_day(view.language, view.now)}, {format_time(view.now)}"
    offset = view.clock_offset
    key = "ahead" if offset > 0 else "behind" if offset < 0 else "as_the_machine"
    told = words[key].format(hours=f"{abs(offset) / _HOUR:.4g}")
    steps = [*STEPS, *((("clock_back", 0),) if view.clock_offset else ())]
    buttons = "".join(
        f'<button name="ahead" value="{seconds}" data-testid="ahead-{seconds}">{words[name]}</button>'
        for name, seconds in steps
    )
    organization = f'<input type="hidden" name="organization" value="{view.books.organization.key}">'
    return _section(
        view,
        "clock",
        f'<p><b>{now}</b> <span class="quiet">{told}</span></p>'
        f'<p class="quiet small">{words["clock_why"]}</p>'
        f'<form class="buttons" method="post" action="/clock">{organization}{buttons}</form>',
    )


def _section(view: View, name: str, content: str) -> str:
    return (
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{view.words[name]}</h2>'
        f"{notice_of(view, name)}{content}</section>"
    )
