"""JSON objects in which no name stands twice, for two readers would each take another value."""

from __future__ import annotations

import json
from typing import cast

_MAX_BYTES = 1_048_576


def parse_object(body: bytes) -> dict[str, object]:
    """Return a JSON object (RFC 8259 §4); raises ValueError for anything else, and for a repeated name."""
    if len(body) > _MAX_BYTES:
        raise ValueError("too large")
    try:
        document = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one kind of error for all that is not one
    return cast("dict[str, object]", document)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name is repeated")
    return document


def _refuse(_constant: str) -> object:
    raise ValueError("not a JSON number")
