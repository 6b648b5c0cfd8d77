"""Ports for what is started in a moment, which nobody else takes meanwhile."""

from __future__ import annotations

import socket
from contextlib import suppress
from random import SystemRandom

_OWN = range(10_240, 20_000)
"""Below those that the system gives to connections: of these, the next moment any may be taken."""
_random = SystemRandom()


def free_port(*, beside: int = 0) -> int:
    """Return a port of 127.0.0.1 that was free just now, and so was the one `beside` above it."""
    while True:
        port = _random.choice(_OWN)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            if beside:
                socket.create_server(("127.0.0.1", port + beside)).close()
            return port
