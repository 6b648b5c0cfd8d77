"""What a row of trials came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.chaos.call import Answer


@dataclass
class Result:
    """One line of the table; `broken` says which promises did not hold."""

    row: str
    store: str
    trials: int = 0
    refreshes: int = 0
    lost: int = 0
    server: str = ""
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def expect(self, seen: object, wanted: object, what: str) -> None:
        """Note a promise that was broken."""
        if seen != wanted:
            self.broken.append(f"{what}: {seen}, not {wanted}")

    def expect_statuses(self, answers: Iterable[Answer], allowed: set[int], what: str) -> None:
        """Note answers that no caller should have had."""
        seen = Counter(answer.status for answer in answers)
        if seen.keys() - allowed:
            self.broken.append(f"{what}: answers {dict(seen)}, allowed are {sorted(allowed)}")

    def count_lost(self, reasons: list[str]) -> None:
        """Add sessions that are no more and should be."""
        self.lost += len(reasons)
        if reasons:
            self.broken.append(f"sessions lost: {dict(Counter(reasons))}")

    def line(self) -> str:
        """Return the line of the table, in Markdown."""
        notes = "; ".join([*self.notes, *(f"BROKEN: {text}" for text in self.broken)])
        figures = f"{self.trials} | {self.refreshes} | {self.lost}"
        return f"| {self.row} | {self.server} | {self.store} | {figures} | {notes} |"


HEAD = (
    "| row | server | store | trials | refreshes | sessions lost | notes |\n"
    "|-----|--------|-------|-------:|----------:|--------------:|-------|"
)


def slowest(answers: Iterable[Answer]) -> str:
    """Return how long the slowest of some calls took."""
    return f"{max((answer.seconds for answer in answers), default=0.0):.1f} s"


def portions(trials: int, most: int) -> list[int]:
    """Return the sizes of the portions in which trials are done."""
    return [min(most, trials - done) for done in range(0, trials, most)]
