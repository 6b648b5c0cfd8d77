"""What the log tells of an exception."""

from __future__ import annotations

import logging
import re
import ssl
from typing import TYPE_CHECKING

import pytest

from gateway.errors import GrantRefused, StoreUnavailable
from gateway.observability.logged_error import describe_error

if TYPE_CHECKING:
    from tests.unit.observability.conftest import Lines

logger = logging.getLogger("gateway.web.login")


def _refresh() -> None:
    raise GrantRefused("invalid_grant", log_detail="the connection is gone")


def _load(token: str) -> None:
    try:
        int(token)
    except ValueError as cause:
        raise StoreUnavailable from cause


def test_an_own_error_is_told_with_its_code_its_log_detail_and_its_frames(lines: Lines) -> None:
    try:
        _refresh()
    except GrantRefused:
        logger.exception("refresh failed")
    error = lines.only()["error"]
    assert isinstance(error, dict)
    frames = error.pop("frames")
    assert error == {"type": "GrantRefused", "code": "invalid_grant", "detail": "the connection is gone"}
    assert re.fullmatch(rf"{__name__}:\d+ _refresh", frames[-1])
    assert len(frames) == 2


def test_a_foreign_error_is_told_without_its_words(lines: Lines) -> None:
    token = "at-canary-4711"
    try:
        _load(token)
    except StoreUnavailable:
        logger.exception("store failed", extra={"fields": {"operation": "load"}})
    assert token not in lines.stream.getvalue()
    error = lines.only()["error"]
    assert isinstance(error, dict)
    assert (error["type"], error["code"]) == ("StoreUnavailable", "store_unavailable")
    assert [cause["type"] for cause in error["causes"]] == ["ValueError"]
    assert "detail" not in error["causes"][0]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectionRefusedError(111, "refused"), "ECONNREFUSED"),
        (ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] x"), None),
        (OSError("no number"), None),
        (KeyError("secret"), None),
    ],
)
def test_a_system_error_is_told_by_its_name(error: Exception, code: str | None) -> None:
    assert describe_error(error).get("code") == code


def test_a_tls_error_is_told_by_its_reason() -> None:
    error = ssl.SSLError(1, "quotes the peer")
    error.reason = "WRONG_VERSION_NUMBER"
    assert describe_error(error)["code"] == "WRONG_VERSION_NUMBER"


def test_a_chain_of_causes_is_told_four_deep() -> None:
    error: Exception = ValueError()
    for _ in range(9):
        outer = RuntimeError()
        outer.__cause__ = error
        error = outer
    causes = describe_error(error)["causes"]
    assert isinstance(causes, list)
    assert len(causes) == 3


def test_a_group_is_told_by_its_first_member() -> None:
    causes = describe_error(ExceptionGroup("many", [TimeoutError(), ValueError()]))["causes"]
    assert causes == [{"type": "TimeoutError", "frames": []}]


def test_a_suppressed_context_stays_untold() -> None:
    error = RuntimeError()
    error.__context__ = ValueError()
    assert "causes" in describe_error(error)
    error.__suppress_context__ = True
    assert "causes" not in describe_error(error)
