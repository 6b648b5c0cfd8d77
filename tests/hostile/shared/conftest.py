"""The same stages with a route whose answers are shared: nothing may be different to a browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.hostile.conftest import SHORT
from tests.hostile.stage import Stage, running_stage

if TYPE_CHECKING:
    from collections.abc import Iterator


def routes(**more: Any) -> dict[str, str]:  # noqa: ANN401 - keys of a route
    return {"LEXGATE_ROUTES": json.dumps([{"prefix": "/api", "share": True, **more}])}


@pytest.fixture(scope="module")
def _stage() -> Iterator[Stage]:
    with running_stage(routes()) as stage:
        yield stage


@pytest.fixture(scope="module")
def _impatient_stage() -> Iterator[Stage]:
    timeouts = {"connect": SHORT, "first_byte": SHORT, "idle": SHORT, "total": 8}
    with running_stage(routes(timeouts=timeouts)) as stage:
        yield stage
