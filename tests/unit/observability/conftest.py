"""A process's logging, set up for one test and put back."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING

import pytest

from gateway.observability.logs import configure_logging

if TYPE_CHECKING:
    from collections.abc import Iterator


class Lines:
    """The stream that the log goes to, as parsed lines."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def all(self) -> list[dict[str, object]]:
        """Return every line; each must be one JSON object."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def only(self) -> dict[str, object]:
        """Return the one line that there is."""
        (line,) = self.all()
        return line


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Log at info to a stream."""
    names = ("gateway", "gateway.audit", "uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    before = [
        (logger, logger.handlers[:], logger.level, logger.propagate)
        for logger in map(logging.getLogger, names)
    ]
    target = Lines()
    configure_logging("info", target.stream)
    yield target
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger, its_handlers, its_level, propagate in before:
        logger.handlers[:] = its_handlers
        logger.setLevel(its_level)
        logger.propagate = propagate
