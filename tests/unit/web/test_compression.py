"""The client's scripts lose what only people read, and nothing else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from gateway.web.client_bundle import MODULES, build_client_bundle
from gateway.web.compression import strip_script

ROOT = Path(__file__).parents[3]
CLIENT = sorted((ROOT / "spa/client").glob("*.js"))
PAGE_SCRIPTS = sorted((ROOT / "gateway/web/assets").glob("*.js"))
SAME = ROOT / "tests/node/same-program.mjs"
PARSER = ROOT / "examples/react-vite/node_modules/vite/dist/node/index.js"


def difference(one: str, other: str) -> str:
    """Return what the other module does not have of the one, as syntax trees."""
    assert PARSER.is_file(), (
        "Vite is missing: `make test` installs it, or run `npm ci` in examples/react-vite"
    )
    told = subprocess.run(
        ["node", SAME, PARSER],
        input=json.dumps({"one": one, "other": other}),
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout + told.stderr


def test_the_client_as_it_is_sent_is_the_same_program(tmp_path: Path) -> None:
    bundle = build_client_bundle({name: (ROOT / f"spa/client/{name}.js").read_text() for name in MODULES})
    stripped = strip_script(bundle.encode())
    module = tmp_path / "client.mjs"
    module.write_bytes(stripped)
    parsed = subprocess.run(["node", "--check", module], capture_output=True, text=True, check=False)
    assert parsed.returncode == 0, parsed.stderr
    assert difference(bundle, stripped.decode()) == ""


@pytest.mark.parametrize("path", [*CLIENT, *PAGE_SCRIPTS], ids=lambda path: path.name)
def test_a_stripped_script_is_the_same_program(path: Path) -> None:
    source = path.read_bytes()
    stripped = strip_script(source)
    assert len(stripped) < len(source)
    told = difference(source.decode(), stripped.decode())
    assert told == "", f"{path.name}: rjsmin changes it (a template in a template, => /a regex/?)\n{told}"


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
    ],
)
def test_what_only_looks_like_a_comment_or_a_space_too_many_stays(line: str) -> None:
    source = f"// a comment\n{line}\n/* another */ export {{ kept }};\n"
    stripped = strip_script(source.encode()).decode()
    assert "comment\n" not in stripped
    assert difference(source, stripped) == ""


@pytest.mark.parametrize(
    "line",
    ["const kept = (text) => /  /u.test(text);", "const kept = `one  ${[1].map((n) => `  ${n}  `)}  two`;"],
)
def test_what_the_stripping_cannot_read_is_found_out(line: str) -> None:
    """So the client's files do without a regular expression behind an arrow, or a template in a template."""
    source = f"{line}\nexport {{ kept }};\n"
    assert difference(source, strip_script(source.encode()).decode()) != ""
