"""A logout token counts only from this authorization server, for this client, now, and as nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import RSAKey

from gateway.errors import KeyUnknown, LogoutTokenInvalid
from gateway.oauth.id_token import LEEWAY_SECONDS, parse_key_set
from gateway.oauth.logout_token import (
    LOGOUT_EVENT,
    MAX_AGE_SECONDS,
    LogoutToken,
    validate_logout_token,
)
from gateway.oauth.metadata import ASYMMETRIC_ALGORITHMS
from tests.unit.oauth.issuing import (
    CLIENT,
    ISSUER,
    NOW,
    expect,
    forge,
    key_for,
    publish,
    sign,
    sign_with_hmac,
)

CLAIMS: dict[str, object] = {
    "iss": ISSUER,
    "aud": CLIENT,
    "iat": int(NOW),
    "exp": int(NOW) + 120,
    "jti": "first",
    "sub": "subject",
    "sid": "sid",
    "events": {LOGOUT_EVENT: {}},
}
KEYS = parse_key_set(publish(key_for("RS256"), key_for("ES256")))
NO_IDENTIFIERS: list[object] = ["", 7, True, [], ["x"], {}, "x" * 256, "a\nb", "\ud800", None]


def change(**changes: object) -> dict[str, object]:
    return {**CLAIMS, **changes}


def without(*names: str) -> dict[str, object]:
    return {name: value for name, value in CLAIMS.items() if name not in names}


def validate(token: str, **changes: object) -> LogoutToken:
    return validate_logout_token(token, keys=KEYS, expected=expect(access_token=None, nonce=None, **changes))


def refuse(message: str, claims: dict[str, object], **changes: object) -> None:
    """Check that right-signed claims are refused, and why."""
    with pytest.raises(LogoutTokenInvalid, match=message):
        validate(sign(claims, "ES256"), **changes)


@pytest.mark.parametrize("typ", [None, "JWT", "logout+jwt", "LOGOUT+JWT", "application/logout+jwt"])
def test_a_right_logout_token_says_whose_sessions_end(typ: str | None) -> None:
    for algorithm in ("RS256", "ES256"):
        assert validate(sign(CLAIMS, algorithm, typ=typ)) == LogoutToken(
            issuer=ISSUER,
            jti="first",
            subject="subject",
            sid="sid",
            usable_until=NOW + 120 + LEEWAY_SECONDS,
        )


def test_who_is_meant_is_told_by_sub_or_sid() -> None:
    # OpenID Connect Back-Channel Logout 1.0 §2.4
    assert validate(sign(without("sub"))).subject is None
    assert validate(sign(without("sid"))).sid is None
    refuse("neither sub nor sid", without("sub", "sid"))


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "id+jwt", "secevent+jwt", "x-logout+jwt"])
def test_a_token_of_another_explicit_type_is_refused(typ: str) -> None:
    """RFC 8725 §3.11: an access token is no logout token."""
    with pytest.raises(LogoutTokenInvalid, match="typ"):
        validate(sign(CLAIMS, typ=typ))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("signature", [b"", b"signature"])
def test_an_unsigned_logout_token_is_refused(algorithm: str, signature: bytes) -> None:
    """RFC 8725 §3.1."""
    for algorithms in (ASYMMETRIC_ALGORITHMS, ("none",)):
        with pytest.raises(LogoutTokenInvalid):
            validate(
                forge({"alg": algorithm, "kid": "RS256"}, json.dumps(CLAIMS).encode(), signature),
                algorithms=algorithms,
            )


def test_the_public_key_is_no_secret_to_sign_with() -> None:
    """RFC 8725 §3.1: HS256."""
    key = key_for("RS256")
    assert isinstance(key, RSAKey)
    for secret in (key.as_pem(private=False), key.as_der(private=False), b""):
        for algorithms in (ASYMMETRIC_ALGORITHMS, ("HS256", "RS256")):
            with pytest.raises(LogoutTokenInvalid, match="alg"):
                validate(
                    sign_with_hmac({"alg": "HS256", "kid": "RS256"}, CLAIMS, secret), algorithms=algorithms
                )


def test_an_algorithm_that_the_metadata_do_not_promise_is_refused() -> None:
    with pytest.raises(LogoutTokenInvalid, match="alg"):
        validate(sign(CLAIMS, "ES256"), algorithms=("RS256",))


def test_a_thiefs_key_does_not_sign() -> None:
    with pytest.raises(LogoutTokenInvalid, match="signature"):
        validate(sign(CLAIMS, key=key_for("RS256", "thief"), kid="RS256"))


def test_an_unknown_key_may_be_a_new_one() -> None:
    with pytest.raises(KeyUnknown):
        validate(sign(CLAIMS, key=key_for("RS256", "new")))


@pytest.mark.parametrize("iss", [None, "", "https://evil.example", f"{ISSUER}/", 7, [ISSUER]])
def test_another_issuer_is_refused(iss: object) -> None:
    refuse("iss", change(iss=iss))


@pytest.mark.parametrize("aud", [None, "", "other", ["other"], [], {CLIENT: 1}, [[CLIENT]], 7])
def test_a_token_for_another_client_is_refused(aud: object) -> None:
    refuse("aud", change(aud=aud))


def test_a_token_for_several_clients_is_for_each_of_them() -> None:
    assert validate(sign(change(aud=["other", CLIENT]))).sid == "sid"


@pytest.mark.parametrize("name", ["iss", "aud", "iat", "exp", "jti", "events"])
def test_every_required_claim_is_missed(name: str) -> None:
    refuse(name, without(name))


@pytest.mark.parametrize("value", ["1790000000", True, [], {}, -1, 1e300, None])
@pytest.mark.parametrize("name", ["iat", "exp", "nbf"])
def test_a_time_that_is_none_is_refused(name: str, value: object) -> None:
    refuse(name, change(**{name: value}))


def test_it_counts_for_a_short_time_whatever_it_promises() -> None:
    for exp in (NOW + MAX_AGE_SECONDS, NOW + 10 * 365 * 86400):
        claims = change(exp=exp)
        until = validate(sign(claims)).usable_until
        assert until == NOW + MAX_AGE_SECONDS + LEEWAY_SECONDS
        assert validate(sign(claims), now=until - 0.5).usable_until == until
        refuse("long ago", claims, now=until)
    refuse("exp has passed", CLAIMS, now=NOW + 120 + LEEWAY_SECONDS)


def test_a_token_of_the_future_is_refused() -> None:
    assert validate(sign(change(iat=NOW + LEEWAY_SECONDS))).sid == "sid"
    refuse("iat lies in the future", change(iat=NOW + LEEWAY_SECONDS + 1))
    refuse("nbf lies in the future", change(nbf=NOW + LEEWAY_SECONDS + 1))


@pytest.mark.parametrize(
    "events",
    [
        *(None, "", [], {}, LOGOUT_EVENT, [LOGOUT_EVENT], {LOGOUT_EVENT: None}, {LOGOUT_EVENT: []}),
        *({LOGOUT_EVENT: True}, {LOGOUT_EVENT: "{}"}, {f"{LOGOUT_EVENT}/": {}}, {LOGOUT_EVENT.upper(): {}}),
    ],
)
def test_without_the_event_it_is_no_logout_token(events: object) -> None:
    refuse("events", change(events=events))


def test_the_event_may_say_more_and_others_may_stand_beside_it() -> None:
    events = {LOGOUT_EVENT: {"more": 1}, "https://example.com/event": {}}
    assert validate(sign(change(events=events))).sid == "sid"


@pytest.mark.parametrize("nonce", ["n", "", None, 0])
def test_a_nonce_makes_it_an_id_token(nonce: object) -> None:
    # OpenID Connect Back-Channel Logout 1.0 §4.1: token confusion
    refuse("nonce", change(nonce=nonce))


@pytest.mark.parametrize("value", NO_IDENTIFIERS)
@pytest.mark.parametrize("name", ["sub", "sid", "jti"])
def test_an_identifier_that_is_none_is_refused(name: str, value: object) -> None:
    refuse(name, change(**{name: value}))


@given(st.text(alphabet="abc.=-_é", max_size=60))
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(LogoutTokenInvalid):
        validate(token)


def test_it_does_not_tell_whom_it_is_about() -> None:
    text = repr(validate(sign(change(sub="subject-canary", sid="sid-canary", jti="jti-canary"))))
    assert "canary" not in text
