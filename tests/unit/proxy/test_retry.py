"""When a call is sent again, as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.proxy.retry import (
    FIRST_WAIT,
    MAX_PATIENCE,
    PASS,
    SAFE_METHODS,
    Attempts,
    Failure,
    Step,
    build_wait,
    decide_on_failure,
    decide_on_status,
    decide_on_throttling,
    parse_patience,
    parse_retry_after,
)

GET = Attempts("GET", replayable=True)
POST = Attempts("POST", replayable=True)
STREAMED = Attempts("POST", replayable=False)


def on_status(
    attempts: Attempts,
    status: int,
    *,
    patience: float = 10.0,
    retry_after: float | None = None,
    jitter: float = 0.0,
) -> Step:
    return decide_on_status(attempts, status, patience=patience, retry_after=retry_after, jitter=jitter)


@pytest.mark.parametrize(
    ("attempts", "status", "decision"),
    [
        # A refused token: one forced refresh and one replay, if the body can be sent again.
        (GET, 401, "refresh_and_replay"),
        (POST, 401, "refresh_and_replay"),
        (STREAMED, 401, "pass"),
        (Attempts("GET", replayable=True, refreshed=True), 401, "pass"),
        (Attempts("GET", replayable=True, resent=True), 401, "refresh_and_replay"),
        (Attempts("GET", replayable=True, waits=2, waited=1.5), 401, "refresh_and_replay"),
        # RFC 6585 §4: a call that was refused for its rate was not performed.
        (GET, 429, "wait_and_resend"),
        (POST, 429, "wait_and_resend"),
        (STREAMED, 429, "pass"),
        (Attempts("POST", replayable=True, refreshed=True), 429, "wait_and_resend"),
        (Attempts("POST", replayable=True, waits=3, waited=3.5), 429, "wait_and_resend"),
        (Attempts("POST", replayable=True, waits=4, waited=7.5), 429, "pass"),
        # A call that ran into a time-out may have been performed: RFC 9110 §9.2.1.
        (GET, 504, "resend"),
        (Attempts("HEAD", replayable=True), 504, "resend"),
        (Attempts("OPTIONS", replayable=True), 504, "resend"),
        (POST, 504, "pass"),
        (Attempts("PUT", replayable=True), 504, "pass"),
        (Attempts("DELETE", replayable=True), 504, "pass"),
        (Attempts("GET", replayable=False), 504, "pass"),
        (Attempts("GET", replayable=True, resent=True), 504, "pass"),
        (Attempts("GET", replayable=True, refreshed=True), 504, "resend"),
        *[
            (GET, status, "pass")
            for status in (200, 201, 204, 304, 400, 402, 403, 404, 406, 409, 500, 502, 503)
        ],
    ],
)
def test_answer_is_followed_by(attempts: Attempts, status: int, decision: str) -> None:
    assert on_status(attempts, status).decision == decision


@pytest.mark.parametrize(
    ("attempts", "failure", "decision"),
    [
        (GET, Failure.UNREACHABLE, "resend"),
        (POST, Failure.UNREACHABLE, "resend"),
        (STREAMED, Failure.UNREACHABLE, "pass"),
        (Attempts("POST", replayable=True, resent=True), Failure.UNREACHABLE, "pass"),
        (GET, Failure.BROKEN, "resend"),
        (POST, Failure.BROKEN, "pass"),
        (Attempts("DELETE", replayable=True), Failure.BROKEN, "pass"),
        (Attempts("GET", replayable=True, resent=True), Failure.BROKEN, "pass"),
        (Attempts("GET", replayable=False), Failure.BROKEN, "pass"),
        (GET, Failure.TIMEOUT, "pass"),
        (POST, Failure.TIMEOUT, "pass"),
    ],
)
def test_failure_is_followed_by(attempts: Attempts, failure: Failure, decision: str) -> None:
    assert decide_on_failure(attempts, failure).decision == decision


def test_no_method_that_changes_anything_is_safe() -> None:
    assert not SAFE_METHODS & {"POST", "PUT", "PATCH", "DELETE"}


def test_wait_doubles_up_to_a_limit() -> None:
    waits = [build_wait(number, retry_after=None, jitter=0.0) for number in (0, 1, 2, 3, 4, 5, 1000)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_wait_is_never_shorter_for_its_jitter() -> None:
    assert build_wait(0, retry_after=None, jitter=0.999) == pytest.approx(0.75, abs=0.001)
    assert build_wait(3, retry_after=2.0, jitter=0.5) == pytest.approx(2.125)


def test_wait_that_the_answer_names_is_kept_within_patience() -> None:
    assert on_status(POST, 429, retry_after=3.0) == Step("wait_and_resend", 3.0)
    assert on_status(POST, 429, retry_after=10.0) == Step("wait_and_resend", 10.0)
    assert on_status(POST, 429, retry_after=0.0, patience=0.0) == Step("wait_and_resend", 0.0)


def test_wait_beyond_patience_is_told_to_the_caller() -> None:
    assert on_status(POST, 429, retry_after=10.5) == Step("pass", 10.5)
    assert on_status(POST, 429, patience=0.0) == Step("pass", 0.5)
    assert on_status(STREAMED, 429) == Step("pass", 0.5)
    assert PASS.wait == 0.0


@pytest.mark.parametrize(
    ("prefer", "patience"),
    [
        (None, 10.0),
        (b"", 10.0),
        (b"respond-async", 10.0),
        (b"wait=5", 5.0),
        (b"wait=0", 0.0),
        (b"wait=25", 25.0),
        (b"wait=26", MAX_PATIENCE),
        (b"wait=999999", MAX_PATIENCE),
        (b"WAIT = 5", 5.0),
        (b'wait="5"', 5.0),
        (b"respond-async, wait=5", 5.0),
        (b"wait=5; foo=bar, wait=9", 5.0),
        (b"wait=x, wait=9", 10.0),
        (b"wait, wait=9", 10.0),
        (b"wait=-1", 10.0),
        (b"wait=1.5", 10.0),
        (b"wait=1e1", 10.0),
        (b"wait=\xb2", 10.0),
        (b"waiting=5", 10.0),
        (b"x-wait=5", 10.0),
    ],
)
def test_patience_is_what_the_caller_prefers(prefer: bytes | None, patience: float) -> None:
    """RFC 7240 §2: the first instance counts; §4.3: `wait` is in seconds."""
    assert parse_patience(prefer) == patience


def test_patience_without_a_preference_is_a_parameter() -> None:
    assert parse_patience(None, default=3.0) == 3.0
    assert parse_patience(b"wait=4", default=3.0) == 4.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        (b"", None),
        (b"0", 0.0),
        (b" 120 ", 120.0),
        (b"Tue, 24 Nov 2026 01:02:33 GMT", 30.0),
        (b"Tue, 24 Nov 2026 01:02:03 GMT", 0.0),
        (b"Tue, 24 Nov 2020 01:02:03 GMT", 0.0),
        (b"Tue, 24 Nov 2026 01:02:33 +0100", None),
        (b"Tue, 99 Nov 2026 01:02:33 GMT", None),
        (b"-1", None),
        (b"1.5", None),
        (b"\xb2", None),
        (b"soon", None),
        (b"9999999999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: bytes | None, seconds: float | None) -> None:
    """RFC 9110 §10.2.3."""
    assert parse_retry_after(value, now=1795482123.0) == seconds


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_was_refused_in_its_turn_takes_another_one_whatever_its_method(method: str) -> None:
    """RFC 6585 §4: it was not performed; only from the second time on more than the turn is waited for."""
    attempts = Attempts(method, replayable=True)
    step = decide_on_throttling(attempts, patience=10, retry_after=None, jitter=0)
    assert step == Step("wait_and_resend", 0)
    again = replace(attempts, waits=1, waited=0)
    assert decide_on_throttling(again, patience=10, retry_after=None, jitter=0).wait == FIRST_WAIT
    third = replace(attempts, waits=2, waited=FIRST_WAIT)
    assert decide_on_throttling(third, patience=10, retry_after=None, jitter=0).wait == 2 * FIRST_WAIT


@pytest.mark.parametrize(
    ("replayable", "patience", "retry_after"),
    [(False, 10, None), (True, 0, None), (True, 5, 5.0), (True, -1, 0.0)],
)
def test_a_refusal_is_passed_on_where_nothing_is_left_to_wait_or_to_send(
    *, replayable: bool, patience: float, retry_after: float | None
) -> None:
    attempts = Attempts("GET", replayable=replayable)
    step = decide_on_throttling(attempts, patience=patience, retry_after=retry_after, jitter=0)
    assert step.decision == "pass"
