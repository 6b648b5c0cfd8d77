"""Chromium as on a middling phone: a slow network, a quarter of the machine's speed, one signed-in person."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.support.chromium import ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.support.vitals import Watch

WIDTH, HEIGHT = 360, 740
_PATIENCE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Slowness:
    """How slow the network and the processor are made; 1 is this machine's own speed."""

    latency_ms: float = 150
    down_bits: float = 1.6e6
    up_bits: float = 0.75e6
    processor: float = 4


SLOW = Slowness()


@contextlib.contextmanager
def signed_in_page(public_url: str) -> Iterator[Page]:
    """Open a browser and sign the sandbox's first person in, in German; the browser ends with the block."""
    path = shutil.which("chromium")
    if path is None:
        raise RuntimeError("Chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        context = browser.new_context(
            base_url=public_url,
            viewport={"width": WIDTH, "height": HEIGHT},
            locale="de-DE",
            timezone_id="Europe/Berlin",
        )
        context.set_default_timeout(_PATIENCE_MS)
        page = context.new_page()
        page.goto("/nowhere")
        page.get_by_role("button", name="lexoffice").click()
        page.get_by_test_id("user-anna").click()
        page.get_by_test_id("allow").click()
        page.get_by_test_id("user").wait_for()
        yield page
        browser.close()


def slow_down(watch: Watch, slowness: Slowness = SLOW) -> None:
    """Make the page's network and processor as slow as told, from now on."""
    watch.session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": slowness.latency_ms,
            "downloadThroughput": slowness.down_bits / 8,
            "uploadThroughput": slowness.up_bits / 8,
        },
    )
    watch.session.send("Emulation.setCPUThrottlingRate", {"rate": slowness.processor})
