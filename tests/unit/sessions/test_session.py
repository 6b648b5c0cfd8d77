"""When a session is over, when its activity is worth a write, and what its names give away."""

from __future__ import annotations

import base64
import dataclasses
import hashlib

import pytest

from gateway.sessions.session import (
    Grant,
    Session,
    Tokens,
    build_grant_key,
    build_session_key,
    new_grant_key,
    new_session_id,
)

BEGAN = 1_800_000_000.0
TOKENS = Tokens(
    access_token="access-canary",
    refresh_token="refresh-canary",
    expires_at=BEGAN,
    refreshed_at=BEGAN,
    scope=None,
)
GRANT = Grant(
    key=b"grant-key-canary",
    issuer="https://as.example",
    client_id="client",
    subject="subject-canary",
    connection_id="connection-canary",
    tokens=TOKENS,
    generation=1,
    created_at=BEGAN,
    ends_at=BEGAN + 36000,
)


def _session(*, idle_seconds: int = 1800, longest: int = 36000, seen_after: float = 0) -> Session:
    return Session(
        key=b"session-key-canary",
        grant_key=b"grant-key-canary",
        subject="subject-canary",
        claims={"email": "ada@canary.example"},
        created_at=BEGAN,
        last_seen_at=BEGAN + seen_after,
        idle_seconds=idle_seconds,
        ends_at=BEGAN + longest,
        address="address-canary",
        sid="sid-canary",
        subject_key=b"subject-key-canary",
        sid_key=b"sid-key-canary",
    )


@pytest.mark.parametrize(
    ("idle_seconds", "longest", "seen_after", "after", "reason"),
    [
        (1800, 36000, 0, 0, None),
        (1800, 36000, 0, 1799.9, None),
        (1800, 36000, 0, 1800, "idle"),
        (1800, 36000, 0, 36000, "idle"),
        (1800, 36000, 600, 2399.9, None),
        (1800, 36000, 600, 2400, "idle"),
        (1800, 36000, 35000, 35999.9, None),
        (1800, 36000, 35000, 36000, "expired"),
        (1800, 36000, 34200, 36000, "expired"),
        (1800, 600, 0, 599.9, None),
        (1800, 600, 0, 600, "expired"),
        (1800, 600, 0, 99999, "expired"),
        (1800, 1800, 0, 1800, "expired"),
        (1800, 36000, 0, -60, None),
    ],
)
def test_a_session_ends_for_the_reason_that_comes_first(
    idle_seconds: int, longest: int, seen_after: float, after: float, reason: str | None
) -> None:
    session = _session(idle_seconds=idle_seconds, longest=longest, seen_after=seen_after)
    assert session.why_ended(BEGAN + after) == reason


def test_the_idle_end_is_never_after_the_absolute_end() -> None:
    assert _session(seen_after=600).idle_at == BEGAN + 2400
    assert _session(seen_after=35000).idle_at == BEGAN + 36000


@pytest.mark.parametrize(
    ("idle_seconds", "after", "needed"),
    [
        (1800, 0, False),
        (1800, 59.9, False),
        (1800, 60, True),
        (60, 5.9, False),
        (60, 6, True),
        (1800, -5, False),
    ],
)
def test_activity_is_written_once_a_minute_or_sooner_if_idle_time_is_short(
    idle_seconds: int, after: float, *, needed: bool
) -> None:
    assert _session(idle_seconds=idle_seconds).needs_touch(BEGAN + after) is needed


def test_activity_moves_the_idle_end_alone() -> None:
    seen = _session().seen(BEGAN + 100)
    assert seen == dataclasses.replace(_session(), last_seen_at=BEGAN + 100)
    assert (seen.created_at, seen.ends_at) == (BEGAN, BEGAN + 36000)


def test_a_clock_that_runs_behind_takes_no_activity_away() -> None:
    assert _session(seen_after=100).seen(BEGAN + 40) == _session(seen_after=100)


def test_new_tokens_are_the_next_generation_and_keep_beginning_and_end() -> None:
    tokens = dataclasses.replace(TOKENS, access_token="newer")
    assert GRANT.with_tokens(tokens) == dataclasses.replace(GRANT, tokens=tokens, generation=2)


def test_a_session_id_is_256_random_bits() -> None:
    ids = {new_session_id() for _ in range(100)}
    assert len(ids) == 100
    assert {len(base64.urlsafe_b64decode(session_id + "=")) for session_id in ids} == {32}


def test_a_session_key_is_the_hash_of_the_id() -> None:
    assert build_session_key("abc") == hashlib.sha256(b"abc").digest()


def test_a_session_id_may_be_drawn_to_lie_with_its_grant() -> None:
    for first in range(0, 256, 51):
        assert build_session_key(new_session_id(bytes([first]) * 32))[0] == first


def test_a_grant_of_its_own_has_a_random_key_that_lies_with_its_session() -> None:
    keys = {new_grant_key(b"session key") for _ in range(100)}
    assert len(keys) == 100
    assert {key[:1] for key in keys} == {b"s"}
    assert {len(key) for key in keys} == {
        len(build_grant_key(issuer="i", client_id="c", subject="s", connection_id="x"))
    }


def test_sessions_share_a_grant_only_if_all_four_agree() -> None:
    names = {"issuer": "i", "client_id": "c", "subject": "s", "connection_id": "x"}
    keys = [build_grant_key(**names)]
    keys += [build_grant_key(**{**names, name: "other"}) for name in names]
    keys += [build_grant_key(issuer="ic", client_id="", subject="s", connection_id="x")]
    assert len(set(keys)) == 6
    assert keys[0] == build_grant_key(**names)


@pytest.mark.parametrize(
    ("refresh_token", "refresh_expires_at", "after", "over"),
    [
        (None, None, -1, False),
        (None, None, 0, True),
        ("token", None, 10**9, False),
        ("token", BEGAN + 60, 59, False),
        ("token", BEGAN + 60, 60, True),
        ("token", BEGAN - 60, -1, False),
        ("token", BEGAN - 60, 0, True),
    ],
)
def test_tokens_are_over_when_nothing_is_left_that_could_be_used(
    refresh_token: str | None, refresh_expires_at: float | None, after: float, *, over: bool
) -> None:
    tokens = dataclasses.replace(TOKENS, refresh_token=refresh_token, refresh_expires_at=refresh_expires_at)
    assert tokens.are_over(BEGAN + after) is over


@pytest.mark.parametrize("value", [TOKENS, GRANT, _session()])
def test_a_repr_gives_nothing_away(value: object) -> None:
    assert "canary" not in repr(value)


@pytest.mark.parametrize("value", [TOKENS, GRANT, _session()])
def test_values_do_not_change(value: object) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(value)[0].name, "x")  # type: ignore[arg-type] # each is a dataclass
