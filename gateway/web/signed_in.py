"""The page at which a sign-in in a window of its own ends; it needs no cookie, for none comes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import HTMLResponse

from gateway.browser.return_to import SIGNED_IN

if TYPE_CHECKING:
    from gateway.web.pages import Pages


def build_signed_in_router(pages: Pages, *, links_app: bool) -> APIRouter:
    """Build the route of the page."""
    router = APIRouter()

    @router.get(SIGNED_IN)
    async def signed_in(request: Request) -> HTMLResponse:
        return HTMLResponse(
            pages.build_signed_in_page(scope=request.scope, links_app=links_app),
            headers={"Content-Security-Policy": pages.signed_in_policy},
        )

    _ = signed_in
    return router
