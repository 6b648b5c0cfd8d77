"""What the SPA's files promise one another, and the Content-Security-Policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SPA = Path(__file__).resolve().parents[2] / "spa"
INDEX = (SPA / "index.html").read_text("utf-8")
BEFORE_PAINT = (SPA / "before-paint.js").read_text("utf-8")
ROUTER = (SPA / "app/router.js").read_text("utf-8")
MAIN = SPA / "app/main.js"
CLIENT = SPA / "client/client.js"
IMPORT = re.compile(r'^(?:import|export)(?:\b[^"\';]*? from)? "(\./|\.\./|/)([^"]+)"', re.MULTILINE)
ROUTE = re.compile(
    r'\{ pattern: (/.+?/), section: "[^"]*",\s*(?:style: "([^"]*)",\s*)?load: [^}]*?'
    r'import\("\./views/([^"]+)\.js"\)'
)
FORBIDDEN = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=\"|\son\w+=\"|innerHTML|\beval\(")


def imported_by(start: Path) -> set[str]:
    """Return the addresses of all that a module imports at its head, itself included.

    The gateway's client is one module to the app.
    """
    seen: set[str] = set()
    open_ones = [start.relative_to(SPA).as_posix()]
    while open_ones:
        address = open_ones.pop()
        if address in seen:
            continue
        seen.add(address)
        if address.startswith("auth/"):
            continue
        module = SPA / address
        for dots, name in IMPORT.findall(module.read_text("utf-8")):
            path = SPA / name if dots == "/" else (module.parent / dots / name).resolve()
            open_ones.append(path.relative_to(SPA).as_posix())
    return seen


def routes() -> list[tuple[str, str, str]]:
    """Return pattern, view and style of each of the router's places."""
    found = [(pattern, view, style) for pattern, style, view in ROUTE.findall(ROUTER)]
    assert len(found) == ROUTER.count("{ pattern: /") > 5, "router.js has another shape: mend ROUTE here"
    return found


AT_ONCE = imported_by(MAIN)
VIEWS = sorted({view for _, view, _ in routes()} | {"not-found"})


def test_what_the_app_begins_with_is_preloaded_so_that_the_first_load_has_no_waterfall() -> None:
    preloaded = re.findall(r'<link rel="modulepreload" href="/([^"]+)"', INDEX)
    needed = AT_ONCE - {"app/main.js"}
    line = '<link rel="modulepreload" href="/{}">'
    told = [f"spa/index.html lacks:     {line.format(name)}" for name in sorted(needed - set(preloaded))]
    told += [f"spa/index.html has in vain: {line.format(name)}" for name in sorted(set(preloaded) - needed)]
    assert not told, "\n".join(told)
    assert len(set(preloaded)) == len(preloaded)


def test_the_places_of_before_paint_are_those_of_the_router() -> None:
    lines = [
        f'    [{pattern}, "{view}"{f", {chr(34)}{style}{chr(34)}" if style else ""}],'
        for pattern, view, style in routes()
    ]
    block = "  const PLACES = [\n" + "\n".join(lines) + "\n  ];"
    assert block in BEFORE_PAINT, f"in spa/before-paint.js has to stand:\n{block}"


@pytest.mark.parametrize("view", VIEWS)
def test_what_a_view_begins_with_is_loaded_beside_the_app(view: str) -> None:
    needed = sorted(name.removesuffix(".js") for name in imported_by(SPA / f"app/views/{view}.js") - AT_ONCE)
    lines = "".join(f'      "{name}",\n' for name in needed)
    name = view if view.isidentifier() else f'"{view}"'
    block = f"    {name}: [\n{lines}    ],\n"
    assert block in BEFORE_PAINT, f"in MODULES of spa/before-paint.js has to stand:\n{block}"


def test_before_paint_names_no_view_that_is_none() -> None:
    modules = BEFORE_PAINT[BEFORE_PAINT.index("const MODULES") : BEFORE_PAINT.index("\n  };")]
    assert re.findall(r'^    "?([\w-]+)"?: \[$', modules, re.MULTILINE) == VIEWS


def test_each_style_of_a_view_is_there() -> None:
    for style in {style for _, _, styles in routes() for style in styles.split()}:
        assert (SPA / f"styles/{style}.css").is_file()
        assert f"/styles/{style}.css" not in INDEX


def test_no_inline_script_style_or_handler_that_the_policy_would_refuse() -> None:
    for file in [SPA / "index.html", *SPA.rglob("*.js")]:
        text = file.read_text("utf-8")
        assert not FORBIDDEN.search(text), file
    assert "http://" not in INDEX
    assert "https://" not in INDEX
