"""Serves the files of the SPA, with history fallback, and never a file outside its folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.responses import Response
    from starlette.types import Scope

_INDEX = "index.html"
_FINGERPRINTED = re.compile(r"[.-](?=[A-Za-z0-9_-]*\d)[A-Za-z0-9_-]{8,}\.[a-z0-9]{1,5}(\.map)?\Z")
_VERSIONED = re.compile(rb"(?:\A|&)v=[\w.-]+(?:&|\Z)")
_FOREVER = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"
_NOT_FOUND = 404


class StaticSite(StaticFiles):
    """Starlette's static files with what an SPA needs: every unknown path without a file name is the app."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, check_dir=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer a file, or the app's page for a path of the app's own (history fallback)."""
        hidden = any(part.startswith(".") and part != "." for part in path.split("/"))
        if hidden:
            raise HTTPException(_NOT_FOUND)
        try:
            response = await super().get_response(_INDEX if path == "." else path, scope)
        except HTTPException as error:
            if error.status_code != _NOT_FOUND or "." in path.rsplit("/", 1)[-1]:
                raise
            path = _INDEX
            response = await super().get_response(_INDEX, scope)
        lasting = _FINGERPRINTED.search(path) or _VERSIONED.search(scope["query_string"])
        response.headers["Cache-Control"] = _FOREVER if lasting and path != _INDEX else _REVALIDATE
        return response
