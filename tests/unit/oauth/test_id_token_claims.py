"""A well-signed id_token counts only for this client, this attempt, this token, this person and now."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import IdTokenInvalid, KeyUnknown
from gateway.oauth.id_token import LEEWAY_SECONDS
from tests.unit.oauth.issuing import ACCESS_TOKEN, CLIENT, ISSUER, NOW, change, key_for, sign, validate

NO_TIMES: list[object] = ["1790000000", True, False, [], {}, [NOW], -1, 1e300, 10**400, 253_402_300_800]


def refuse(message: str, claims: dict[str, object], **changes: object) -> None:
    """Check that right-signed claims are refused, and why."""
    with pytest.raises(IdTokenInvalid, match=message) as refusal:
        validate(sign(claims, "ES256"), key_for("ES256"), **changes)
    assert not isinstance(refusal.value, KeyUnknown)


def accept(claims: dict[str, object], **changes: object) -> None:
    assert validate(sign(claims, "ES256"), key_for("ES256"), **changes) == claims


@pytest.mark.parametrize(
    "iss",
    [
        *(None, "", "https://evil.example", f"{ISSUER}/", ISSUER.upper(), f"{ISSUER}\x00", 7, [ISSUER], {}),
        *({"iss": ISSUER}, True, "\ud800"),
    ],
)
def test_another_issuer_is_refused(iss: object) -> None:
    # OpenID Connect Core §3.1.3.7, 2
    refuse("iss", change(iss=iss))


@pytest.mark.parametrize(
    "aud",
    [
        None,
        "",
        "other",
        f"{CLIENT} ",
        CLIENT.upper(),
        [],
        ["other"],
        [[CLIENT]],
        {CLIENT: 1},
        7,
        True,
        [None],
    ],
)
def test_a_token_for_another_client_is_refused(aud: object) -> None:
    # OpenID Connect Core §3.1.3.7, 3
    refuse("aud", change(aud=aud))


@pytest.mark.parametrize(
    ("aud", "azp"),
    [
        (CLIENT, None),
        (CLIENT, CLIENT),
        ([CLIENT], None),
        ([CLIENT], CLIENT),
        ([CLIENT, "other"], CLIENT),
        (["other", CLIENT], CLIENT),
    ],
)
def test_a_token_for_this_client_is_accepted(aud: object, azp: object) -> None:
    accept(change(aud=aud, azp=azp))


@pytest.mark.parametrize(
    ("aud", "azp"),
    [
        ([CLIENT, "other"], None),
        ([CLIENT, CLIENT], None),
        ([CLIENT, "other"], "other"),
        (CLIENT, "other"),
        (CLIENT, ""),
        (CLIENT, [CLIENT]),
        (CLIENT, [["other"]]),
        (CLIENT, {CLIENT: 1}),
        (CLIENT, 7),
        (CLIENT, False),
    ],
)
def test_a_token_that_was_issued_to_another_client_is_refused(aud: object, azp: object) -> None:
    # OpenID Connect Core §3.1.3.7, 4 and 5: token substitution
    refuse("azp", change(aud=aud, azp=azp))


@pytest.mark.parametrize(
    "sub", [None, "", "a" * 256, 7, True, [], ["a"], {}, "a\nb", "a\x00", "\ud800", "\u202e"]
)
def test_a_token_without_a_sound_subject_is_refused(sub: object) -> None:
    # OpenID Connect Core §2
    refuse("sub", change(sub=sub))


@pytest.mark.parametrize("sub", ["a", "a" * 255, "anna@example.com", "m\u00fcller", "a b", "auth0|5f7c8e"])
def test_a_sound_subject_is_accepted(sub: str) -> None:
    accept(change(sub=sub))


@pytest.mark.parametrize("after", [0.001, 1, 3600])
def test_a_token_is_valid_until_it_expires_by_either_clock(after: float) -> None:
    accept(change(exp=NOW - LEEWAY_SECONDS + after))


@pytest.mark.parametrize("before", [0, 0.001, 1, NOW - LEEWAY_SECONDS])
def test_an_expired_token_is_refused(before: float) -> None:
    # OpenID Connect Core §3.1.3.7, 9
    refuse("exp has passed", change(exp=NOW - LEEWAY_SECONDS - before))


@pytest.mark.parametrize("name", ["exp", "iat"])
@pytest.mark.parametrize("value", [None, *NO_TIMES])
def test_a_token_without_its_times_is_refused(name: str, value: object) -> None:
    refuse(f"{name} is missing or no time", change(**{name: value}))


@pytest.mark.parametrize("value", NO_TIMES)
def test_a_time_that_is_none_is_refused(value: object) -> None:
    refuse("nbf is missing or no time", change(nbf=value))
    refuse("auth_time is missing or no time", change(auth_time=value), max_age=3600)


@pytest.mark.parametrize("constant", [b"1e999", b"-1e999", b"NaN", b"Infinity"])
def test_a_token_does_not_live_for_ever(constant: bytes) -> None:
    payload = json.dumps(change(exp="EXP")).encode().replace(b'"EXP"', constant)
    with pytest.raises(IdTokenInvalid):
        validate(sign(payload))


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_a_token_does_not_come_from_the_future(name: str) -> None:
    for ahead in (-86_400, 0, LEEWAY_SECONDS):
        accept(change(**{name: NOW + ahead}))
    for ahead in (LEEWAY_SECONDS + 0.001, 86_400):
        refuse(f"{name} lies in the future", change(**{name: NOW + ahead}))


@pytest.mark.parametrize("age", [0, 100, 100 + LEEWAY_SECONDS])
def test_a_recent_authentication_satisfies_max_age(age: float) -> None:
    accept(change(auth_time=NOW - age), max_age=100)


@pytest.mark.parametrize("age", [100 + LEEWAY_SECONDS + 0.001, 86_400, NOW])
def test_an_old_authentication_does_not_satisfy_max_age(age: float) -> None:
    # OpenID Connect Core §3.1.2.1
    refuse("auth_time is older", change(auth_time=NOW - age), max_age=100)


def test_who_asked_for_max_age_must_be_told_the_time() -> None:
    refuse("auth_time is missing", change(), max_age=100)
    refuse("auth_time is missing", change(), max_age=0)
    accept(change())
    accept(change(auth_time="whenever"))


@pytest.mark.parametrize("nonce", [None, "", "other", 7, True, [], ["nonce-of-this-attempt"], {}, "\ud800"])
def test_a_token_of_another_attempt_is_refused(nonce: object) -> None:
    # OpenID Connect Core §3.1.3.7, 11: token injection
    refuse("nonce", change(nonce=nonce))


def test_where_no_nonce_was_sent_none_is_expected() -> None:
    accept(change(nonce=None), nonce=None)
    accept(change(nonce="of the sign-in"), nonce=None)


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [(f"{kind}{size}", f"sha{size}") for kind in ("RS", "PS", "ES") for size in (256, 384, 512)],
)
def test_at_hash_is_half_of_the_algorithms_own_hash(algorithm: str, name: str) -> None:
    # OpenID Connect Core §3.1.3.6
    key = key_for(algorithm if algorithm.startswith("ES") else "RS256")
    for token, passes in ((ACCESS_TOKEN, True), ("another access token", False)):
        for hash_name in ("sha256", "sha384", "sha512"):
            whole = hashlib.new(hash_name, token.encode()).digest()
            at_hash = urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=").decode()
            id_token = sign(change(at_hash=at_hash), algorithm, key=key)
            if passes and hash_name == name:
                assert validate(id_token, key)["at_hash"] == at_hash
            else:
                with pytest.raises(IdTokenInvalid, match="at_hash"):
                    validate(id_token, key)


@pytest.mark.parametrize("at_hash", ["", "wrong", 7, True, [], {}, "\ud800", "\u20ac", "a" * 50_000])
def test_an_at_hash_that_is_none_is_refused(at_hash: object) -> None:
    refuse("at_hash", change(at_hash=at_hash))


def test_at_hash_is_optional_and_needs_an_access_token() -> None:
    accept(change())
    accept(change(at_hash="of nothing here"), access_token=None)
    refuse("at_hash", change(at_hash="wrong"), access_token="\u20ac")


def test_at_hash_of_an_edwards_signature_has_no_defined_hash() -> None:
    key = key_for("EdDSA")
    assert validate(sign(change(at_hash="any"), "EdDSA", key=key), key)
    with pytest.raises(IdTokenInvalid, match="at_hash"):
        validate(sign(change(at_hash=7), "EdDSA", key=key), key)


def test_a_refreshed_token_is_of_the_same_person() -> None:
    # OpenID Connect Core §12.2
    accept(change(nonce=None), nonce=None, subject="subject")
    for sub in ("another", "subject ", "Subject"):
        refuse("sub is another one", change(sub=sub, nonce=None), nonce=None, subject="subject")


def test_secrets_are_not_shown_where_a_refusal_or_an_expectation_is_printed() -> None:
    token = sign(change(nonce="other-canary"), "ES256")
    with pytest.raises(IdTokenInvalid) as refusal:
        validate(token, key_for("ES256"))
    assert "canary" not in f"{refusal.value!r} {refusal.value.detail}"
    assert refusal.value.__cause__ is None


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.text(max_size=3))
)
NAMES = st.sampled_from(["iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash", "auth_time"])


@settings(deadline=None)
@given(st.dictionaries(NAMES, VALUES, min_size=1))
def test_any_signed_claims_are_accepted_or_refused(changes: dict[str, object]) -> None:
    try:
        claims = validate(sign(change(**changes), "ES256"), key_for("ES256"), max_age=100)
    except IdTokenInvalid:
        return
    assert claims["iss"] == ISSUER
