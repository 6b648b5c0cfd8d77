"""Each view from an empty cache, at two widths and two calls a second: it is light, and nothing moves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from bench.spa.targets import ANY_VIEW_BYTES, CLIENT_BYTES, FIRST_LOAD_BYTES
from tests.browser.conftest import MovingClock, sign_in
from tests.support.running import Running, running_gateway
from tests.support.vitals import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

SHIFT = 0.01
EDITION = re.compile(r"^/v-[0-9a-f]{16}/")
SIZES = {360: 740, 1280: 900}
VOUCHER = "the first voucher"
CONTACT = "the first contact"
PATHS = {
    "/": "/",
    "/vouchers": "/vouchers",
    "/contacts": "/contacts",
    VOUCHER: "/vouchers",
    CONTACT: "/contacts",
    "/invoices/new": "/invoices/new",
    "/receipts": "/receipts",
    "/sessions": "/sessions",
    "/nowhere": "/nowhere",
}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """Run what `lexgate demo` runs, with the limit that lexoffice has."""
    limits = {"rate": 2.0, "burst": 2}
    settings = {"LEXGATE_BUDGET_RATE": "2", "LEXGATE_BUDGET_BURST": "2"}
    with running_gateway(
        "lexware", clock=MovingClock(0), settings=settings, sandbox_options=limits, webhooks=True
    ) as running:
        yield running


def open_place(page: Page, place: str) -> str:
    """Return the path of a place, for a voucher and a contact that of the first in the list."""
    path = PATHS[place]
    if place == path:
        return path
    page.goto(path)
    link = page.locator(f"main a[href^='{path}/']").first
    expect(link).to_be_visible()
    return link.get_attribute("href") or ""


@pytest.mark.parametrize("place", PATHS)
def test_a_first_load_is_light_moves_nothing_and_has_no_waterfall(
    new_page: Callable[..., Page], place: str
) -> None:
    page = new_page(locale="de-DE")
    sign_in(page, path="/nowhere")
    watch, path = Watch(page), open_place(page, place)
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        vitals = watch.load(path)
        told = "\n".join(map(str, vitals.shifts))
        assert vitals.shift < SHIFT, f"{path} at {width} px moves by {vitals.shift:.4f}:\n{told}"
        assert vitals.waterfall == []
    heaviest = sorted(vitals.sent, key=lambda one: -one.body_bytes)[:12]
    most = FIRST_LOAD_BYTES if place == "/" else ANY_VIEW_BYTES
    assert vitals.bytes() < most, "\n".join(f"{one.body_bytes:>7,} {one.path}" for one in heaviest)
    paths = [EDITION.sub("/", one.path) for one in vitals.sent]
    assert "/i18n/de.js" in paths
    assert "/i18n/en.js" not in paths
    views = [one for one in vitals.sent if EDITION.sub("/", one.path).startswith("/app/views/")]
    assert [one.named_by != "" for one in views] == [True], "before-paint.js does not name the view"


@pytest.mark.parametrize("place", ["/", "/vouchers", "/invoices/new"])
def test_a_load_from_a_full_cache_asks_for_no_file_of_the_app(
    new_page: Callable[..., Page], place: str
) -> None:
    page = new_page(locale="de-DE")
    sign_in(page, path="/nowhere")
    watch = Watch(page)
    first = watch.load(place)
    assert any(EDITION.match(one.path) for one in first.sent)
    again = [one.path for one in watch.load(place, is_cold=False).sent if not one.path.startswith("/api/")]
    assert set(again) <= {place, "/auth/client.js", "/auth/session"}


def test_the_client_is_small(running: Running) -> None:
    fields = {"Accept-Encoding": "br"}
    with httpx.stream(
        "GET", f"{running.public_url}/auth/client.js", headers=fields, trust_env=False
    ) as answer:
        sent = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "br"
    assert len(sent) < CLIENT_BYTES
