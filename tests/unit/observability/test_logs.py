"""What reaches standard output, line by line."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING

import pytest

from gateway.observability.logs import JsonFormatter, RequestLog, configure_logging

if TYPE_CHECKING:
    from tests.unit.observability.conftest import Lines

logger = logging.getLogger("gateway.web.login")


def test_a_line_has_time_level_logger_message_and_fields(lines: Lines) -> None:
    logger.info("signed in", extra={"fields": {"attempts": 2}})
    line = lines.only()
    # RFC 3339 §5.6, in UTC, with milliseconds
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(line.pop("time")))
    assert line == {"level": "info", "logger": "gateway.web.login", "message": "signed in", "attempts": 2}


def test_the_time_is_the_records_own(lines: Lines) -> None:
    for created in (1795484096.0071, 1795484096.5, 1795484097.9999):
        record = logging.makeLogRecord({"name": "gateway", "created": created, "levelno": logging.INFO})
        logging.getLogger("gateway").handle(record)
    assert [line["time"] for line in lines.all()] == [
        "2026-11-24T01:34:56.007Z",
        "2026-11-24T01:34:56.500Z",
        "2026-11-24T01:34:57.999Z",
    ]


@pytest.mark.parametrize(
    "hostile",
    [
        'x"}\n{"level":"info","message":"forged"}',
        "a\r\nb",
        "\x1b[2J\x1b]0;owned\x07",
        "\u2028\u2029\x85\x0b\x0c\x1c",
        "\x7f\x9b31m\x00",
        "\ud800",
        "\u202egpj.exe",
    ],
)
def test_no_value_can_begin_a_line_or_speak_to_the_terminal(lines: Lines, hostile: str) -> None:
    logger.warning("said %s", hostile, extra={"fields": {"value": hostile, "nested": [{"deep": hostile}]}})
    text = lines.stream.getvalue()
    assert re.fullmatch(r"[ -~]+\n", text)
    line = lines.only()
    assert (line["message"], line["value"]) == (f"said {hostile}", hostile)


def test_a_field_cannot_replace_the_lines_own_members(lines: Lines) -> None:
    logger.info("true", extra={"fields": {"level": "debug", "message": "false"}})
    line = lines.only()
    assert (line["level"], line["message"]) == ("info", "true")
    assert (line["level_"], line["message_"]) == ("debug", "false")


def test_a_record_with_wrong_arguments_is_still_a_line() -> None:
    record = logging.makeLogRecord({"name": "gateway", "msg": "%d of %d", "args": ("one",)})
    assert json.loads(JsonFormatter().format(record))["message"] == "%d of %d"


async def test_asyncios_report_does_not_quote_the_exception(lines: Lines) -> None:
    token = "at-canary-4712"
    loop = asyncio.get_running_loop()
    loop.call_exception_handler(
        {"message": "Task exception was never retrieved", "future": token, "exception": ValueError(token)}
    )
    line = lines.only()
    assert line["message"] == "Task exception was never retrieved"
    assert line["error"] == {"type": "ValueError", "frames": []}
    assert token not in lines.stream.getvalue()


def test_libraries_are_heard_from_warning_on(lines: Lines) -> None:
    for name in ("httpx", "httpcore.http11", "uvicorn.error", "some.library"):
        logging.getLogger(name).info("GET https://example.com/?code=secret")
        logging.getLogger(name).warning("heard")
    assert [line["message"] for line in lines.all()] == ["heard"] * 4


def test_debug_makes_only_the_gateway_talk(lines: Lines) -> None:
    configure_logging("DEBUG", lines.stream)
    logging.getLogger("httpcore.http11").debug("send_request_headers.started authorization=Bearer x")
    logger.debug("detail")
    assert lines.only()["message"] == "detail"


def test_error_silences_the_libraries_warnings_too(lines: Lines) -> None:
    configure_logging("error", lines.stream)
    logging.getLogger("httpx").warning("unheard")
    logger.warning("unheard")
    logger.error("heard")
    assert lines.only()["message"] == "heard"


@pytest.mark.parametrize("level", ["", "loud", "notset", "critical", "10"])
def test_an_unknown_level_is_refused(level: str) -> None:
    with pytest.raises(ValueError, match="no log level"):
        configure_logging(level)


def test_uvicorns_access_log_is_off(lines: Lines) -> None:
    logging.getLogger("uvicorn.access").error(
        '%s - "%s %s"', "192.0.2.7", "GET", "/auth/callback?code=secret"
    )
    assert lines.all() == []


def test_uvicorns_own_handlers_are_replaced(lines: Lines) -> None:
    stray = logging.StreamHandler(sys.stderr)
    logging.getLogger("uvicorn").addHandler(stray)
    configure_logging("info", lines.stream)
    assert logging.getLogger("uvicorn").handlers == []


def test_a_warning_of_the_interpreter_is_a_line(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure_logging("info", lines.stream)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert lines.only()["logger"] == "py.warnings"


def test_a_request_is_one_line(lines: Lines) -> None:
    RequestLog().write(
        "/api/{path}",
        "GET",
        200,
        seconds=0.0123456,
        sent=1024,
        request_id="b7ad6b7169203331",
        trace_id="0af7",
    )
    line = lines.only()
    assert line.pop("time")
    assert line == {
        "level": "info",
        "logger": "gateway.request",
        "message": "request",
        "route": "/api/{path}",
        "method": "GET",
        "status": 200,
        "duration_ms": 12.346,
        "bytes": 1024,
        "request_id": "b7ad6b7169203331",
        "trace_id": "0af7",
    }


def test_a_failed_request_is_heard_at_warning(lines: Lines) -> None:
    configure_logging("warning", lines.stream)
    log = RequestLog()
    # RFC 9110 §15: from 500 on it is the server that failed
    for status in (200, 404, 500, 503):
        log.write("/", "GET", status, seconds=0, sent=0, request_id="a", trace_id="b")
    assert [line["status"] for line in lines.all()] == [500, 503]


def test_the_default_stream_is_standard_output() -> None:
    script = (
        "import logging; from gateway.observability.logs import configure_logging;"
        "configure_logging('info'); logging.getLogger('gateway').info('hello')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert '"message":"hello"' in done.stdout
