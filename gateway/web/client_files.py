"""The files under /auth that are of this gateway's version: the SPA client, its types, the pages' style."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import Response  # noqa: TC002 - FastAPI reads the annotation

from gateway.browser.content_coding import Coding, rank_codings
from gateway.web.client_bundle import MODULES, build_client_bundle
from gateway.web.coded_bodies import CodedBodies
from gateway.web.compression import strip_lines
from gateway.web.file_answer import answer_body, unless_known
from gateway.web.guard import spare_documents_fields
from gateway.web.minified_script import minify_script

_CLIENT = "client.js"
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
    bodies = CodedBodies(prepare=_prepare)
    files = {
        _CLIENT: (client_folder / _CLIENT, _SCRIPT),
        "client.d.ts": (client_folder / "client.d.ts", "text/plain; charset=utf-8"),
        "page.css": (_ASSETS / "page.css", "text/css; charset=utf-8"),
        "signed-in.js": (_ASSETS / "signed-in.js", _SCRIPT),
    }

    @router.api_route(_REST, methods=list(_METHODS))
    @router.api_route("/auth", methods=list(_METHODS))
    async def client_file(request: Request, name: str = "") -> Response:
        path, media_type = files.get(name, (_ASSETS, ""))
        if path.is_file() and request.method in _READING:
            return await _answer_file(path, media_type, request, bodies)
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


def _prepare(path: str, source: bytes) -> bytes:
    """Make one small script of the client's, and take out of others what only people read; types stay."""
    if path.endswith(f"/{_CLIENT}"):
        return minify_script(
            build_client_bundle({name: _read_beside(path, name) for name in MODULES}).encode()
        )
    return strip_lines(source) if path.endswith(".js") else source


def _read_beside(path: str, name: str) -> str:
    return Path(path).with_name(f"{name}.js").read_text("utf-8")


async def _answer_file(path: Path, media_type: str, request: Request, bodies: CodedBodies) -> Response:
    stat = path.stat()  # noqa: ASYNC240 - a few microseconds, and no disk
    asked = ",".join(request.headers.getlist("accept-encoding"))
    for coding in (*rank_codings(asked), Coding.IDENTITY):
        body = await bodies.make(str(path), stat, coding)
        if body is not None:
            headers = {"Content-Type": media_type, "Cache-Control": "no-cache"}
            answer = unless_known(answer_body(body, coding, headers), request.headers)
            spare_documents_fields(answer.headers, media_type)
            return answer
    raise HTTPException(_NOT_FOUND)
