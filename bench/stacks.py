"""Sampled stacks, read into how much of the time each function has."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_WAITING = ("_queue_SimpleQueue_get", "epoll_wait")
"""Where a thread pool's threads, and a loop without events, sleep."""


@dataclass(slots=True)
class Shares:
    """Samples by function: `own` where it was the innermost, `within` where it was anywhere on the stack."""

    samples: int = 0
    own: Counter[str] = field(default_factory=Counter)
    within: Counter[str] = field(default_factory=Counter)


def parse_stacks(lines: Iterable[str]) -> Shares:
    """Read folded stacks, `outermost;...;innermost count` each; ValueError for anything else.

    A thread that waits for work is left out: it is on no core.
    """
    shares = Shares()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        functions = [name for name in stack.split(";") if not name.startswith(("process ", "thread "))]
        if not functions:
            raise ValueError(f"not a folded stack: {line!r}")
        if any(name.startswith(_WAITING) for name in functions):
            continue
        shares.samples += int(count)
        shares.own[functions[-1]] += int(count)
        shares.within.update(dict.fromkeys(functions, int(count)))
    return shares
