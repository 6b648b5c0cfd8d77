"""What the tests of the command line share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.cli.examined import well
from tests.support.wire import Wire, running_wire

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[Wire]:
    """Run a scripted authorization server and API that are well."""
    with running_wire() as wire:
        wire.script = well
        yield wire
