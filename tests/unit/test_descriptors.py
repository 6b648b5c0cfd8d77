"""The connections that are held are no more than the file descriptors are enough for."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, resource, sys
from gateway.descriptors import fit_connections
soft, hard, wanted = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(json.dumps([fit_connections(wanted), resource.getrlimit(resource.RLIMIT_NOFILE)[0]]))
"""


def fit(soft: int, hard: int, wanted: int) -> tuple[list[int], str]:
    """Return what fits and the soft limit afterwards, in a process of its own, and what it warned of."""
    command = [sys.executable, "-c", SCRIPT, str(soft), str(hard), str(wanted)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    return json.loads(ended.stdout), ended.stderr


def test_the_soft_limit_is_raised_to_what_is_needed() -> None:
    assert fit(200, 1000, 80) == ([80, 308], "")


def test_a_limit_that_is_enough_is_left_alone() -> None:
    assert fit(500, 1000, 80) == ([80, 500], "")


@pytest.mark.parametrize(("hard", "fitting"), [(1000, 387), (256, 56), (130, 1)])
def test_fewer_connections_are_held_where_the_hard_limit_is_too_low(hard: int, fitting: int) -> None:
    (held, soft), warned = fit(120, hard, 4096)
    assert (held, soft) == (fitting, hard)
    assert (held + held // 8) * 2 + 128 <= hard
    assert "LEXGATE_MAX_CONNECTIONS" in warned
