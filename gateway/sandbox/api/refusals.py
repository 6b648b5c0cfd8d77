"""The API's three shapes of an error body."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from gateway.sandbox.books.dates import local, wire

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that is wrong; `violation` is a constant such as NOTNULL."""

    field: str
    violation: str
    message: str


class ApiRefusal(Exception):
    """The long shape: timestamp, status, error, path, traceId, message and details."""

    def __init__(self, status: int, message: str, violations: Sequence[Violation] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.violations = violations

    def response(self, path: str, now: float) -> Response:
        """Return the answer to a request for `path`."""
        body: dict[str, Any] = {
            "timestamp": wire(local(now)),
            "status": self.status,
            "error": HTTPStatus(self.status).phrase,
            "path": path,
            "traceId": secrets.token_hex(6),
            "message": self.message,
        }
        if self.violations:
            body["details"] = [
                {"violation": one.violation, "field": one.field, "message": one.message}
                for one in self.violations
            ]
        return JSONResponse(body, status_code=self.status)


class IssueRefusal(ApiRefusal):
    """The shape of contacts, files and vouchers: a list of issues; a violation's message is not shown."""

    def response(self, path: str, now: float) -> Response:  # noqa: ARG002 - this shape tells neither
        """Return the answer, whatever the path."""
        kind = "validation_failure" if self.status == HTTPStatus.NOT_ACCEPTABLE else "technical_error"
        issues = [
            {
                "i18nKey": one.violation,
                "source": one.field,
                "type": kind,
                "additionalData": None,
                "args": None,
            }
            for one in self.violations
        ]
        return JSONResponse({"IssueList": issues}, status_code=self.status)


class EdgeRefusal(ApiRefusal):
    """The vendor's edge: one message and nothing else."""

    def response(self, path: str, now: float) -> Response:  # noqa: ARG002 - this shape tells neither
        """Return the answer, whatever the path."""
        return JSONResponse({"message": self.message}, status_code=self.status)


def quoted_token(authorization: str | None) -> EdgeRefusal:
    """Return the edge's 403, which quotes what it was sent: the bearer token stands in the body."""
    if not authorization:
        return EdgeRefusal(403, "Missing Authentication Token")
    scheme, _, token = authorization.partition(" ")
    sent = f"{scheme} {token}"
    return EdgeRefusal(
        403,
        f"'{token}' not a valid key=value pair (missing equal-sign) in Authorization header: '{sent}'.",
    )
