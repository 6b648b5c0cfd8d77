"""Which of the gateway's two languages a browser prefers."""

from __future__ import annotations

from typing import Literal

Language = Literal["de", "en"]


def choose_language(accept_language: str | None) -> Language:
    """Return the preferred language of an Accept-Language field (RFC 9110 §12.5.4); English if neither."""
    best: tuple[float, Language] = (0.0, "en")
    for item in (accept_language or "")[:1000].split(","):
        tag, _, parameter = item.strip().partition(";")
        primary = tag.strip().lower().partition("-")[0]
        quality = _parse_quality(parameter)
        if primary == "de" and quality > best[0]:
            best = (quality, "de")
        elif primary in {"en", "*"} and quality > best[0]:
            best = (quality, "en")
    return best[1]


def _parse_quality(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
