"""Several gateways on one store: one refresh for all of them, whoever dies in the middle of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

import pytest

from tests.contract.redis_servers import RedisServer, free_port
from tests.support.browser import Browser
from tests.support.replicas import CALLS, PROFILE, REPLICAS, Replicas, dying
from tests.support.running import RunningClock, running_gateway, running_replica
from tests.support.wire import SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.running import Running

LEASE = 0.6


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def gateways(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Running]]:
    folder = tmp_path_factory.mktemp("replicas")
    settings = {"LEXGATE_SESSION_IDLE": "86400", "LEXGATE_SESSION_MAX": "86400"}
    with ExitStack() as stack:
        store = f"sqlite:///{folder / 'sessions.sqlite'}"
        if request.param == "redis":
            server = RedisServer(folder, free_port())
            stack.callback(server.stop)
            store = f"redis://127.0.0.1:{server.port}"
        first = stack.enter_context(
            running_gateway("lexware", settings=settings, store=store, clock=RunningClock())
        )
        yield [first, *(stack.enter_context(running_replica(first)) for _ in range(REPLICAS - 1))]


@pytest.fixture
def replicas(gateways: list[Running]) -> Iterator[Replicas]:
    """Sign a person in; all faults are off."""
    with ExitStack() as stack:
        browsers = [stack.enter_context(Browser(gateway.public_url, via=gateway.url)) for gateway in gateways]
        yield Replicas(gateways, browsers)
        gateways[0].sandbox.faults.clear()


def call_until_it_dies(replicas: Replicas, *, stops: Literal["before", "after"]) -> httpx.Response:
    """Let the first gateway die in a refresh while another one's call waits for it; returns its answer."""
    with ThreadPoolExecutor(2) as threads:
        with dying(replicas.gateways[0], stops=stops) as held:
            threads.submit(replicas.browsers[0].fetch, PROFILE)
            assert held.stopped.wait(SECONDS)
            waiting = threads.submit(replicas.browsers[1].fetch, PROFILE)
        return waiting.result()


def test_a_token_that_is_over_causes_one_refresh(replicas: Replicas) -> None:
    replicas.expire(left=-1)
    replicas.faults.inject("token_slow", {"seconds": 0.3})
    assert replicas.call_all() == [200] * CALLS
    assert (replicas.sent(), replicas.done()) == (1, 1)
    replicas.assert_whole(generation=2)


def test_a_token_that_is_nearly_over_causes_one_refresh_and_nobody_waits(replicas: Replicas) -> None:
    replicas.expire(left=30)
    replicas.faults.inject("token_slow", {"seconds": 3}, times=1)
    assert replicas.call_all() == [200] * CALLS
    assert replicas.done() == 0, "all were served before the refresh had come to its end"
    replicas.faults.clear()
    until(lambda: replicas.done() == 1)
    replicas.assert_whole(generation=2)
    assert replicas.sent() == 2, "one by all the calls, one to prove the tokens"


def test_a_token_that_the_api_refuses_causes_one_refresh(replicas: Replicas) -> None:
    replicas.faults.inject("access_token_death")
    replicas.faults.inject("token_slow", {"seconds": 0.3})
    assert replicas.call_all() == [200] * CALLS
    assert (replicas.sent(), replicas.done()) == (1, 1)
    replicas.assert_whole(generation=2)


def test_a_refresh_that_takes_longer_than_its_lease_is_not_taken_over(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sessions.refresh_lease.LEASE_SECONDS", LEASE)
    replicas.expire(left=-1)
    replicas.faults.inject("token_slow", {"seconds": 3 * LEASE})
    assert replicas.call_all() == [200] * CALLS
    assert (replicas.sent(), replicas.done()) == (1, 1)


def test_a_gateway_that_dies_before_it_spends_the_token_loses_nothing(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sessions.refresh_lease.LEASE_SECONDS", LEASE)
    monkeypatch.setattr("gateway.sessions.refresh_lease.DOUBT_LOOKS", 2)
    replicas.expire(left=-1)
    assert call_until_it_dies(replicas, stops="before").status_code == 200
    assert (replicas.sent(), replicas.done()) == (1, 1)
    replicas.assert_whole(generation=2)


def test_a_gateway_that_dies_with_the_new_tokens_in_hand_is_told_as_the_reason(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sessions.refresh_lease.LEASE_SECONDS", LEASE)
    monkeypatch.setattr("gateway.sessions.refresh_lease.DOUBT_LOOKS", 2)
    replicas.expire(left=-1)
    refused = call_until_it_dies(replicas, stops="after")
    assert (refused.status_code, refused.json()["reason"]) == (401, "refresh_lost")
    for browser in replicas.browsers:
        document = browser.fetch("/auth/session").json()
        assert (document["active"], document["reason"]) == (False, "refresh_lost")
    assert replicas.sent() == 2
    assert replicas.browsers[1].sign_in().status_code == 200


def test_a_refresh_without_an_answer_is_tried_once_more_and_told_if_it_was_lost(replicas: Replicas) -> None:
    replicas.expire(left=-1)
    replicas.faults.inject("refresh_lost", times=1)
    assert replicas.browsers[0].fetch(PROFILE).status_code == 503
    assert replicas.browsers[1].fetch("/auth/session").json()["active"] is True
    refused = replicas.browsers[1].fetch(PROFILE)
    assert (refused.status_code, refused.json()["reason"]) == (401, "refresh_lost")
    assert replicas.browsers[2].fetch("/auth/session").json()["reason"] == "refresh_lost"


def test_a_sign_out_at_one_gateway_ends_the_session_at_all(replicas: Replicas) -> None:
    assert replicas.browsers[0].fetch("/auth/logout", "POST").status_code == 200
    for browser in replicas.browsers[1:]:
        assert browser.fetch("/auth/session").json()["reason"] == "signed_out"
        refused = browser.fetch(PROFILE)
        assert (refused.status_code, refused.json()["reason"]) == (401, "signed_out")


def test_a_sign_out_during_another_gateways_refresh_leaves_no_tokens_alive(replicas: Replicas) -> None:
    """RFC 7009: what the refresh brings afterwards is revoked as well."""
    sandbox = replicas.gateways[0].sandbox
    connection = sandbox.grants.connections()[-1]
    replicas.expire(left=-1)
    replicas.faults.inject("token_slow", {"seconds": 0.5}, times=1)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(replicas.browsers[0].fetch, PROFILE)
        until(lambda: replicas.sent() == 1)
        assert replicas.browsers[1].fetch("/auth/logout", "POST").status_code == 200
        assert call.result().status_code == 401
    replicas.clock.advance(61)
    last = replicas.gateways[2]
    last.call(last.gateway._revocation.retry())  # noqa: SLF001 - it comes once a minute by itself
    last.call(last.gateway._revocation.drain())  # noqa: SLF001 - nothing else tells when it is done
    assert connection.id not in {each.id for each in sandbox.grants.connections()}
