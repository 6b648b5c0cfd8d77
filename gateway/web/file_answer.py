"""Answers a file in the coding that the browser likes best, or that it has it already."""

from __future__ import annotations

from email.utils import parsedate
from typing import TYPE_CHECKING

from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse

from gateway.browser.content_coding import Coding, is_compressible, rank_codings

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable

    from starlette.datastructures import Headers

    from gateway.web.coded_bodies import Body, CodedBodies

    Sibling = tuple[str, os.stat_result]
    FindSibling = Callable[[str], Awaitable[Sibling | None]]

SUFFIXES = {Coding.BR: ".br", Coding.GZIP: ".gz"}
"""What a build puts behind the name of a file that it has compressed."""
_FEWEST_BYTES = 300
"""Below, the fields of the answer outweigh what a coding saves."""


async def answer_file(
    found: FileResponse, asked: Headers, bodies: CodedBodies, find_sibling: FindSibling
) -> Response:
    """Answer the file that was found: in a coding where that is worth it, and 304 where it is known.

    Nothing secret is in these files, and nothing of the request: their length tells nobody anything (BREACH).
    """
    if not is_compressible(found.media_type):
        return unless_known(found, asked)
    found.headers.add_vary_header("Accept-Encoding")
    for coding in _choose(found, asked):
        if coding is Coding.IDENTITY:
            break
        coded = await _code(found, coding, bodies, find_sibling)
        if coded is not None:
            return unless_known(coded, asked)
    return unless_known(found, asked)


async def answer_whole(found: FileResponse, asked: Headers, bodies: CodedBodies) -> Response | None:
    """Answer the bytes of just the file that was found; None where it is another by now, or too large.

    A FileResponse reads after its fields are sent, and its tag is of the file's time and size.
    """
    stat = found.stat_result
    if stat is None:
        return None
    ranked = _choose(found, asked) if is_compressible(found.media_type) else ()
    for coding in (*ranked, Coding.IDENTITY):
        body = await bodies.make(str(found.path), stat, coding)
        if body is not None:
            return unless_known(_answer_for(found, body, coding), asked)
    return None


def answer_body(body: Body, coding: Coding, headers: dict[str, str]) -> Response:
    """Answer bytes that are kept, in the coding that they have."""
    if coding is not Coding.IDENTITY:
        headers["Content-Encoding"] = coding
    return Response(body.data, headers={**headers, "ETag": body.etag, "Vary": "Accept-Encoding"})


def unless_known(response: Response, asked: Headers) -> Response:
    """Return the answer, or 304 if the browser has this very representation (RFC 9110 §13.1.2)."""
    return NotModifiedResponse(response.headers) if _is_known(response, asked) else response


def _answer_for(found: FileResponse, body: Body, coding: Coding) -> Response:
    kept = {name: found.headers[name] for name in ("content-type", "last-modified")}
    return answer_body(body, coding, kept)


def _choose(found: FileResponse, asked: Headers) -> tuple[Coding, ...]:
    ranked = rank_codings(",".join(asked.getlist("accept-encoding")))
    # A part is asked for to be put beside others: those of the file itself (RFC 9110 §14.2).
    is_small = found.stat_result is not None and found.stat_result.st_size < _FEWEST_BYTES
    return () if Coding.IDENTITY in ranked and (is_small or "range" in asked) else ranked


async def _code(
    found: FileResponse, coding: Coding, bodies: CodedBodies, find_sibling: FindSibling
) -> Response | None:
    path, stat = str(found.path), found.stat_result
    if stat is None:
        return None
    body = bodies.look(path, stat, coding)
    if body is None:
        sibling = await find_sibling(SUFFIXES[coding])
        if sibling is not None and sibling[1].st_size > 0 and sibling[1].st_mtime_ns >= stat.st_mtime_ns:
            headers = {"Content-Encoding": coding, "Vary": "Accept-Encoding"}
            return FileResponse(
                sibling[0], headers=headers, media_type=found.media_type, stat_result=sibling[1]
            )
        body = await bodies.make(path, stat, coding)
    if body is None:
        return None
    return _answer_for(found, body, coding)


def _is_known(response: Response, asked: Headers) -> bool:
    known = asked.get("if-none-match")
    if known is not None:
        tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        return "*" in tags or response.headers["etag"] in tags
    since, modified = asked.get("if-modified-since"), response.headers.get("last-modified")
    if since is None or modified is None:
        return False
    parsed = parsedate(since)
    return parsed is not None and parsed >= (parsedate(modified) or ())
