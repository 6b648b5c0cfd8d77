"""Refreshing, revoking, and what the token endpoint refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.stage import Clock, Person, Stage, Tokens, form_encoded

if TYPE_CHECKING:
    import httpx

    from gateway.sandbox import Sandbox


def test_a_refresh_ends_both_old_tokens_at_once(anyone: Person) -> None:
    old = anyone.sign_in()
    new = Tokens(anyone.refresh(old.refresh_token).json())
    assert {old.access_token, old.refresh_token}.isdisjoint({new.access_token, new.refresh_token})
    assert anyone.api("GET", "/countries", old.access_token).status_code == 401
    assert anyone.api("GET", "/countries", new.access_token).status_code == 200


def test_refreshes_go_on_in_a_chain(anyone: Person, sandbox: Sandbox) -> None:
    tokens = anyone.sign_in()
    for _ in range(5):
        tokens = Tokens(anyone.refresh(tokens.refresh_token).json())
    assert sandbox.counters.token_answers["refresh_token"] == 5
    assert len(sandbox.grants.connections()) == 1


def test_a_refresh_token_used_twice_revokes_the_connection(anyone: Person, sandbox: Sandbox) -> None:
    """RFC 9700 §4.14.2: one of the two is not the client."""
    old = anyone.sign_in()
    new = Tokens(anyone.refresh(old.refresh_token).json())
    assert anyone.refresh(old.refresh_token).json()["error"] == "invalid_grant"
    assert anyone.refresh(new.refresh_token).json()["error"] == "invalid_grant"
    assert anyone.api("GET", "/countries", new.access_token).status_code == 401
    assert sandbox.counters.events["refresh_reuse"] == 1


def test_reuse_in_one_connection_leaves_the_other_alone(anyone: Person) -> None:
    first, second = anyone.sign_in(), anyone.sign_in("jonas")
    anyone.refresh(first.refresh_token)
    anyone.refresh(first.refresh_token)
    assert anyone.refresh(second.refresh_token).status_code == 200


def test_a_refresh_token_is_good_for_its_own_client_alone(openid: Person, http: httpx.Client) -> None:
    tokens = openid.sign_in()
    stranger = Person(http, "openid", client_id="lexgate-public", method="none")
    assert stranger.refresh(tokens.refresh_token).json()["error"] == "invalid_grant"
    assert openid.refresh(tokens.refresh_token).status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_both(anyone: Person, sandbox: Sandbox, kind: str) -> None:
    """RFC 7009 §2.1."""
    tokens = anyone.sign_in()
    assert anyone.revoke(tokens.raw[kind]).status_code == 200
    assert anyone.api("GET", "/countries", tokens.access_token).status_code == 401
    assert anyone.refresh(tokens.refresh_token).json()["error"] == "invalid_grant"
    assert sandbox.counters.events["revoked_tokens"] == 1


def test_revoking_an_unknown_token_is_no_error(anyone: Person) -> None:
    """RFC 7009 §2.2."""
    assert anyone.revoke("nobody's").status_code == 200
    assert anyone.revoke("").status_code == 400


def test_revocation_needs_the_client(openid: Person) -> None:
    tokens = openid.sign_in()
    answer = openid.http.post("/openid/revoke", data={"token": tokens.refresh_token, "client_id": "lexgate"})
    assert answer.status_code == 401
    openid.http.post("/openid/revoke", data={"token": tokens.refresh_token, "client_id": "lexgate-public"})
    assert openid.refresh(tokens.refresh_token).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "unknown"}, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "unknown"}, "invalid_grant"),
    ],
)
def test_a_bad_token_request_is_answered_as_the_rfc_says(
    anyone: Person, form: dict[str, str], error: str
) -> None:
    """RFC 6749 §5.2."""
    answer = anyone.token_request(**form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.headers["cache-control"] == "no-store"


def test_a_repeated_parameter_is_refused_at_the_token_endpoint(anyone: Person) -> None:
    """RFC 6749 §3.2."""
    answer = anyone.http.post(
        f"{anyone.prefix}/token",
        content="grant_type=refresh_token&grant_type=refresh_token",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.json()["error"] == "invalid_request"


def test_the_token_endpoint_takes_forms_alone(anyone: Person) -> None:
    answer = anyone.http.post(f"{anyone.prefix}/token", json={"grant_type": "refresh_token"})
    assert answer.json()["error"] == "invalid_request"
    assert anyone.http.get(f"{anyone.prefix}/token").status_code == 405


def test_token_answers_are_not_stored(anyone: Person) -> None:
    """RFC 6749 §5.1."""
    answer = anyone.exchange(anyone.code())
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["token_type"] == "Bearer"


def test_an_access_token_dies_in_its_time(anyone: Person, clock: Clock) -> None:
    tokens = anyone.sign_in()
    clock.advance(tokens.raw["expires_in"] - 1)
    assert anyone.api("GET", "/countries", tokens.access_token).status_code == 200
    clock.advance(1)
    assert anyone.api("GET", "/countries", tokens.access_token).status_code == 401
    assert anyone.refresh(tokens.refresh_token).status_code == 200


@pytest.mark.parametrize("picture", ["lexware", "openid"])
def test_the_lifetime_can_be_shortened(stage: Stage, clock: Clock, http: httpx.Client, picture: str) -> None:
    stage.put_on(clock, access_token_lifetime=90)
    tokens = Person(http, "lexware" if picture == "lexware" else "openid").sign_in()
    assert tokens.raw["expires_in"] == 90
    clock.advance(90)
    assert http.get("/v1/countries", headers=_bearer(tokens)).status_code == 401


def test_everything_that_was_issued_is_on_record(anyone: Person, sandbox: Sandbox) -> None:
    code = anyone.code()
    tokens = Tokens(anyone.exchange(code).json())
    assert {code, tokens.access_token, tokens.refresh_token} <= set(sandbox.grants.issued)


def test_basic_credentials_are_form_encoded() -> None:
    """RFC 6749 §2.3.1 asks for it, though many forget it."""
    assert form_encoded("a b%") == "a+b%25"


def _bearer(tokens: Tokens) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.access_token}"}
