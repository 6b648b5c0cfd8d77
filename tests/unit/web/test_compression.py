"""The scripts of the app and of the gateway's pages lose what only people read, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.web.compression import strip_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[3]
CLIENT = sorted((ROOT / "spa/client").glob("*.js"))
PAGE_SCRIPTS = sorted((ROOT / "gateway/web/assets").glob("*.js"))
APP = sorted({*PAGE_SCRIPTS, *(ROOT / "spa").rglob("*.js")} - set(CLIENT))
STYLES = sorted((ROOT / "spa/styles").glob("*.css"))
SAME = ROOT / "tests/node/same-program.mjs"
PARSER = ROOT / "examples/react-vite/node_modules/vite/dist/node/index.js"


def differences(pairs: Mapping[str, tuple[bytes, bytes]]) -> str:
    """Return where the one and the other module of a pair are not the same syntax tree."""
    assert PARSER.is_file(), (
        "Vite is missing: `make test` installs it, or run `npm ci` in examples/react-vite"
    )
    told = subprocess.run(
        ["node", SAME, PARSER],
        input=json.dumps({name: [one.decode() for one in pair] for name, pair in pairs.items()}),
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout + told.stderr


def test_every_stripped_script_of_the_app_is_the_same_program_on_the_same_lines() -> None:
    """What is told here: a template whose text goes on in an indented line, or in one like a comment."""
    sources = {str(path.relative_to(ROOT)): path.read_bytes() for path in APP}
    assert differences({name: (source, strip_lines(source)) for name, source in sources.items()}) == ""
    for source in sources.values():
        stripped = strip_lines(source)
        assert stripped.count(b"\n") == source.count(b"\n")
        assert len(stripped) < len(source)


def test_every_stripped_style_has_the_same_rules() -> None:
    for path in STYLES:
        source = path.read_bytes()
        stripped = strip_lines(source)
        assert _rules(stripped) == _rules(source), path.name
        assert stripped.count(b"\n") == source.count(b"\n")


def _rules(style: bytes) -> list[bytes]:
    return re.sub(rb"/\*.*?\*/", b"", style, flags=re.DOTALL).split()


@pytest.mark.parametrize(
    "line",
    [
        "const kept = `two  spaces, // no comment ${1 + 1}  and /* none */`;",
        "const kept = 'https://example.com  // no comment';",
        "const kept = /[/]  \\/ \"/.test('a  b');",
        "const kept = (text) => (/  /u.test(text) && text / 2 / 3);",
        "const kept = 1 + +2 - -3;",
        "let kept = 1\nkept++\nkept\n--kept",
        "const kept = async () => { return /a  b/ }",
        "/* one */ const kept = 1;",
    ],
)
def test_what_only_looks_like_a_comment_or_a_space_too_many_stays(line: str) -> None:
    source = f"// a comment\n{line}\n/* another */\nexport {{ kept }};\n".encode()
    stripped = strip_lines(source)
    assert b"a comment" not in stripped
    assert b"another" not in stripped
    assert differences({"it": (source, stripped)}) == ""


def test_what_the_stripping_of_the_app_cannot_read_is_found_out() -> None:
    source = b"export const kept = `one\n  // two`;\n"
    assert "became" in differences({"it": (source, strip_lines(source))})
