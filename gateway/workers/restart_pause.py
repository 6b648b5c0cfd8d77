"""How long to wait before a worker that died is replaced."""

from __future__ import annotations

STEADY_SECONDS = 10.0
"""Who lived this long did not die of how it was started."""
_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 30.0


def next_pause(previous: float, *, lived: float) -> float:
    """Return the pause in seconds: none after a steady life, else twice the previous one."""
    if lived >= STEADY_SECONDS:
        return 0.0
    return min(_LONGEST_SECONDS, max(_FIRST_SECONDS, 2 * previous))
