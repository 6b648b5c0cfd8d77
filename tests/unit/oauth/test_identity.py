"""Who signed in is known by ids that nobody can imitate, and shown by texts that any answer can carry."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import IdentityInvalid
from gateway.oauth.identity import Identity, build_identity, parse_profile

USER: dict[str, object] = {
    "userId": "1aea5501-3f3e-403d-8492-2dad03016289",
    "userName": "Frau Erika Musterfrau",
    "userEmail": "erika@muster.example",
    "date": "2026-01-03T13:15:45.000+01:00",
}
RIGHT: dict[str, object] = {
    "organizationId": "aa93e8a8-2aa3-470b-b914-caad8a255dd8",
    "companyName": "Muster GmbH",
    "created": USER,
    "connectionId": "3dea098b-fae5-4458-a85c-f97965966c25",
    "features": ["cashbox"],
    "subscriptionStatus": "active",
    "taxType": "net",
    "smallBusiness": False,
}


def parse(**changes: object) -> Identity:
    """Parse the right profile with some changes; None leaves a name out."""
    profile = {name: value for name, value in {**RIGHT, **changes}.items() if value is not None}
    return parse_profile(json.dumps(profile).encode())


def with_user(**changes: object) -> Identity:
    return parse(created={name: value for name, value in {**USER, **changes}.items() if value is not None})


def test_a_profile_says_who_is_connected() -> None:
    assert parse() == Identity(
        "aa93e8a8-2aa3-470b-b914-caad8a255dd8:1aea5501-3f3e-403d-8492-2dad03016289",
        "3dea098b-fae5-4458-a85c-f97965966c25",
        {
            "name": "Frau Erika Musterfrau",
            "email": "erika@muster.example",
            "organization": "Muster GmbH",
            "organization_id": "aa93e8a8-2aa3-470b-b914-caad8a255dd8",
        },
    )


def test_a_profile_may_lack_what_lexoffice_was_seen_to_leave_out() -> None:
    assert parse(features=None, subscriptionStatus=None, businessFeatures=None, taxType=None) == parse()


def test_a_profile_may_lack_what_is_for_display() -> None:
    identity = parse(companyName=None, connectionId=None, created={"userId": "u"})
    assert identity.connection_id is None
    assert identity.claims == {"organization_id": RIGHT["organizationId"]}


@pytest.mark.parametrize("value", [7, True, [], ["a"], {}, {"a": "b"}, 1.5, ""])
def test_a_display_claim_that_is_no_text_is_left_out(value: object) -> None:
    assert "organization" not in parse(companyName=value).claims
    claims = with_user(userName=value, userEmail=value).claims
    assert "name" not in claims
    assert "email" not in claims


@pytest.mark.parametrize("created", [None, 7, "text", [], [{"userId": "u"}], {}, {"userId": None}, True])
def test_a_profile_without_a_user_is_refused(created: object) -> None:
    with pytest.raises(IdentityInvalid):
        parse(created=created)


NO_IDS: list[object] = [
    *(None, "", 7, True, [], ["a"], {}, "a b", "a:b", ":", "a\nb", "a\x00", "\u00fc", "\ud800", "\u0661"),
    *("a" * 256, "a" * 100_000),
]


@pytest.mark.parametrize("value", NO_IDS)
def test_an_id_that_could_be_taken_for_another_is_refused(value: object) -> None:
    with pytest.raises(IdentityInvalid):
        parse(organizationId=value)
    with pytest.raises(IdentityInvalid):
        with_user(userId=value)
    assert parse(connectionId=value).connection_id is None


def test_two_pairs_of_ids_never_make_one_subject() -> None:
    """Joined by a colon, "a" and "b:c" would be "a:b" and "c"."""
    assert parse(organizationId="a", created={"userId": "b-c"}).subject == "a:b-c"
    for organization_id, user_id in (("a", "b:c"), ("a:b", "c")):
        with pytest.raises(IdentityInvalid):
            parse(organizationId=organization_id, created={"userId": user_id})


def test_an_id_is_never_cut() -> None:
    assert parse(connectionId="c" * 255).connection_id == "c" * 255
    assert parse(connectionId="c" * 256).connection_id is None


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"<html>",
            b"null",
            b"[]",
            b'"text"',
            b"\xff",
            b"{}",
            b'{"message": "Forbidden"}',
            b"[" * 100_000,
        ),
        b'{"organizationId": "a", "organizationId": "b", "created": {"userId": "u"}}',
        b'{"organizationId": "a", "created": {"userId": "u", "userId": "v"}}',
    ],
)
def test_what_is_no_profile_is_refused(body: bytes) -> None:
    with pytest.raises(IdentityInvalid):
        parse_profile(body)


def test_display_claims_are_bounded() -> None:
    assert parse(companyName="a" * 1_000_000).claims["organization"] == "a" * 255
    assert build_identity({"sub": "s", "name": "\u00fc" * 300}).claims["name"] == "\u00fc" * 255


def test_half_a_surrogate_pair_does_not_reach_an_answer() -> None:
    assert parse(companyName="Muster \ud83d").claims["organization"] == "Muster ?"
    assert parse(companyName="Muster \U0001f600").claims["organization"] == "Muster \U0001f600"


def test_claims_of_an_id_token_are_taken_by_name() -> None:
    claims: dict[str, object] = {
        "sub": "subject",
        "name": "Erika",
        "given_name": "Erika",
        "family_name": "M",
        "preferred_username": "erika",
        "email": "erika@muster.example",
        "locale": "de-DE",
        "organization": "Muster GmbH",
        "organization_id": "o",
    }
    other = {
        "email_verified": True,
        "picture": "https://evil.example/p",
        "sid": "s",
        "nonce": "n",
        "iss": "i",
    }
    identity = build_identity({**claims, **other})
    assert identity.subject == "subject"
    assert identity.connection_id is None
    assert identity.claims == {name: value for name, value in claims.items() if name != "sub"}


@pytest.mark.parametrize("value", [None, 7, True, [], ["a"], {}, ""])
def test_claims_of_an_id_token_that_are_no_texts_are_left_out(value: object) -> None:
    assert build_identity({"sub": "s", "name": value, "email": value}).claims == {}


def test_a_person_is_not_shown_where_an_identity_is_printed() -> None:
    assert "Muster" not in repr(parse())
    assert "aa93e8a8" not in repr(parse())
    assert "3dea098b" not in repr(parse())


@given(
    st.dictionaries(st.sampled_from(list(RIGHT)), st.none() | st.text() | st.integers() | st.lists(st.text()))
)
def test_any_profile_is_read_or_refused(changes: dict[str, object]) -> None:
    try:
        identity = parse(**changes)
    except IdentityInvalid:
        return
    assert identity.subject.count(":") == 1
    assert all(text.encode() for text in identity.claims.values())
