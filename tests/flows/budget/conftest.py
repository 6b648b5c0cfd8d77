"""What the tests of the budget share: each has a budget of its own, for one is full after a pause alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.budget.paced import paced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.flows.budget.paced import Paced


@pytest.fixture
def slow() -> Iterator[Paced]:
    """Run a gateway that sends five calls a second, one at a time."""
    with paced(5) as slow:
        yield slow
