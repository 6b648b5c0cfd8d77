"""What browsers say of a call's urgency, and what they are told of the budget."""

from __future__ import annotations

import pytest

from gateway.proxy.rate_limit_fields import build_limit, build_policy, parse_urgency


@pytest.mark.parametrize("urgency", range(8))
def test_an_urgency_is_read(urgency: int) -> None:
    """RFC 9218 §4.1: u is a number from 0 to 7."""
    assert parse_urgency(b"u=%d" % urgency) == urgency


@pytest.mark.parametrize(
    ("field", "urgency"),
    [
        (b"u=5, i", 5),
        (b"i, u=5", 5),
        (b"i=?0,u=1", 1),
        (b"  u=1 ", 1),
        (b"u=1;reason=visible, i", 1),
        (b"u=1, u=6", 6),
        (b'other="a, u=7", u=2', 2),
        (b"other=(u=7 u=6), u=2", 2),
        (b"other=:dT03:, u=2", 2),
        (b"other=1.5;x, u=2", 2),
        (b"u=0, x=token/of:kind", 0),
    ],
)
def test_other_members_are_passed_over(field: bytes, urgency: int) -> None:
    """RFC 9218 §4: unknown parameters are ignored; RFC 9651 has the last of the same name count."""
    assert parse_urgency(field) == urgency


@pytest.mark.parametrize(
    "field",
    [
        None,
        b"",
        b"i",
        b"u",
        b"u=8",
        b"u=-1",
        b"u=1.0",
        b'u="1"',
        b"u=?1",
        b"u=01",
        b"u=(1)",
        "u=\u0661".encode(),
        b"u=1,",
        b"u=1,,i",
        b"u=1 i",
        b"U=1",
        b"u =1",
        b"=1",
        b'u=1, x="',
        b"u=1; Y",
        b"u=1" + b", a" * 200,
    ],
)
def test_what_is_no_urgency_is_three(field: bytes | None) -> None:
    """RFC 9218 §4: out of range or of another type counts as not there."""
    assert parse_urgency(field) == 3


@pytest.mark.parametrize(
    ("rate", "policy"),
    [(2.0, "q=2;w=1"), (0.5, "q=1;w=2"), (7.3, "q=73;w=10"), (0.01, "q=1;w=100"), (1 / 3, "q=1;w=3")],
)
def test_a_policy_counts_whole_calls_in_whole_seconds(rate: float, policy: str) -> None:
    assert build_policy(rate) == f'"default";{policy}'


def test_a_limit_says_how_long_there_is_nothing() -> None:
    assert build_limit(5) == '"default";r=0;t=5'
