"""Remembers what was worked out for short keys: a long one, which a stranger can make, is not kept (PURE)."""

from __future__ import annotations

from functools import lru_cache, wraps
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST = 256
_KEPT = 512
_Result = TypeVar("_Result")


def small_cache(work: Callable[[bytes], _Result]) -> Callable[[bytes], _Result]:
    """Return the function, remembering up to 512 of its results for arguments of up to 256 bytes."""
    remembering = lru_cache(maxsize=_KEPT)(work)

    @wraps(work)
    def remembered(key: bytes) -> _Result:
        return remembering(key) if len(key) <= _LONGEST else work(key)

    return remembered
