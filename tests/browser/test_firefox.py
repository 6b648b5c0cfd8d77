"""The app in another engine than Chromium's: Firefox, driven by its own protocol."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.running import Running

NODE = Path(__file__).parent.parent / "node"
SECONDS = 300
VIEWS = ("/", "/vouchers", "/contacts", "/invoices/new", "/receipts", "/sessions")


@pytest.fixture(scope="module")
def seen(running: Running) -> dict[str, Any]:
    """Return what the person saw, by name."""
    path = shutil.which("firefox-esr")
    assert path, "Firefox is missing: `make test` installs it, or `apt-get install firefox-esr`"
    assert (NODE / "node_modules/puppeteer-core").is_dir(), "run `npm ci` in tests/node, or `make test`"
    journey = subprocess.run(
        ["node", "firefox.mjs", path, running.public_url, running.admin_url],
        cwd=NODE,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert journey.returncode == 0, journey.stdout + journey.stderr
    return dict(json.loads(line) for line in journey.stdout.splitlines())


def test_who_signs_in_beside_a_signed_out_tab_is_signed_in_in_both(seen: dict[str, Any]) -> None:
    assert "Anna Petersen" in seen["signed in"]
    assert "Anna Petersen" in seen["told in the other tab"]


def test_three_tabs_hold_one_stream(seen: dict[str, Any]) -> None:
    assert seen["streams"] == 1


@pytest.mark.parametrize("path", VIEWS)
def test_every_view_fits_and_complains_of_nothing(seen: dict[str, Any], path: str) -> None:
    assert seen[path]["title"]
    assert seen[path]["wide"] <= 0
    assert seen[path]["complaints"] == []


def test_a_pdf_is_shown_in_the_page(seen: dict[str, Any]) -> None:
    assert seen["pages of the preview"] == 1


def test_a_sign_out_is_seen_in_every_tab(seen: dict[str, Any]) -> None:
    assert seen["signed out in"] == 3
