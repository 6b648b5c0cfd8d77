"""How many connections this process's file descriptors are enough for."""

from __future__ import annotations

import logging
import resource

PER_CONNECTION = 2
"""One for the browser, one for the resource server."""
RESERVED = 128
"""For listeners, the store, the authorization server and files."""

_LOGGER = logging.getLogger(__name__)


def fit_connections(wanted: int) -> int:
    """Raise the process's soft limit as far as `wanted` connections need and the hard limit allows.

    Returns how many can be held: with more, the call that is served could not connect to the API.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # An eighth more is let in for a moment, to be told that the gateway is full.
    needed = (wanted + wanted // 8) * PER_CONNECTION + RESERVED
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    fitting = max(1, (soft - RESERVED) * 8 // (9 * PER_CONNECTION))
    _LOGGER.warning(
        "LEXGATE_MAX_CONNECTIONS is more than the file descriptors allow; raise the hard limit of open files",
        extra={"fields": {"max_connections": fitting, "open_files": soft}},
    )
    return fitting
