"""Which content codings a browser takes, and which media types are worth one."""

from __future__ import annotations

import re
from enum import StrEnum


class Coding(StrEnum):
    """The content codings that the gateway has (RFC 9110 §8.4.1), the smallest first."""

    BR = "br"
    GZIP = "gzip"
    IDENTITY = "identity"


_ALIASES = {"x-gzip": "gzip"}
_LAST = 1e-6
"""Identity may be sent though nobody named it, after all that was named."""
_WEIGHT = re.compile(r"q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)
_LONGEST = 1000
_COMPRESSIBLE = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/manifest+json",
        "application/wasm",
        "application/xml",
        "font/otf",
        "font/ttf",
        "image/svg+xml",
        "image/x-icon",
    }
)


def rank_codings(accept_encoding: str | None) -> tuple[Coding, ...]:
    """Return the codings that an Accept-Encoding field allows, the best first; none if it refuses all.

    RFC 9110 §12.5.3: what is not named weighs what `*` weighs; identity is refused by a 0 alone, its own or
    that of `*`. A member with a broken weight, and a field longer than any browser's, count for nothing.
    """
    weights = _parse_weights(accept_encoding or "")
    others = weights.get("*", 0.0)
    ranked = {coding: weights.get(coding, others) for coding in Coding}
    if Coding.IDENTITY not in weights and "*" not in weights:
        ranked[Coding.IDENTITY] = _LAST
    taken = [coding for coding in Coding if ranked[coding] > 0]
    return tuple(sorted(taken, key=lambda coding: -ranked[coding]))


def is_compressible(media_type: str | None) -> bool:
    """Say whether files of this type become smaller: text does, pictures and archives are small already."""
    essence = (media_type or "").partition(";")[0].strip().lower()
    return essence.startswith("text/") or essence in _COMPRESSIBLE or essence.endswith(("+json", "+xml"))


def _parse_weights(field: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for member in field.split(",") if len(field) <= _LONGEST else ():
        name, *parameters = (part.strip().lower() for part in member.split(";"))
        weight = _parse_weight(parameters)
        if name and weight is not None:
            weights[_ALIASES.get(name, name)] = weight
    return weights


def _parse_weight(parameters: list[str]) -> float | None:
    """Read `q` (RFC 9110 §12.4.2); None if it is broken."""
    if not parameters:
        return 1.0
    weight = _WEIGHT.fullmatch(parameters[0])
    return float(weight[1]) if weight and len(parameters) == 1 else None
