"""The files under /auth that are of this gateway's version: the SPA client, its types, the pages' style."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse

CLIENT_MODULES = ("calls", "client", "keeper", "resume", "stream", "tabs", "waiting")
_SCRIPT = "text/javascript; charset=utf-8"
_ASSETS = Path(__file__).parent / "assets"
_REST = "/auth/{name:path}"
_READING = ("GET", "HEAD")
_METHODS = (*_READING, "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_NOT_FOUND = 404
_NOT_ALLOWED = 405


def build_client_router(client_folder: Path) -> APIRouter:
    """Build the routes of the client's files, and of all that no other router below /auth answers.

    Include it last: its answer is 405 for a path of another router, 404 for an unknown one, never the SPA.
    """
    router = APIRouter()
    files = {
        **{f"{name}.js": (client_folder / f"{name}.js", _SCRIPT) for name in CLIENT_MODULES},
        "client.d.ts": (client_folder / "client.d.ts", "text/plain; charset=utf-8"),
        "page.css": (_ASSETS / "page.css", "text/css; charset=utf-8"),
        "signed-in.js": (_ASSETS / "signed-in.js", _SCRIPT),
    }

    @router.api_route(_REST, methods=list(_METHODS))
    @router.api_route("/auth", methods=list(_METHODS))
    async def client_file(request: Request, name: str = "") -> Response:
        path, media_type = files.get(name, (_ASSETS, ""))
        if path.is_file() and request.method in _READING:
            return _answer_file(path, media_type, request)
        others = [
            context
            for context in iter_route_contexts(request.app.routes)
            if context.endpoint is not client_file and context.path == request.scope["path"]
        ]
        # RFC 9110 §15.5.6: 405 says what the path does allow.
        allowed = _READING if path.is_file() else sorted({m for other in others for m in other.methods or ()})
        if allowed:
            raise HTTPException(_NOT_ALLOWED, headers={"Allow": ", ".join(allowed)})
        raise HTTPException(_NOT_FOUND)

    _ = client_file
    return router


def _answer_file(path: Path, media_type: str, request: Request) -> Response:
    response = FileResponse(
        path, media_type=media_type, headers={"Cache-Control": "no-cache"}, stat_result=path.stat()
    )
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    return NotModifiedResponse(response.headers) if response.headers["etag"] in known else response
