"""Faults: what each of them does, and how often."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.sandbox import USERS
from gateway.sandbox.authorization_server.authorization_request import AuthorizationRequest, ReturnAddress
from tests.sandbox.stage import Clock, Person, Stage, Tokens
from tests.sandbox.test_openid import claims_of

if TYPE_CHECKING:
    from gateway.sandbox import Sandbox


def test_times_counts_the_strikes(person: Person, sandbox: Sandbox) -> None:
    token = person.sign_in().access_token
    sandbox.faults.inject("api_500", times=2)
    statuses = [person.api("GET", "/countries", token).status_code for _ in range(3)]
    assert statuses == [500, 500, 200]


def test_a_fault_can_be_kept_to_a_path_and_method(person: Person, sandbox: Sandbox) -> None:
    token = person.sign_in().access_token
    sandbox.faults.inject("api_500", {"path": "/v1/contacts", "method": "get"})
    assert person.api("GET", "/countries", token).status_code == 200
    assert person.api("GET", "/contacts", token).status_code == 500
    assert person.api("POST", "/contacts", token, json={}).status_code == 406


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("api_401", 401, "Unauthorized"),
        ("api_429", 429, "Rate limit exceeded"),
        ("api_500", 500, "An unexpected error occurred"),
    ],
)
def test_api_faults_answer_in_the_vendors_shape(
    person: Person, sandbox: Sandbox, name: str, status: int, message: str
) -> None:
    token = person.sign_in().access_token
    sandbox.faults.inject(name, times=1)
    answer = person.api("GET", "/profile", token)
    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert person.api("GET", "/profile", token).status_code == 200


def test_the_echo_quotes_the_bearer_token(anyone: Person, sandbox: Sandbox) -> None:
    token = anyone.sign_in().access_token
    sandbox.faults.inject("api_403_echo")
    answer = anyone.api("GET", "/countries", token)
    assert answer.status_code == 403
    assert token in answer.json()["message"]


def test_a_504_comes_after_the_work_is_done(person: Person, sandbox: Sandbox) -> None:
    token = person.sign_in().access_token
    sandbox.faults.inject("api_504", {"seconds": 0}, times=1)
    contact = {"version": 0, "roles": {"customer": {}}, "company": {"name": "Spät GmbH"}}
    answer = person.api("POST", "/contacts", token, json=contact)
    assert (answer.status_code, answer.json()) == (504, {"message": "Endpoint request timed out"})
    assert person.api("GET", "/contacts?name=Spät", token).json()["totalElements"] == 1


@pytest.mark.parametrize("name", ["api_abort", "api_dropped"])
def test_a_broken_connection_is_really_broken(person: Person, sandbox: Sandbox, name: str) -> None:
    token = person.sign_in().access_token
    sandbox.faults.inject(name, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        person.api("GET", "/profile", token)
    assert person.api("GET", "/profile", token).status_code == 200


def test_an_aborted_answer_arrives_in_part(person: Person, sandbox: Sandbox) -> None:
    bearer = {"Authorization": f"Bearer {person.sign_in().access_token}"}
    sandbox.faults.inject("api_abort", times=1)
    received: list[bytes] = []
    with person.http.stream("GET", "/v1/countries", headers=bearer) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            received.extend(answer.iter_raw())
    assert 0 < len(b"".join(received)) < int(answer.headers["content-length"])


async def test_a_server_that_cannot_hang_up_fails_loudly(sandbox: Sandbox, stage: Stage) -> None:
    sandbox.faults.inject("refresh_lost")
    transport = httpx.ASGITransport(stage.answer)
    async with httpx.AsyncClient(transport=transport, base_url=stage.base_url) as client:
        credentials = {"client_id": "lexgate-public", "grant_type": "refresh_token"}
        with pytest.raises(ConnectionAbortedError):
            await client.post("/openid/token", data={**credentials, "refresh_token": public_token(sandbox)})


def public_token(sandbox: Sandbox) -> str:
    """Give out a refresh token without a browser."""
    client = sandbox.clients.find("lexgate-public", "openid")
    assert client
    request = AuthorizationRequest(
        address=ReturnAddress(client=client, redirect_uri="x", state=None),
        scope=("openid",),
        code_challenge=None,
    )
    login = sandbox.logins.sign_in(USERS["anna"], now=sandbox.now())
    code = sandbox.grants.issue_code(request, login, now=sandbox.now())
    return sandbox.grants.redeem(
        code, client, redirect_uri="x", code_verifier=None, now=sandbox.now()
    ).refresh_token


def test_slow_faults_wait(person: Person, sandbox: Sandbox) -> None:
    sandbox.faults.inject("token_slow", {"seconds": 0.05}, times=1)
    sandbox.faults.inject("api_slow", {"seconds": 0.05}, times=1)
    started = time.monotonic()
    token = person.sign_in().access_token
    assert person.api("GET", "/countries", token).status_code == 200
    assert time.monotonic() - started >= 0.1
    assert sandbox.faults.active() == ()


def test_a_failing_token_endpoint_spends_nothing(anyone: Person, sandbox: Sandbox) -> None:
    tokens = anyone.sign_in()
    sandbox.faults.inject("token_failing", times=1)
    sandbox.faults.inject("token_429", {"seconds": 7}, times=1)
    assert anyone.refresh(tokens.refresh_token).status_code == 500
    limited = anyone.refresh(tokens.refresh_token)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    assert anyone.refresh(tokens.refresh_token).status_code == 200


def test_invalid_grant_strikes_refreshes_alone(anyone: Person, sandbox: Sandbox) -> None:
    sandbox.faults.inject("token_invalid_grant", times=1)
    tokens = anyone.sign_in()
    assert anyone.refresh(tokens.refresh_token).json()["error"] == "invalid_grant"
    assert anyone.refresh(tokens.refresh_token).status_code == 200


@pytest.mark.parametrize("name", ["token_aborting", "refresh_lost"])
def test_a_lost_refresh_has_rotated_all_the_same(anyone: Person, sandbox: Sandbox, name: str) -> None:
    tokens = anyone.sign_in()
    sandbox.faults.inject(name, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        anyone.refresh(tokens.refresh_token)
    assert anyone.api("GET", "/countries", tokens.access_token).status_code == 401
    assert anyone.refresh(tokens.refresh_token).json()["error"] == "invalid_grant"
    assert sandbox.counters.events["refresh_reuse"] == 1


def test_access_tokens_can_die_at_once(anyone: Person, sandbox: Sandbox) -> None:
    tokens = anyone.sign_in()
    sandbox.faults.inject("access_token_death")
    assert sandbox.faults.active() == ()
    assert anyone.api("GET", "/countries", tokens.access_token).status_code == 401
    fresh = Tokens(anyone.refresh(tokens.refresh_token).json())
    assert anyone.api("GET", "/countries", fresh.access_token).status_code == 200


def test_access_tokens_can_die_early(anyone: Person, sandbox: Sandbox, clock: Clock) -> None:
    sandbox.faults.inject("access_token_death", {"after": 20}, times=1)
    tokens = anyone.sign_in()
    assert tokens.raw["expires_in"] >= 3600
    clock.advance(20)
    assert anyone.api("GET", "/countries", tokens.access_token).status_code == 401
    assert anyone.refresh(tokens.refresh_token).status_code == 200


def test_connections_can_end_at_once_or_later(anyone: Person, sandbox: Sandbox, clock: Clock) -> None:
    tokens = anyone.sign_in()
    sandbox.faults.inject("connection_revoked")
    assert anyone.refresh(tokens.refresh_token).json()["error"] == "invalid_grant"
    sandbox.faults.inject("connection_revoked", {"after": 60}, times=1)
    tokens = anyone.sign_in()
    assert anyone.api("GET", "/countries", tokens.access_token).status_code == 200
    clock.advance(60)
    assert anyone.api("GET", "/countries", tokens.access_token).status_code == 401
    assert anyone.refresh(tokens.refresh_token).json()["error"] == "invalid_grant"


def test_a_key_roll_signs_anew_and_still_publishes_the_old_key(openid: Person, sandbox: Sandbox) -> None:
    old = openid.sign_in().raw["id_token"]
    sandbox.faults.inject("key_roll")
    new = openid.sign_in().raw["id_token"]
    first, second = (claims_of(openid, token)[0]["kid"] for token in (old, new))
    assert first != second
    sandbox.faults.inject("key_roll")
    assert len(openid.http.get("/openid/jwks").json()["keys"]) == 2


@pytest.mark.parametrize("seconds", [900, -900])
def test_clock_skew_shifts_id_tokens_alone(
    openid: Person, sandbox: Sandbox, clock: Clock, seconds: int
) -> None:
    sandbox.faults.inject("clock_skew", {"seconds": seconds}, times=1)
    answer = openid.sign_in().raw
    id_token, access = (claims_of(openid, answer[name])[1] for name in ("id_token", "access_token"))
    assert id_token["iat"] - int(clock.now) == seconds
    assert access["iat"] == int(clock.now)
    assert openid.api("GET", "/countries", answer["access_token"]).status_code == 200
