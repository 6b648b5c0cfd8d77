"""How many deliveries about one organization are taken in, so that none crowds out the others (PURE)."""

from __future__ import annotations

AT_ONCE = 512
A_SECOND = 2.0
"""What follows; a connection can change no more through lexoffice's API, and lexoffice repeats the rest."""
_REMEMBERED = 1024


class DeliveryPace:
    """Counts for one process, by a generic cell rate algorithm (GCRA).

    lexoffice signs what anybody changes in books of their own, and who has collected such deliveries could
    send thousands at once: those of others would be dropped from the log, which keeps a number of events.
    """

    def __init__(self) -> None:
        self._free_at: dict[str, float] = {}
        """When an organization will have all of its room again."""

    def wait(self, organization: str, *, now: float) -> float:
        """Count a delivery and return 0, or return in how many seconds there is room for it."""
        longest = AT_ONCE / A_SECOND
        ahead = self._free_at.get(organization, now) - now
        # More than there can be: the clock was set back.
        ahead = (0.0 if ahead > longest else max(ahead, 0.0)) + 1 / A_SECOND
        if ahead > longest:
            return ahead - longest
        if len(self._free_at) >= _REMEMBERED:
            self._free_at = {name: at for name, at in self._free_at.items() if at > now}
        self._free_at[organization] = now + ahead
        return 0.0
