"""The token bucket that stands before the API."""

from __future__ import annotations

from dataclasses import dataclass

_ROUNDING = 1e-4
"""What a clock may be off: half a second at 2 a second is one token."""


@dataclass(frozen=True, slots=True)
class _Bucket:
    tokens: float
    at: float


class Limits:
    """One bucket for each key: `burst` calls at once, then `rate` a second."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: dict[str, _Bucket] = {}

    @property
    def rate(self) -> float:
        """Tokens a second."""
        return self._rate

    @property
    def burst(self) -> int:
        """How many tokens a full bucket holds."""
        return self._burst

    def change(self, rate: float, burst: int) -> None:
        """Set another rate and burst; raises ValueError for what no bucket can have."""
        if not 0 < rate < float("inf") or burst < 1:
            raise ValueError("rate must be a positive number, burst a positive whole number")
        self._rate, self._burst = rate, burst

    def allows(self, key: str, *, now: float) -> bool:
        """Take one token of the key's bucket, if there is one."""
        bucket = self._buckets.get(key, _Bucket(self._burst, now))
        tokens = min(self._burst, bucket.tokens + max(0.0, now - bucket.at) * self._rate)
        allowed = tokens >= 1 - _ROUNDING
        self._buckets[key] = _Bucket(tokens - 1 if allowed else tokens, now)
        return allowed
