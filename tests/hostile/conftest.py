"""What hostile tests share: one stage for each module, looked over after each test."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

import gateway.http_draining
from tests.hostile.places import assert_places
from tests.hostile.stage import Stage, running_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile(
    "hostile", max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
settings.register_profile(
    "hostile-deep", max_examples=5000, deadline=None, suppress_health_check=list(HealthCheck)
)
PROFILE = settings.get_profile(os.environ.get("HOSTILE_PROFILE", "hostile"))

SHORT = 0.3
"""Seconds that an impatient gateway waits for the first byte, and between two."""


@pytest.fixture(autouse=True, scope="session")
def _no_lingering() -> Iterator[None]:
    """Let the servers of a stage end at once: nobody is connected to them any more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateway.http_draining, "LINGER_SECONDS", 0.05)
        yield


@pytest.fixture(scope="module")
def _stage() -> Iterator[Stage]:
    with running_stage() as stage:
        yield stage


@pytest.fixture
def stage(_stage: Stage) -> Iterator[Stage]:
    _stage.reset()
    yield _stage
    _stage.assert_nothing_is_left()


@pytest.fixture(scope="module")
def _impatient_stage() -> Iterator[Stage]:
    # A whole call may take as long as the tests wait.
    timeouts = {"connect": SHORT, "first_byte": SHORT, "idle": SHORT, "total": 8}
    with running_stage({"LEXGATE_ROUTES": json.dumps([{"prefix": "/api", "timeouts": timeouts}])}) as stage:
        yield stage


@pytest.fixture
def impatient(_impatient_stage: Stage) -> Iterator[Stage]:
    _impatient_stage.reset()
    yield _impatient_stage
    _impatient_stage.assert_nothing_is_left()


@pytest.fixture(scope="module")
def _tight_stage() -> Iterator[Stage]:
    with running_stage({"LEXGATE_SESSION_CONCURRENCY": "2"}) as stage:
        yield stage


@pytest.fixture
def tight(_tight_stage: Stage) -> Iterator[Stage]:
    """Give a stage on which a session may have two calls under way, and still may after the test."""
    _tight_stage.reset()
    yield _tight_stage
    _tight_stage.assert_nothing_is_left()
    assert_places(_tight_stage, _tight_stage.anna)
    _tight_stage.assert_nothing_is_left()
