"""The keys that changed, in order and as far back as is useful."""

from __future__ import annotations

from gateway.sessions.records import CHANGES_KEPT, Changes, Cursor


class ChangeLog:
    """The changes of one epoch; a cursor of an earlier one, or of too long ago, is told of everything."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self._keys: list[bytes] = []
        self._dropped = 0

    def note(self, key: bytes) -> None:
        """Write down that what is kept under a key changed."""
        self._keys.append(key)
        if len(self._keys) >= 2 * CHANGES_KEPT:
            del self._keys[:CHANGES_KEPT]
            self._dropped += CHANGES_KEPT

    def since(self, cursor: Cursor | None) -> Changes:
        """Return the keys noted since a cursor that this method gave out."""
        now = (self._epoch, self._dropped + len(self._keys))
        if cursor is None or cursor[0] != self._epoch or cursor[1] < self._dropped:
            return Changes(now, None)
        return Changes(now, frozenset(self._keys[cursor[1] - self._dropped :]))
