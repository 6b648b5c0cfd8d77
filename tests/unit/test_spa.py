"""What the SPA's files promise one another, and the Content-Security-Policy."""

from __future__ import annotations

import re
from pathlib import Path

SPA = Path(__file__).parent.parent.parent / "spa"
INDEX = (SPA / "index.html").read_text("utf-8")
IMPORT = re.compile(r'^(?:import|export)[^"\']*?from "(\./|\.\./|/)([^"]+)"', re.MULTILINE)
FORBIDDEN = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=\"|\son\w+=\"|innerHTML|\beval\(")


def imported_modules(start: Path) -> set[Path]:
    """Every module that `start` imports, itself included, but for the gateway's client."""
    seen: set[Path] = set()
    open_ones = [start]
    while open_ones:
        module = open_ones.pop()
        if module in seen:
            continue
        seen.add(module)
        for kind, name in IMPORT.findall(module.read_text("utf-8")):
            if not name.startswith("auth/"):
                open_ones.append((SPA / name if kind == "/" else module.parent / kind / name).resolve())
    return seen


def test_every_module_is_preloaded_so_that_the_first_load_has_no_waterfall() -> None:
    preloaded = set(re.findall(r'<link rel="modulepreload" href="/([^"]+)"', INDEX))
    of_the_gateway = {f"auth/{module.name}" for module in (SPA / "client").glob("*.js")}
    assert of_the_gateway <= preloaded
    entry = (SPA / "app/main.js").resolve()
    needed = {str(module.relative_to(SPA)) for module in imported_modules(entry) - {entry}}
    assert preloaded - of_the_gateway == needed


def test_no_inline_script_style_or_handler_that_the_policy_would_refuse() -> None:
    for file in [SPA / "index.html", *SPA.rglob("*.js")]:
        text = file.read_text("utf-8")
        assert not FORBIDDEN.search(text), file
    assert "http://" not in INDEX
    assert "https://" not in INDEX
