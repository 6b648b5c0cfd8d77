"""The token bucket that stands before the API."""

from __future__ import annotations

from dataclasses import dataclass


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

    def allows(self, key: str, *, now: float) -> bool:
        """Take one token of the key's bucket, if there is one."""
        bucket = self._buckets.get(key, _Bucket(self._burst, now))
        tokens = min(self._burst, bucket.tokens + max(0.0, now - bucket.at) * self._rate)
        allowed = tokens >= 1
        self._buckets[key] = _Bucket(tokens - 1 if allowed else tokens, now)
        return allowed
