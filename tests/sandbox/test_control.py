"""Steering the sandbox: faults switched on and off, and what the counters tell."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from gateway.sandbox import FAULTS, UnknownFault
from tests.support.wire import until

if TYPE_CHECKING:
    import httpx

    from gateway.sandbox import Sandbox
    from tests.sandbox.stage import Clock, Person, Stage


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


def test_arrivals_of_calls_are_told(person: Person, sandbox: Sandbox) -> None:
    token = person.sign_in().access_token
    connection = person.api("GET", "/profile", token).json()["connectionId"]
    before = time.monotonic()
    person.api("POST", "/contacts", token, json={})
    person.api("GET", "/countries?x=1", "no token")
    told = person.http.get("/sandbox/calls").json()["calls"]
    assert [(call["method"], call["path"], call["status"], call["connection"]) for call in told] == [
        ("GET", "/v1/profile", 200, connection),
        ("POST", "/v1/contacts", 406, connection),
        ("GET", "/v1/countries", 401, None),
    ]
    times = [call["at"] for call in told]
    assert times[0] < before <= times[1] < times[2] <= time.monotonic()
    assert [arrival.at for arrival in sandbox.arrivals] == times
    assert person.http.delete("/sandbox/calls").json() == {"calls": []}


def test_a_call_that_is_not_answered_yet_has_no_status(person: Person, sandbox: Sandbox) -> None:
    token = person.sign_in().access_token
    sandbox.faults.inject("api_slow", {"seconds": 0.05}, times=1)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(person.api, "GET", "/countries", token)
        until(lambda: bool(list(sandbox.arrivals)))
        (arrival,) = sandbox.arrivals
        assert arrival.status is None
        assert answer.result().status_code == arrival.status == 200


def test_the_limits_can_be_changed(person: Person) -> None:
    token = person.sign_in().access_token
    assert person.http.get("/sandbox/limits").json() == {"rate": 1000, "burst": 1000}
    told = person.http.post("/sandbox/limits", json={"rate": 0.5, "burst": 1}).json()
    assert told == {"rate": 0.5, "burst": 1}
    assert [person.api("GET", "/countries", token).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"rate": 2},
        {"rate": "2", "burst": 2},
        {"rate": 0, "burst": 2},
        {"rate": True, "burst": 2},
        {"rate": 2, "burst": 1.5},
        {"rate": 2, "burst": 0},
    ],
)
def test_limits_that_cannot_be_are_refused(person: Person, order: dict[str, Any]) -> None:
    assert person.http.post("/sandbox/limits", json=order).status_code == 400
    assert person.http.get("/sandbox/limits").json() == {"rate": 1000, "burst": 1000}


def test_the_rate_can_be_shared_by_a_clients_connections(
    stage: Stage, clock: Clock, http: httpx.Client, person: Person
) -> None:
    assert http
    stage.put_on(clock, rate=1, burst=2, limit_by="client")
    first, second = person.sign_in("anna"), person.sign_in_again("jonas")
    tokens = (first.access_token, second.access_token, first.access_token)
    assert [person.api("GET", "/countries", token).status_code for token in tokens] == [200, 200, 429]


def test_calls_as_far_apart_as_the_rate_allows_are_never_too_many(
    stage: Stage, clock: Clock, person: Person
) -> None:
    stage.put_on(clock, rate=3.0, burst=1)
    token = person.sign_in().access_token
    for _ in range(20):
        assert person.api("GET", "/countries", token).status_code == 200
        clock.advance(1 / 3)


def test_the_clock_can_be_moved(person: Person, sandbox: Sandbox, clock: Clock) -> None:
    token = person.sign_in().access_token
    assert person.http.get("/sandbox/clock").json() == {"now": clock.now, "offset_seconds": 0}
    moved = person.http.post("/sandbox/clock", json={"offset_seconds": 86400}).json()
    assert moved == {"now": clock.now + 86400, "offset_seconds": 86400}
    assert sandbox.now() == clock.now + 86400
    assert person.api("GET", "/countries", token).status_code == 401
    person.http.post("/sandbox/clock", json={"offset_seconds": 0})
    assert person.api("GET", "/countries", token).status_code == 200


def test_the_rate_does_not_follow_a_clock_that_is_moved(stage: Stage, clock: Clock, person: Person) -> None:
    sandbox = stage.put_on(clock, rate=1.0, burst=1)
    token = person.sign_in().access_token
    for offset, advance, status in ((0, 0, 200), (3600, 0, 429), (-3600, 1, 200), (0, 0, 429)):
        sandbox.move_clock(offset)
        clock.advance(advance)
        assert person.api("GET", "/countries", token).status_code == status, offset


@pytest.mark.parametrize("offset", ["1", None, True, 1e12, [1]])
def test_a_clock_that_cannot_be_is_refused(person: Person, sandbox: Sandbox, offset: object) -> None:
    assert person.http.post("/sandbox/clock", json={"offset_seconds": offset}).status_code == 400
    assert sandbox.clock_offset == 0


def test_the_books_are_changed_by_order(person: Person) -> None:
    def order(status: int = 200, **order: Any) -> Any:  # noqa: ANN401 - JSON
        answer = person.http.post("/sandbox/changes", json={"organization": "nordlicht", **order})
        assert answer.status_code == status, answer.text
        return answer.json()

    token = person.sign_in().access_token
    drawn = order(action="add_random_invoice")
    assert person.api("GET", f"/invoices/{drawn['id']}", token).json() == drawn
    contact = drawn["address"]["contactId"]
    made = order(action="add_invoice", contact_id=contact, gross=11900)
    assert made["totalPrice"] == {
        "currency": "EUR",
        "totalNetAmount": 100.0,
        "totalGrossAmount": 119.0,
        "totalTaxAmount": 19.0,
    }
    order(action="pay", voucher_id=made["id"], amount=1900)
    assert person.api("GET", f"/payments/{made['id']}", token).json()["openAmount"] == 100.0
    order(400, action="void", voucher_id=made["id"])
    order(400, action="pay", voucher_id=made["id"], amount=10001)
    assert order(action="pay", voucher_id=made["id"])["voucherStatus"] == "paid"
    order(400, action="pay", voucher_id=made["id"])
    assert order(action="void", voucher_id=drawn["id"])["voucherStatus"] == "voided"
    order(400, action="void", voucher_id="unknown")
    order(400, action="add_invoice", contact_id="unknown", gross=1)
    order(400, action="add_invoice", contact_id=contact, gross=0)
    order(400, action="add_invoice", contact_id=contact)
    order(400, action="burn")
    order(400, organization="acme", action="add_random_invoice")
