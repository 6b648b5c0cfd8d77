"""The files under /auth that belong to this gateway's version: the SPA client, its types, the pages' style."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse

_ASSETS = Path(__file__).parent / "assets"
_NOT_FOUND = 404


def build_client_router(client_folder: Path) -> APIRouter:
    """Build the routes of the client's files; every other path under /auth is 404, never the SPA."""
    router = APIRouter()
    files = {
        "client.js": (client_folder / "client.js", "text/javascript; charset=utf-8"),
        "client.d.ts": (client_folder / "client.d.ts", "text/plain; charset=utf-8"),
        "page.css": (_ASSETS / "page.css", "text/css; charset=utf-8"),
    }

    @router.api_route("/auth/{name:path}", methods=["GET", "HEAD"])
    async def client_file(name: str, request: Request) -> Response:
        if name not in files:
            raise HTTPException(_NOT_FOUND)
        path, media_type = files[name]
        return _answer_file(path, media_type, request)

    _ = client_file
    return router


def _answer_file(path: Path, media_type: str, request: Request) -> Response:
    response = FileResponse(
        path, media_type=media_type, headers={"Cache-Control": "no-cache"}, stat_result=path.stat()
    )
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    return NotModifiedResponse(response.headers) if response.headers["etag"] in known else response
