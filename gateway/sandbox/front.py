"""The sandbox's front page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from gateway.sandbox.pages.home import home_page
from gateway.sandbox.pages.page import html
from gateway.sandbox.pages.texts import language_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from gateway.sandbox.box import Sandbox


class FrontPage:
    """The page at `/`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        return [Route("/", self.home)]

    async def home(self, request: Request) -> Response:
        """Return the page."""
        return html(home_page(language_of(request), self._sandbox.options))
