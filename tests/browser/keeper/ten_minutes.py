"""Ten minutes of use in five tabs, in real time: `python -m tests.browser.keeper.ten_minutes`.

Prints figures. Access tokens live for a minute, the token endpoint takes two seconds, calls come every seven.
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys
import time
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.browser.conftest import Complaints
from tests.browser.keeper.conftest import settings_of
from tests.browser.keeper.stage import MODES, WRONGS, Tabs, answered, opened_streams, streams, told
from tests.support.chromium import ARGUMENTS
from tests.support.running import RunningClock, running_gateway
from tests.support.wire import running_wire

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.running import Running

SECONDS = 600
LIFETIME = 60
SLOW = 2.0
EVERY = 7
CALL = """() => window.client.fetch('/api/v1/profile', { cache: 'no-store' })
  .then((response) => [response.status, response.headers.get('Server-Timing')])"""


def use(page: Page) -> float:
    """Press a key, make a call, and return the milliseconds that it stayed in the gateway."""
    page.keyboard.press("Shift")
    status, timing = page.evaluate(CALL)
    assert status == 200, status
    return float(re.findall(r"gateway;dur=([\d.]+)", timing)[0])


def measure(browser: Browser, running: Running, mode: str) -> int:
    """Use five tabs in turn for ten minutes; returns how many calls waited for a token."""
    context = browser.new_context(base_url=running.public_url)
    context.add_init_script(MODES[mode])
    tabs = Tabs(context, running, Complaints(expected=list(WRONGS)))
    pages = tabs.open_signed_in(5)
    running.sandbox.faults.inject("token_slow", {"seconds": SLOW})
    refreshes, asked = running.refreshes(), answered(running, "/auth/session/refresh", "POST")
    began, opened, most = time.monotonic(), opened_streams(running), 0
    took: list[float] = []
    while time.monotonic() - began < SECONDS:
        page = pages[len(took) % len(pages)]
        took.append(use(page))
        most = max(most, streams(running))
        page.wait_for_timeout(EVERY * 1000)
    ahead = answered(running, "/auth/session/refresh", "POST") - asked
    waited = sum(each >= SLOW * 1000 for each in took)
    lines = [
        f"keeper: {mode}; {time.monotonic() - began:.0f} s, {len(pages)} tabs, {len(took)} calls",
        f"  calls in the gateway: median {statistics.median(took):.1f} ms, most {max(took):.1f} ms",
        f"  calls that waited for a token: {waited}",
        f"  refreshes: {running.refreshes() - refreshes}, of which the keeper asked for: {ahead}",
        f"  streams at once: {most}, opened since the beginning: {opened_streams(running) - opened}",
        f"  sessions told as ended: {sum(len(told(page, 'ended')) for page in pages)}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    context.close()
    return waited


def main() -> int:
    """Measure with the keeper in a SharedWorker, or as the argument says."""
    mode = sys.argv[1] if len(sys.argv) > 1 else "shared"
    path = shutil.which("chromium")
    assert path, "Chromium is missing: `apt-get install chromium`"
    options = {"access_token_lifetime": LIFETIME}
    with (
        running_wire() as wire,
        running_gateway(
            "lexware", clock=RunningClock(), settings=settings_of(wire), sandbox_options=options
        ) as running,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            return 1 if measure(browser, running, mode) else 0
        finally:
            browser.close()


if __name__ == "__main__":
    raise SystemExit(main())
