"""The id_token of a refresh is for the same client and the same person, by the same issuer."""

from __future__ import annotations

import pytest

from gateway.errors import IdTokenInvalid, IdTokenUntimely
from tests.unit.oauth.issuing import CLIENT, ISSUER, NOW, change, key_for, sign, validate

AUTH_TIME = NOW - 4000


def check(**changes: object) -> None:
    """Validate a refreshed id_token with some changes; it has no nonce (OpenID Connect Core §12.2)."""
    token = sign(change(**{"nonce": None, "auth_time": AUTH_TIME, **changes}), "ES256")
    validate(token, key_for("ES256"), nonce=None, subject="subject", auth_time=AUTH_TIME)


def test_the_same_once_more_is_accepted() -> None:
    check()
    check(auth_time=None)
    check(iat=int(NOW) - 1, aud=[CLIENT, "other"], azp=CLIENT)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "https://evil.example"),
        ("iss", f"{ISSUER}/"),
        ("sub", "somebody else"),
        ("sub", None),
        ("aud", "other"),
        ("aud", ["other"]),
        ("azp", "other"),
    ],
)
def test_another_issuer_person_or_client_is_refused_for_good(claim: str, value: object) -> None:
    with pytest.raises(IdTokenInvalid, match=r"iss|sub|aud|azp") as refusal:
        check(**{claim: value})
    assert not isinstance(refusal.value, IdTokenUntimely)


@pytest.mark.parametrize("auth_time", [AUTH_TIME + 1, AUTH_TIME - 1, 0, "whenever"])
def test_another_authentication_is_noticed_and_ends_nothing(auth_time: object) -> None:
    """OpenID Connect Core §12.2; but some servers name the newest of the person's whole session."""
    with pytest.raises(IdTokenUntimely, match="auth_time is another one"):
        check(auth_time=auth_time)


@pytest.mark.parametrize("value", ["soon", True, -1, 1e300])
def test_a_session_expiry_that_is_no_time_is_not_taken_for_none(value: object) -> None:
    claims = change(nonce=None) | {"session_expiry": value}
    with pytest.raises(IdTokenUntimely, match="session_expiry is no time"):
        validate(sign(claims, "ES256"), key_for("ES256"), nonce=None)
