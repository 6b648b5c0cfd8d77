"""Times in claims are compared with each other, so that no difference of clocks comes in."""

from __future__ import annotations

import pytest

from gateway.errors import IdentityInvalid
from gateway.oauth.claim_times import parse_time, read_authentication_age, read_session_left
from gateway.oauth.identity import build_identity

NO_TIMES: list[object] = [None, "1800000000", True, False, [], {}, -1, 1e300, 10**400, 253_402_300_800]


@pytest.mark.parametrize("value", NO_TIMES)
def test_what_is_no_time_is_none(value: object) -> None:
    assert parse_time(value) is None
    claims: dict[str, object] = {"iat": 1000, "session_expiry": value, "auth_time": value}
    assert read_session_left(claims) is read_authentication_age(claims) is None
    claims = {"iat": value, "session_expiry": 1000, "auth_time": 1000}
    assert read_session_left(claims) is read_authentication_age(claims) is None


def test_session_and_authentication_are_measured_from_the_id_tokens_own_time() -> None:
    claims: dict[str, object] = {"sub": "Ada", "iat": 1000, "session_expiry": 4600.5, "auth_time": 940}
    identity = build_identity(claims)
    assert (identity.session_left, identity.auth_age, identity.auth_time) == (3600.5, 60, 940)
    plain = build_identity({"sub": "Ada", "iat": 1000})
    assert (plain.session_left, plain.auth_age, plain.auth_time) == (None, None, None)


@pytest.mark.parametrize("session_expiry", [0, 999, 1000])
def test_a_session_that_has_ended_already_does_not_begin(session_expiry: int) -> None:
    with pytest.raises(IdentityInvalid, match="session_expiry has passed"):
        build_identity({"sub": "Ada", "iat": 1000, "session_expiry": session_expiry})
