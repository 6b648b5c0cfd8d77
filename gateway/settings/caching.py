"""The settings of the private cache: which paths are cached, for how long, and in how much memory."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, cast

from pydantic import BeforeValidator, Field

from gateway.settings.limits import Limits
from gateway.settings.values import parse_bytes, parse_prefix

LONGEST_SECONDS = 86_400


def parse_cached_paths(value: object) -> dict[str, int]:
    """Parse paths under /api with the seconds for which their answers are kept; 0 stands for not at all."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError("must be JSON: an object of paths and seconds") from None
    if not isinstance(value, Mapping):
        raise ValueError("must be a table of paths and seconds")  # noqa: TRY004 - pydantic collects ValueError
    table = cast("Mapping[object, object]", value)
    return {parse_prefix(path): _parse_kept(seconds) for path, seconds in table.items()}


def _parse_kept(value: object) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,5}", text, re.ASCII) or int(text) > LONGEST_SECONDS:
        raise ValueError(f"must be whole numbers of seconds from 0 to {LONGEST_SECONDS}")
    return int(text)


class Caching(Limits):
    """What is cached beyond, or other than, the preset says."""

    cache: Annotated[dict[str, int], BeforeValidator(parse_cached_paths)] = Field(
        default_factory=dict,
        description="paths whose answers are kept for so many seconds, what is below them included; 0: not",
        examples=['{"/api/v1/contacts": 60}'],
    )
    cache_bytes: Annotated[int, BeforeValidator(parse_bytes)] = Field(
        default=16 * 1024 * 1024,
        description="what kept answers may take up in one process; 0 keeps none",
        examples=["16777216"],
    )
