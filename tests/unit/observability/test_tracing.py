"""W3C Trace Context, with the specification's own vectors."""

from __future__ import annotations

import pytest

from gateway.observability.tracing import (
    Traceparent,
    continue_trace,
    new_trace,
    parse_traceparent,
    parse_tracestate,
)

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT_ID = "b7ad6b7169203331"
VALID = f"00-{TRACE_ID}-{PARENT_ID}-01"


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 1),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", 0),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", 3),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 1),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", 1),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like", 1),
    ],
)
def test_traceparent_is_read_by_the_specification(header: str, flags: int) -> None:
    expected = Traceparent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", flags)
    assert parse_traceparent(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00",
        f"ff-{TRACE_ID}-{PARENT_ID}-01",
        f"FF-{TRACE_ID}-{PARENT_ID}-01",
        f"0-{TRACE_ID}-{PARENT_ID}-01",
        f".0-{TRACE_ID}-{PARENT_ID}-01",
        f"00-{'0' * 32}-{PARENT_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID.upper()}-{PARENT_ID}-01",
        f"00-{TRACE_ID}-{PARENT_ID.upper()}-01",
        f"00-{TRACE_ID[:-1]}-{PARENT_ID}-01",
        f"00-{TRACE_ID}0-{PARENT_ID}-01",
        f"00-{TRACE_ID[:-1]}.-{PARENT_ID}-01",
        f"00-{TRACE_ID}-{PARENT_ID[:-1]}-01",
        f"00-{TRACE_ID}-{PARENT_ID}0-01",
        f"00-{TRACE_ID}-{PARENT_ID}-0",
        f"00-{TRACE_ID}-{PARENT_ID}-0X",
        f"00-{TRACE_ID}-{PARENT_ID}-.0",
        f"00-{TRACE_ID}-{PARENT_ID}-01-",
        f"00-{TRACE_ID}-{PARENT_ID}-01-what-the-future-will-be-like",
        f"00-{TRACE_ID}-{PARENT_ID}-01.what",
        f"cc-{TRACE_ID}-{PARENT_ID}-01.what",
        f" {VALID}",
        f"{VALID} ",
        f"{VALID}\n",
        f"{VALID},{VALID}",
        f"00-{TRACE_ID}-{PARENT_ID}-\u0660\u0661",
        f"00_{TRACE_ID}_{PARENT_ID}_01",
    ],
)
def test_traceparent_is_refused_where_the_specification_forbids_it(header: str | None) -> None:
    assert parse_traceparent(header) is None


def test_unknown_flags_are_not_passed_on() -> None:
    assert continue_trace(f"00-{TRACE_ID}-{PARENT_ID}-ff").traceparent.endswith("-03")


@pytest.mark.parametrize(
    ("header", "passed_on"),
    [
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        ("foo=1 \t , \t bar=2, \t baz=3", "foo=1,bar=2,baz=3"),
        ("foo=1,,,", "foo=1"),
        ("fw529a3039@dt=FfD%s 34,a=b=c".replace("=c", "c"), "fw529a3039@dt=FfD%s 34,a=bc"),
        ("0tenant@system=1", "0tenant@system=1"),
        ("a*b_c-d/e=1", "a*b_c-d/e=1"),
        (",".join(f"k{n}=v" for n in range(32)), ",".join(f"k{n}=v" for n in range(32))),
        ("a=" + "x" * 256, "a=" + "x" * 256),
    ],
)
def test_tracestate_passes_if_well_formed(header: str, passed_on: str) -> None:
    assert parse_tracestate(header) == passed_on


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        ",, ,",
        "foo",
        "foo=",
        "=1",
        "Foo=1",
        "0foo=1",
        "foo =1",
        "foo@=1",
        "@foo=1",
        "foo@@bar=1",
        "foo@Bar=1",
        "foo@bar@baz=1",
        "foo=1=2",
        "foo=\x7f",
        "foo=ä",
        "foo=1\r\nX-Injected: 1",
        "foo=1,foo=2",
        "foo=1;bar=2",
        "a=" + "x" * 257,
        "a" * 257 + "=1",
        ",".join(f"k{n}=v" for n in range(33)),
        ",".join(f"key{n}={'x' * 100}" for n in range(5)),
    ],
)
def test_tracestate_is_dropped_as_a_whole_if_it_is_not(header: str | None) -> None:
    assert parse_tracestate(header) is None


def test_a_callers_trace_is_continued_with_a_span_of_our_own() -> None:
    trace = continue_trace(VALID, "congo=t61rcWkgMzE")
    assert (trace.trace_id, trace.parent_id, trace.flags) == (TRACE_ID, PARENT_ID, 1)
    assert trace.span_id != PARENT_ID
    assert trace.request_id == trace.span_id
    assert parse_traceparent(trace.traceparent) == Traceparent(TRACE_ID, trace.span_id, 1)
    assert trace.upstream_headers() == [
        (b"traceparent", f"00-{TRACE_ID}-{trace.span_id}-01".encode()),
        (b"tracestate", b"congo=t61rcWkgMzE"),
    ]


def test_a_trace_begins_here_where_none_that_is_valid_comes_in() -> None:
    first, second = continue_trace("00-nonsense", "congo=1"), new_trace()
    assert first.trace_id != second.trace_id
    assert (first.parent_id, first.tracestate) == (None, None)
    assert parse_traceparent(first.traceparent) == Traceparent(first.trace_id, first.span_id, 2)
    assert first.upstream_headers() == [(b"traceparent", first.traceparent.encode())]


def test_no_caller_chooses_the_request_id() -> None:
    assert continue_trace(VALID).request_id != continue_trace(VALID).request_id
