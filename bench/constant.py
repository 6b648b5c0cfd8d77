"""uvicorn answering a document from memory: what is left of the core when nothing is proxied."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import uvicorn

from bench.upstream import DOCUMENTS, build_document

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_ANSWERS = {f"/api/v1/{name}": build_document(size) for name, size in DOCUMENTS.items()}


async def app(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with the document that the path names."""
    body = _ANSWERS[scope["path"]]
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_level="warning",
        access_log=False,
    )
