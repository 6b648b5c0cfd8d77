"""Fixtures: a stage for the whole run, and for each test a fresh sandbox, a clock and a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.sandbox.stage import Clock, Person, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.sandbox import Sandbox


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    yield from Stage().serve()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(stage: Stage, clock: Clock) -> Sandbox:
    return stage.put_on(clock)


@pytest.fixture(scope="session")
def client(stage: Stage) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stage.base_url, timeout=10) as client:
        yield client


@pytest.fixture
def http(client: httpx.Client) -> httpx.Client:
    client.cookies.clear()
    return client


@pytest.fixture
def person(http: httpx.Client, sandbox: Sandbox) -> Person:
    assert sandbox
    return Person(http)


@pytest.fixture(params=["lexware", "openid"])
def anyone(request: pytest.FixtureRequest, http: httpx.Client, sandbox: Sandbox) -> Person:
    """Give a person in either picture."""
    assert sandbox
    return Person(http, request.param)


@pytest.fixture
def openid(http: httpx.Client, sandbox: Sandbox) -> Person:
    assert sandbox
    return Person(http, "openid")
