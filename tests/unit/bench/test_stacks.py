"""Sampled stacks become shares of the time."""

from __future__ import annotations

import pytest

from bench.stacks import parse_stacks


def test_a_function_counts_once_a_stack_however_often_it_recurs() -> None:
    shares = parse_stacks(["main (a.py:1);walk (a.py:2);walk (a.py:2) 3", "main (a.py:1) 2"])
    assert shares.samples == 5
    assert shares.own == {"walk (a.py:2)": 3, "main (a.py:1)": 2}
    assert shares.within == {"main (a.py:1)": 5, "walk (a.py:2)": 3}


def test_a_thread_that_waits_for_work_has_no_share() -> None:
    shares = parse_stacks(["run;_queue_SimpleQueue_get (q.c:1);wait 9", "run;epoll_wait (libc) 9", "run 1"])
    assert (shares.samples, shares.own) == (1, {"run": 1})


def test_what_is_no_stack_is_refused() -> None:
    with pytest.raises(ValueError, match="not a folded stack"):
        parse_stacks(["thread (0x1): MainThread 4"])
