"""Files: upload and download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.sandbox.api.call import Call, Operation, missing
from gateway.sandbox.api.invoices import pdf_response
from gateway.sandbox.api.refusals import ApiRefusal, IssueRefusal, Violation
from gateway.sandbox.books.ledger import StoredFile

if TYPE_CHECKING:
    from starlette.types import Message, Receive

LIMIT = 5 * 1024 * 1024
"""Bytes of one file; the form around it may take a little more."""
_FRAME = 64 * 1024
_TYPES = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "xml": "application/xml",
}


async def _upload(call: Call) -> Response:
    file_id = call.books.add_file(await parse_upload(call.request))
    return JSONResponse({"id": file_id}, status_code=202)


async def parse_upload(request: Request) -> StoredFile:
    """Read the one file of a form; raises ApiRefusal or IssueRefusal for anything else."""
    name, content = await _read_form(request)
    media_type = _TYPES.get(name.rpartition(".")[2].lower())
    if media_type is None:
        raise _refused("file", "invalid_file_type")
    if not 0 < len(content) <= LIMIT:
        raise _refused("file", "invalid_file_size")
    return StoredFile(name, media_type, content)


async def _read_form(request: Request) -> tuple[str, bytes]:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise ApiRefusal(415, "Content type must be multipart/form-data")
    bounded = Request(request.scope, _bounded(request.receive))
    try:
        async with bounded.form(max_files=1, max_fields=4) as form:
            file = form.get("file")
            if form.get("type") != "voucher":
                raise _refused("type", "invalid_value")
            if not isinstance(file, UploadFile):
                raise _refused("file", "missing_entity")
            return file.filename or "", await file.read()
    except HTTPException as broken:
        raise ApiRefusal(400, "The multipart body is malformed") from broken


def _bounded(receive: Receive) -> Receive:
    """Stop reading a body that is far too long."""
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LIMIT + _FRAME:
            raise _refused("file", "invalid_file_size")
        return message

    return bounded


def _refused(source: str, key: str) -> IssueRefusal:
    return IssueRefusal(406, "validation failed", (Violation(source, key, ""),))


async def _download(call: Call) -> Response:
    file, voucher = call.books.files.get(call.id), call.books.voucher_of_file(call.id)
    if voucher is not None:
        return pdf_response(call, voucher)
    if file is None:
        raise missing(issues=True)
    name = "".join(
        letter for letter in file.name if letter.isascii() and (letter.isalnum() or letter in "._-")
    )
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(file.content, media_type=file.media_type, headers=headers)


OPERATIONS = (
    Operation("POST", "/v1/files", "files.write", _upload),
    Operation("GET", "/v1/files/{id}", "files.read", _download),
)
