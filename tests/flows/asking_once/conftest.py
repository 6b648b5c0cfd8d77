"""What the tests of shared calls have in common: a stage on which answers are shared and kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.flows.asking_once.scene import Scene
from tests.hostile.stage import running_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = {
    "LEXGATE_CACHE": json.dumps({"/api/v1/kept": 300, "/api/v1/kept/never": 0}),
    "LEXGATE_CACHE_BYTES": "800000",
    "LEXGATE_GRANTS": "connection",
}


@pytest.fixture(scope="module")
def _scene() -> Iterator[Scene]:
    with running_stage(SETTINGS, people=("anna", "anna", "jonas")) as stage:
        yield Scene(stage)


@pytest.fixture
def scene(_scene: Scene) -> Iterator[Scene]:
    _scene.reset()
    yield _scene
    _scene.gate.set()
    _scene.stage.assert_nothing_is_left()
