"""What the tests of the command line share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.cli.examined import well
from tests.flows.cli.stage import HeldApi, Stage, serving, settings_before
from tests.support.running import running_app
from tests.support.wire import Wire, running_wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[Wire]:
    """Run a scripted authorization server and API that are well."""
    with running_wire() as wire:
        wire.script = well
        yield wire


@pytest.fixture
def api() -> Iterator[HeldApi]:
    """Run an API; whatever it holds at the end is let go."""
    api = HeldApi()
    with running_app(api) as api.url:
        yield api
        api.released.set()


@pytest.fixture
def stage(api: HeldApi, tmp_path: Path) -> Iterator[Stage]:
    """Run `lexgate serve` before that API."""
    with serving(api, settings_before(api), tmp_path) as stage:
        yield stage
