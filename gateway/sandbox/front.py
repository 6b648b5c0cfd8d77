"""The sandbox's front page, where a person changes the books and watches the app change beside it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.sandbox.accounts import ORGANIZATIONS
from gateway.sandbox.books.changes import ImpossibleChange, add_invoice, add_random_invoice, pay, void
from gateway.sandbox.books.dates import local
from gateway.sandbox.pages.format import parse_amount
from gateway.sandbox.pages.forms import is_own_form, parse_form
from gateway.sandbox.pages.home import home_page
from gateway.sandbox.pages.live import STEPS
from gateway.sandbox.pages.notices import KINDS
from gateway.sandbox.pages.page import html
from gateway.sandbox.pages.sign_in import refusal_page
from gateway.sandbox.pages.texts import TEXTS, language_of
from gateway.sandbox.pages.view import Notice, View

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from starlette.requests import Request

    from gateway.sandbox.books.ledger import Books
    from gateway.sandbox.box import Sandbox

_PATIENCE = 0.5
"""Seconds that the next page waits for the deliveries of a change, to show what became of them."""

_STEPS = {str(seconds): seconds for _, seconds in STEPS}


class FrontPage:
    """The page at `/` and its forms; each form leads back to the page."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        invoice = "/books/{organization}/invoices/{voucher}"
        return [
            Route("/", self.home),
            self._form("/books/{organization}/invoices", self._add),
            self._form(f"{invoice}/payments", self._pay),
            self._form(f"{invoice}/void", self._void),
            self._form("/connections/{connection}/end", self._end),
            self._form("/clock", self._move_clock),
        ]

    async def home(self, request: Request) -> Response:
        """Return the page."""
        return html(home_page(self._view(request)))

    def _view(self, request: Request) -> View:
        sandbox, language = self._sandbox, language_of(request)
        books = self._books(request.query_params.get("organization"))
        organization = books.organization
        return View(
            language=language,
            words=TEXTS[language],
            base_url=sandbox.options.base_url,
            books=books,
            connections=tuple(
                one for one in sandbox.grants.connections() if one.user.organization == organization
            ),
            deliveries=tuple(
                one for one in sandbox.webhooks.deliveries() if one.event.organization_id == organization.id
            ),
            now=local(sandbox.now()),
            clock_offset=sandbox.clock_offset,
            notice=_parse_notice(request),
        )

    def _books(self, key: str | None) -> Books:
        """Return the books that are asked for, or else those of whoever connected last."""
        wanted = {one.key: one for one in ORGANIZATIONS}.get(key or "")
        connections = self._sandbox.grants.connections()
        last = connections[-1].user.organization if connections else ORGANIZATIONS[0]
        return self._sandbox.books[(wanted or last).id]

    def _form(self, path: str, work: Callable[[Request], Coroutine[Any, Any, tuple[str, Notice]]]) -> Route:
        """Return the endpoint of a form, whose work tells the organization and what to say."""

        async def answer(request: Request) -> Response:
            if not is_own_form(request):
                return html(refusal_page(language_of(request), "foreign_form"), status=403)
            organization, notice = await work(request)
            await self._sandbox.webhooks.settle(_PATIENCE)
            query = {
                "organization": organization,
                "section": notice.section,
                "notice": notice.kind,
                "about": notice.about,
            }
            return RedirectResponse(f"/?{urlencode(query)}#{notice.section}", status_code=303)

        return Route(path, answer, methods=["POST"])

    async def _add(self, request: Request) -> tuple[str, Notice]:
        form, now = await parse_form(request), self._sandbox.now()

        def add(books: Books) -> tuple[str, str]:
            if "random" in form:
                return "added", add_random_invoice(books, self._sandbox.random, now=now).id
            gross = parse_amount(form.get("amount", "")) or 0
            return "added", add_invoice(books, contact_id=form.get("contact", ""), gross=gross, now=now).id

        return self._change(request, add)

    async def _pay(self, request: Request) -> tuple[str, Notice]:
        form, now = await parse_form(request), self._sandbox.now()

        def book(books: Books) -> tuple[str, str]:
            amount = parse_amount(form.get("amount", "")) or 0
            voucher = pay(books, request.path_params["voucher"], amount=amount, now=now)
            return "paid" if voucher.status == "paid" else "paid_partly", voucher.id

        return self._change(request, book)

    async def _void(self, request: Request) -> tuple[str, Notice]:
        def cross_out(books: Books) -> tuple[str, str]:
            return "voided", void(books, request.path_params["voucher"], now=self._sandbox.now()).id

        return self._change(request, cross_out)

    def _change(self, request: Request, change: Callable[[Books], tuple[str, str]]) -> tuple[str, Notice]:
        books = self._books(request.path_params["organization"])
        try:
            kind, about = change(books)
        except ImpossibleChange as impossible:
            kind, about = f"no_{impossible.reason}", ""
        return books.organization.key, Notice(section="invoices", kind=kind, about=about)

    async def _end(self, request: Request) -> tuple[str, Notice]:
        wanted = request.path_params["connection"]
        ended = [one for one in self._sandbox.grants.connections() if one.id == wanted]
        for connection in ended:
            self._sandbox.grants.end(connection.id)
        organization = ended[0].user.organization if ended else self._books(None).organization
        kind = "ended" if ended else "no_connection"
        return organization.key, Notice(section="connections", kind=kind, about="")

    async def _move_clock(self, request: Request) -> tuple[str, Notice]:
        form = await parse_form(request)
        seconds = _STEPS.get(form.get("ahead", ""), 0)
        offset = self._sandbox.clock_offset + seconds if seconds else 0
        with suppress(ValueError):  # as far ahead as it can be
            self._sandbox.move_clock(offset)
        organization = self._books(form.get("organization")).organization
        return organization.key, Notice(section="clock", kind="clock", about="")


def _parse_notice(request: Request) -> Notice | None:
    query = request.query_params
    kind = query.get("notice", "")
    if kind not in KINDS:
        return None
    return Notice(section=query.get("section", ""), kind=kind, about=query.get("about", ""))
