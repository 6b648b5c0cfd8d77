"""What flow tests share: a gateway in both pictures, once for each module, and a browser for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.browser import Browser
from tests.support.running import running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running


@pytest.fixture(scope="module", params=["lexware", "openid"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    with running_gateway(request.param) as running:
        yield running


@pytest.fixture
def browser(running: Running) -> Iterator[Browser]:
    """Open a browser that knows nothing yet; what an earlier test injected is gone."""
    running.sandbox.faults.clear()
    with Browser(running.public_url) as browser:
        yield browser
    running.sandbox.faults.clear()


@pytest.fixture
def other_browser(running: Running) -> Iterator[Browser]:
    """Open somebody else's browser."""
    with Browser(running.public_url) as browser:
        yield browser
