"""The languages of the pages, and which of them a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sandbox.pages import de, en

if TYPE_CHECKING:
    from starlette.requests import Request

TEXTS: dict[str, dict[str, str]] = {"en": en.TEXTS, "de": de.TEXTS}


def language_of(request: Request, ui_locales: str = "") -> str:
    """`de` or `en`: the first of `ui_locales`, then of Accept-Language by weight, that is one of them."""
    wanted = ui_locales.split() + _accepted(request.headers.get("accept-language", ""))
    for tag in wanted:
        if (language := tag.partition("-")[0].lower()) in TEXTS:
            return language
    return "en"


def _accepted(header: str) -> list[str]:
    weighted: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, parameter = part.strip().partition(";")
        weighted.append((-_weight(parameter), tag.strip()))
    return [tag for _, tag in sorted(weighted, key=lambda pair: pair[0])]


def _weight(parameter: str) -> float:
    try:
        return float(parameter.strip().removeprefix("q=")) if parameter else 1.0
    except ValueError:
        return 0.0
