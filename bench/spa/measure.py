"""Loads each view from an empty cache and again from a full one, several times, and takes the medians."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from bench.spa.browser import slow_down
from tests.support.vitals import Vitals, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.sync_api import Page

    from bench.spa.views import View


@dataclass(frozen=True, slots=True)
class Loads:
    """All loads of one view in one state of the cache."""

    view: str
    is_cold: bool
    loads: tuple[Vitals, ...] = field(repr=False)

    def middle(self, figure: Callable[[Vitals], float]) -> float:
        """Return the median of a figure over the loads."""
        return median(figure(load) for load in self.loads)

    def worst_shift(self) -> float:
        """Return the largest shift of any load: a view that moves once moves."""
        return max(load.shift for load in self.loads)


def measure_all(page: Page, views: Sequence[View], rounds: int) -> list[Loads]:
    """Measure the views; each comes once in every round, so that a bad minute meets all of them."""
    paths = {view.name: view.find(page) for view in views}
    watch = Watch(page)
    slow_down(watch)
    found: dict[tuple[str, bool], list[Vitals]] = {}
    for number in range(rounds):
        for view in views:
            for is_cold in (True, False):
                vitals = watch.load(paths[view.name], is_cold=is_cold)
                found.setdefault((view.name, is_cold), []).append(vitals)
            sys.stderr.write(f"round {number + 1}: {view.name}\n")
    return [Loads(name, is_cold, tuple(loads)) for (name, is_cold), loads in found.items()]


def api_bytes(load: Vitals) -> int:
    """Return the bytes of the API's answers."""
    return sum(one.body_bytes for one in load.sent if one.path.startswith("/api/"))


def wire_bytes(load: Vitals) -> int:
    """Return the bytes of all but the API's answers, fields included, as HTTP/1.1 sends them."""
    return sum(one.wire_bytes for one in load.sent if not one.path.startswith("/api/"))


def kind_bytes(load: Vitals, kind: str) -> int:
    """Return the bytes of the coded bodies of one kind, but for the API's answers."""
    return sum(one.body_bytes for one in load.sent if one.kind == kind and not one.path.startswith("/api/"))
