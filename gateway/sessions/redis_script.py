"""The one script that does all of the Redis store's operations."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from gateway.sessions import turn
from gateway.sessions.event_log import EVENT_LOG_SECONDS, EVENTS_KEPT, EVENTS_SECONDS
from gateway.sessions.kept_answers import MARK_SECONDS
from gateway.sessions.records import (
    HANDED_SECONDS,
    REVOCATION_SECONDS,
    SWEEP_SESSIONS,
    TOKENS_DEAD,
    TOMBSTONE_SECONDS,
)

_FILES = ("steps", "sessions", "events", "grants", "turns", "answers")
_OF_TURNS = ("EARLY", "GRACE", "LEASE", "MARGIN", "RECOVERY", "SLOWED_SECONDS", "SLOWEST", "SLOWING", "STEP")
_PERFORM = "\nreturn operations[operation](unpack(ARGV, 3))\n"


def _build_script() -> bytes:
    constants = {
        "EVENT_LOG_SECONDS": EVENT_LOG_SECONDS,
        "EVENTS_KEPT": EVENTS_KEPT,
        "EVENTS_SECONDS": EVENTS_SECONDS,
        "HANDED_SECONDS": HANDED_SECONDS,
        "MARK_SECONDS": MARK_SECONDS,
        "REVOCATION_SECONDS": REVOCATION_SECONDS,
        "SWEEP": SWEEP_SESSIONS,
        "TOMBSTONE_SECONDS": TOMBSTONE_SECONDS,
        "TOKENS_DEAD": "{" + ", ".join(f"{reason} = true" for reason in sorted(TOKENS_DEAD)) + "}",
        "TURN": "{" + ", ".join(f"{name} = {getattr(turn, name)!r}" for name in _OF_TURNS) + "}",
    }
    head = "".join(f"local {name} = {value}\n" for name, value in constants.items())
    folder = files("gateway.sessions") / "lua"
    parts = [head, *((folder / f"{name}.lua").read_text() for name in _FILES), _PERFORM]
    return "".join(parts).encode()


SCRIPT = _build_script()
DIGEST = hashlib.sha1(SCRIPT, usedforsecurity=False).hexdigest()
"""By which Redis knows a script that it has seen."""
