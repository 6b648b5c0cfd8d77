"""What a store keeps of the events that all replicas hear, and how a reader knows that it missed none."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

EVENTS_SECONDS = 300
"""How long the log keeps an event."""

EVENTS_KEPT = 4096
"""How many it keeps at most; of more the oldest go before their time."""

EVENT_LOG_SECONDS = 7 * 86400
"""How long after its last event a log is remembered; the next event then begins another one."""

_WRITTEN = re.compile(r"(0|[1-9]\d{0,17})-(0|[1-9]\d{0,17})", re.ASCII)


class EventId(NamedTuple):
    """The place of an event in its log: `number` counts from 1 without a gap, `epoch` tells logs apart."""

    epoch: int
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.number}"


BEGINNING = EventId(0, 0)
"""Before everything that any log keeps."""


def parse_event_id(text: str) -> EventId | None:
    """Return what `str` made of an id; None for anything else."""
    written = _WRITTEN.fullmatch(text)
    return None if written is None else EventId(int(written[1]), int(written[2]))


def new_epoch() -> int:
    """Return a number above 0 that tells a new log from every other."""
    return secrets.randbits(52) + 1


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Sealed events in their order, and the place after which to go on reading."""

    last: EventId
    rows: tuple[tuple[EventId, bytes], ...] = ()
    is_whole: bool = True
    """False if events between the place that was read after and these are not there any more."""


def reads_after(after: EventId, last: EventId) -> int:
    """Return the number after which to read in a log that ends at `last`: 0 where `after` is of another."""
    return after.number if after.epoch == last.epoch and after <= last else 0


def build_batch(after: EventId, last: EventId, rows: Sequence[tuple[EventId, bytes]]) -> EventBatch:
    """Return what a reader gets who is at `after`, given the log's end and the rows after `reads_after`."""
    if last == after:
        return EventBatch(last)
    number = reads_after(after, last)
    is_known = number > 0 or after in (BEGINNING, (last.epoch, 0))
    is_whole = is_known and bool(rows) and rows[0][0].number == number + 1
    return EventBatch(rows[-1][0] if rows else last, tuple(rows), is_whole)
