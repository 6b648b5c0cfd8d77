"""Steering the sandbox: faults switched on and off, and what the counters tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.sandbox import FAULTS, UnknownFault

if TYPE_CHECKING:
    from gateway.sandbox import Sandbox
    from tests.sandbox.stage import Person


def test_faults_are_listed_and_cleared_over_http(person: Person) -> None:
    order = {"name": "api_500", "parameters": {"path": "/v1/invoices"}, "times": 2}
    active = person.http.post("/sandbox/faults", json=order).json()["faults"]
    assert active == [order]
    person.http.post("/sandbox/faults", json={"name": "token_slow"})
    assert len(person.http.get("/sandbox/faults").json()["faults"]) == 2
    left = person.http.delete("/sandbox/faults?name=api_500").json()["faults"]
    assert [fault["name"] for fault in left] == ["token_slow"]
    assert person.http.delete("/sandbox/faults").json() == {"faults": []}


def test_an_unknown_fault_is_answered_with_all_names(person: Person, sandbox: Sandbox) -> None:
    answer = person.http.post("/sandbox/faults", json={"name": "gremlins"})
    assert answer.status_code == 400
    assert all(name in answer.json()["message"] for name in FAULTS)
    with pytest.raises(UnknownFault, match="gremlins"):
        sandbox.faults.inject("gremlins")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"name": 1}',
        b'{"name": "api_500", "times": 0}',
        b'{"name": "api_500", "times": "x"}',
        b'{"name": "api_500", "times": true}',
        b'{"name": "api_500", "parameters": []}',
        b'{"name": "api_500", "parameters": [1]}',
        b'{"name": "api_504", "parameters": {"seconds": "long"}}',
        b'{"name": "api_504", "parameters": {"seconds": []}}',
    ],
)
def test_a_malformed_order_is_refused(person: Person, sandbox: Sandbox, body: bytes) -> None:
    answer = person.http.post("/sandbox/faults", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, sandbox.faults.active()) == (400, ())


def test_a_form_of_another_site_cannot_inject(person: Person) -> None:
    answer = person.http.post(
        "/sandbox/faults", content='{"name": "api_500"}', headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 415


def test_counters_tell_what_happened(person: Person) -> None:
    tokens = person.sign_in()
    person.refresh(tokens.refresh_token)
    person.refresh(tokens.refresh_token)
    person.api("GET", "/nothing", "x")
    told = person.http.get("/sandbox/counters").json()
    assert told["token_requests"] == {"authorization_code": 1, "refresh_token": 2}
    assert told["token_answers"] == {"authorization_code": 1, "refresh_token": 1}
    assert told["token_errors"] == {"invalid_grant": 1}
    assert (told["api_calls"], told["api_calls_by_route"], told["api_answers"]) == (
        1,
        {"unknown": 1},
        {"403": 1},
    )
    assert told["events"]["refresh_reuse"] == 1
