"""Forms of the front page, and who may send them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from starlette.requests import Request


def is_own_form(request: Request) -> bool:
    """Whether a page of this origin sent the form (CSRF); clients that are no browsers tell neither field."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site == "same-origin"
    # Browsers leave Sec-Fetch-Site out where the page came over plain HTTP from another machine.
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def parse_form(request: Request) -> dict[str, str]:
    """Return the fields; of a repeated one the last."""
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
