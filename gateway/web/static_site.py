"""Serves the files of the SPA, with history fallback, and never a file outside its folder."""

from __future__ import annotations

import functools
import re
import stat
from pathlib import PurePath
from typing import TYPE_CHECKING, cast

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from gateway.browser.content_coding import Coding, rank_codings
from gateway.web.coded_bodies import CodedBodies, version_of
from gateway.web.compression import strip_lines
from gateway.web.edition import Editions, split_address
from gateway.web.file_answer import answer_body, answer_file, answer_whole, unless_known
from gateway.web.guard import SPA_POLICY, spare_documents_fields
from gateway.web.inline_policy import allow_inline

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from starlette.responses import Response
    from starlette.types import Scope

_INDEX = "index.html"
# RFC 8615: the one folder with a dot that is meant for everybody; the app has no pages in it.
_WELL_KNOWN = ".well-known"
# What build tools put before the suffix: 8 or more hex digits, or 8 characters of base64url or base32. A date
# or a word with a number is none: a file that changes must not be kept for a year.
_FINGERPRINTED = re.compile(
    r"""[.-](?:
        (?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,64}
      | (?![A-Z]?[a-z]+\d+\.)(?=\w*\d)(?=\w*[A-Z])\w{8}
    )(?:\.[a-z0-9]{1,11}){1,2}\Z""",
    re.VERBOSE | re.ASCII,
)
_VERSIONED = re.compile(rb"(?:\A|&)v=[\w.-]+(?:&|\Z)")
_FOREVER = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"
_NOT_FOUND = 404
_UNREADABLE = 401
_MEDIA_TYPES = {
    ".avif": "image/avif",
    ".br": "application/octet-stream",
    ".css": "text/css",
    ".gz": "application/gzip",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
"""Of these, not the machine's own table has the word: with nosniff, a wrong type is a broken app.
What is asked for compressed is no script or page, whatever its name says before the last dot."""


class StaticSite(StaticFiles):
    """Starlette's static files with what an SPA needs: every unknown path without a file name is the app.

    With `strips`, for the shipped app alone: scripts and styles that are compressed are sent without what
    only people read, and the app's page asks for all files at the addresses of their edition.
    """

    def __init__(self, folder: Path, *, strips: bool = False) -> None:
        super().__init__(directory=folder, check_dir=True)
        self._bodies = CodedBodies(prepare=_strip if strips else None)
        self._editions = Editions(folder, _strip) if strips else None
        self._index = folder / _INDEX
        self._policy_of = (0, 0, 0)
        self._kept_policy = SPA_POLICY

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer a file, or the app's page for a path of the app's own (history fallback)."""
        if path == ".":
            path = _INDEX
        # RFC 9110 §14.2: a part is had by GET alone, and of an unknown unit none is.
        is_get = scope["method"] == "GET"
        scope["headers"] = [
            (name, value)
            for name, value in scope["headers"]
            if name != b"range" or (is_get and value.lower().startswith(b"bytes="))
        ]
        prefix, path = split_address(path) if self._editions else ("", path)
        first, *rest = path.split("/")
        named = rest if first == _WELL_KNOWN else (first, *rest)
        if any(part.startswith(".") for part in named):
            raise HTTPException(_NOT_FOUND)
        try:
            found = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code == _UNREADABLE:
                raise HTTPException(_NOT_FOUND) from error
            is_file = "." in path.rsplit("/", 1)[-1]
            if error.status_code != _NOT_FOUND or prefix or first == _WELL_KNOWN or is_file:
                raise
            path = _INDEX
            found = await super().get_response(_INDEX, scope)
        return await self._answer(cast("FileResponse", found), path, prefix, scope)

    async def _answer(self, found: FileResponse, path: str, prefix: str, scope: Scope) -> Response:
        asked = Headers(scope=scope)
        if path == _INDEX:
            response = await self._answer_page(found, asked)
            response.headers["Content-Security-Policy"] = self._policy()
            response.headers["Cache-Control"] = _REVALIDATE
            return response
        lasting = bool(_FINGERPRINTED.search(path) or _VERSIONED.search(scope["query_string"]))
        whole: Response | None = None
        if prefix and self._editions:
            # What is of another edition than the one that was asked for, or a part, is not to be kept.
            if self._editions.latest.has(prefix, path, found.stat_result) and "range" not in asked:
                whole = await answer_whole(found, asked, self._bodies)
            lasting = whole is not None
        find_sibling = functools.partial(self._find_sibling, path)
        response = whole or await answer_file(found, asked, self._bodies, find_sibling)
        spare_documents_fields(response.headers, found.media_type)
        response.headers["Cache-Control"] = _FOREVER if lasting else _REVALIDATE
        return response

    async def _answer_page(self, found: FileResponse, asked: Headers) -> Response:
        if self._editions is None:
            return await answer_file(
                found, asked, self._bodies, functools.partial(self._find_sibling, _INDEX)
            )
        edition = await anyio.to_thread.run_sync(self._editions.look)
        ranked = rank_codings(",".join(asked.getlist("accept-encoding")))
        coding = next(iter(ranked), Coding.IDENTITY)
        fields = {"Content-Type": "text/html; charset=utf-8"}
        return unless_known(answer_body(edition.page[coding], coding, fields), asked)

    def _policy(self) -> str:
        """Return the policy of the app's page; with a 304 too, whose fields replace those that are kept."""
        version = version_of(self._index.stat())
        if version != self._policy_of:
            page = self._index.read_text("utf-8", errors="replace")
            self._kept_policy, self._policy_of = allow_inline(SPA_POLICY, page), version
        return self._kept_policy

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,  # noqa: ARG002 - Starlette's
        status_code: int = 200,
    ) -> Response:
        """Return the file itself; in what coding it is sent, and whether, is decided later."""
        media_type = _MEDIA_TYPES.get(PurePath(full_path).suffix.lower())
        return FileResponse(
            full_path, status_code=status_code, stat_result=stat_result, media_type=media_type
        )

    async def _find_sibling(self, path: str, suffix: str) -> tuple[str, os.stat_result] | None:
        """Return the file beside it that the app's build has compressed, if it is one of the folder's own."""
        try:
            full_path, found = await anyio.to_thread.run_sync(self.lookup_path, path + suffix)
        except OSError:
            return None
        return (full_path, found) if found and stat.S_ISREG(found.st_mode) else None


def _strip(path: str, source: bytes) -> bytes:
    return strip_lines(source) if path.endswith((".js", ".css")) else source
