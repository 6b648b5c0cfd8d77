"""Lines of requests: made in a shorter way than others, to the same letters, and written together."""

from __future__ import annotations

import asyncio
import io
import logging

from hypothesis import given
from hypothesis import strategies as st

from gateway.observability.logs import JsonFormatter, RequestLog, configure_logging

REQUEST = "gateway.request"


@given(
    st.text(max_size=30),
    st.text(max_size=10),
    st.integers(100, 599),
    st.floats(0, 1e6),
    st.integers(0, 10**12),
    st.sampled_from(["INFO", "WARNING"]),
)
def test_both_ways_make_the_same_line(
    route: str, method: str, status: int, duration: float, size: int, level: str
) -> None:
    record = logging.LogRecord(REQUEST, logging.getLevelNamesMapping()[level], "", 0, "request", None, None)
    record.fields = {
        "route": route,
        "method": method,
        "status": status,
        "duration_ms": round(duration, 3),
        "bytes": size,
        "request_id": "0123456789abcdef",
        "trace_id": "0123456789abcdef" * 2,
    }
    formatter = JsonFormatter()
    assert formatter.format(record) == formatter.format_any(record)


async def test_the_lines_of_one_turn_are_written_together_and_before_what_follows() -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    try:
        configure_logging("info", stream)
        log = RequestLog()
        for status in (200, 201):
            log.write("/api/*", "GET", status, seconds=0.1, sent=2, request_id="a", trace_id="b")
        assert stream.getvalue() == ""
        await asyncio.sleep(0)
        assert [line.count('"status":20') for line in stream.getvalue().splitlines()] == [1, 1]
        log.write("/api/*", "GET", 500, seconds=0.1, sent=2, request_id="a", trace_id="b")
        logging.getLogger("gateway").info("afterwards")
        assert [part in stream.getvalue() for part in ('"status":500', '"message":"afterwards"')] == [
            True
        ] * 2
        assert stream.getvalue().index("500") < stream.getvalue().index("afterwards")
    finally:
        root.handlers[:], _ = before
        root.setLevel(before[1])
