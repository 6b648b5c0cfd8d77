"""Logs as JSON on standard output: one line a record, which no value can forge or break."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from typing import TYPE_CHECKING, TextIO

from gateway.observability.logged_error import describe_error

if TYPE_CHECKING:
    from collections.abc import Mapping

_OWN = "gateway"
_REQUEST = "gateway.request"
_MIDDLES_KEPT = 1024
_ENCODER = json.JSONEncoder(default=str, separators=(",", ":"))
_SILENCED = ("uvicorn.access",)
_REROUTED = ("uvicorn", "uvicorn.error", "uvicorn.asgi", *_SILENCED)


class JsonFormatter(logging.Formatter):
    """Renders a record as one JSON object: `time`, `level`, `logger`, `message`, its fields, its `error`.

    Fields come as `extra={"fields": {...}}`. Everything outside ASCII and every control character is
    escaped, so no value can begin a line of its own or speak to a terminal (log injection).
    """

    def __init__(self) -> None:
        super().__init__()
        self._second = (0, "")
        self._middles: dict[tuple[object, object, object, str], str] = {}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its line feed."""
        if record.name == _REQUEST:
            return self.format_request(record.levelname, record.created, record.fields)  # type: ignore[attr-defined]
        return self.format_any(record)

    def format_request(self, level: str, created: float, fields: Mapping[str, object]) -> str:
        """Return the line of a request: what it has of its own is digits, or was put into JSON before."""
        key = (fields["route"], fields["method"], fields["status"], level)
        middle = self._middles.get(key)
        if middle is None:
            middle = self._build_middle(*key)
        return (
            f'{{"time":"{self._time(created)}",{middle},"duration_ms":{fields["duration_ms"]!r},'
            f'"bytes":{fields["bytes"]!r},"request_id":"{fields["request_id"]}",'
            f'"trace_id":"{fields["trace_id"]}"}}'
        )

    def _build_middle(self, route: object, method: object, status: object, level: str) -> str:
        entry = {"level": level.lower(), "logger": _REQUEST, "message": "request"}
        text = _encode({**entry, "route": route, "method": method, "status": status})[1:-1]
        if len(self._middles) < _MIDDLES_KEPT:
            self._middles[route, method, status, level] = text
        return text

    def format_any(self, record: logging.LogRecord) -> str:
        """Return the line of any record."""
        entry: dict[str, object] = {
            "time": self._time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        fields: Mapping[str, object] = getattr(record, "fields", {})
        for name, value in fields.items():
            entry[f"{name}_" if name in entry else name] = value
        if record.exc_info and record.exc_info[1] is not None:
            entry["error"] = describe_error(record.exc_info[1])
        return _encode(entry)

    def _time(self, created: float) -> str:
        """RFC 3339 §5.6 in UTC with milliseconds; a second's text is made once."""
        second, milliseconds = divmod(int(created * 1000), 1000)
        known, text = self._second
        if known != second:
            text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
            self._second = (second, text)
        return f"{text}{milliseconds:03d}Z"


def _encode(entry: Mapping[str, object]) -> str:
    return _ENCODER.encode(entry).replace("\x7f", "\\u007f")


class _LineHandler(logging.StreamHandler[TextIO]):
    """Writes the lines of requests together at the end of the event loop's turn, all others at once.

    A write for each would cost more than the rest of the line; a process that is killed loses those of one
    turn at most.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or keep it for a moment."""
        if record.name != _REQUEST:
            self.write_out()
            super().emit(record)
            return
        try:
            self._lines.append(self.format(record))
            if len(self._lines) == 1:
                asyncio.get_running_loop().call_soon(self.write_out)
        except RuntimeError:  # no event loop runs
            self.write_out()
        except Exception:  # noqa: BLE001 - as every handler of the library
            self.handleError(record)

    def write_out(self) -> None:
        """Write what was kept."""
        lines, self._lines = self._lines, []
        if lines:
            self.stream.write("\n".join(lines) + "\n")
            self.stream.flush()

    def close(self) -> None:
        """Write what was kept, and end."""
        self.write_out()
        super().close()


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send every logger of the process, uvicorn's included, to `stream` (default: standard output) as JSON.

    `level` is debug, info, warning or error, in any case, and holds for the gateway's own loggers, but not
    for the audit log, which is always written. The libraries' stay at warning or above, because below it they
    quote URLs and headers. Start uvicorn with `log_config=None`. May be called again. Raises ValueError for
    another level.
    """
    number = logging.getLevelNamesMapping().get(level.upper(), logging.NOTSET)
    if number not in {logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR}:
        raise ValueError(f"no log level: {level!r}")
    handler = _LineHandler(stream if stream is not None else sys.stdout)
    handler.setFormatter(JsonFormatter())
    # Nobody is told of them, and each costs a look-up, or a system call, with every record.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))
    logging.getLogger(_OWN).setLevel(number)
    logging.getLogger(f"{_OWN}.audit").setLevel(logging.INFO)
    for name in _REROUTED:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)
        logger.propagate = name not in _SILENCED
    logging.captureWarnings(capture=True)


class RequestLog:
    """Writes one line a request to the logger `gateway.request`: at info, and at warning from status 500."""

    def __init__(self) -> None:
        self._logger = logging.getLogger(_REQUEST)

    def write(
        self,
        route: str,
        method: str,
        status: int,
        *,
        seconds: float,
        sent: int,
        request_id: str,
        trace_id: str,
    ) -> None:
        """Log one answer: `route` is the template, never the path; `sent` counts the body's bytes."""
        level = logging.INFO if status < 500 else logging.WARNING  # noqa: PLR2004 - the classes of RFC 9110 §15
        if not self._logger.isEnabledFor(level):
            return
        # A record made here spares the search for the caller's frame, which costs as much as the rest.
        record = logging.LogRecord(self._logger.name, level, "", 0, "request", None, None)
        record.fields = {
            "route": route,
            "method": method,
            "status": status,
            "duration_ms": round(seconds * 1000, 3),
            "bytes": sent,
            "request_id": request_id,
            "trace_id": trace_id,
        }
        self._logger.handle(record)


def _message(record: logging.LogRecord) -> str:
    """Return the text; of a foreign record its first line, as asyncio's further ones quote exceptions."""
    try:
        text = record.getMessage()
    except (TypeError, ValueError):
        text = str(record.msg)
    own = record.name == _OWN or record.name.startswith(f"{_OWN}.")
    return text if own else text.partition("\n")[0]
