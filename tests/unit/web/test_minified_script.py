"""The client that is sent is the one that was written: its own names apart, nothing in it is another."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from gateway.serving import DRAIN_SECONDS
from gateway.web import minified_script
from gateway.web.client_bundle import MODULES, build_client_bundle
from gateway.web.minified_script import minify_script

ROOT = Path(__file__).parents[3]
WORDS = ROOT / "tests/node/same-words.mjs"
PARSER = ROOT / "examples/react-vite/node_modules/vite/dist/node/index.js"
BUNDLE = build_client_bundle({name: (ROOT / f"spa/client/{name}.js").read_text("utf-8") for name in MODULES})


def differences(source: str, minified: bytes) -> str:
    """Return which names of properties, texts and patterns only one of the two modules has."""
    assert PARSER.is_file(), (
        "Vite is missing: `make test` installs it, or run `npm ci` in examples/react-vite"
    )
    told = subprocess.run(
        ["node", WORDS, PARSER],
        input=json.dumps({"it": [source, minified.decode()]}),
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout + told.stderr


def test_the_client_as_it_is_sent_has_every_word_of_its_source_and_no_other() -> None:
    minified = minify_script(BUNDLE.encode())
    assert differences(BUNDLE, minified) == ""
    assert len(minified) < len(BUNDLE) / 2


@pytest.mark.parametrize(
    ("source", "minified"),
    [
        ("export const it = { name: 1 };", b"export const it={title:1}"),
        ("export const it = /  x/;", b"export const it=/ x/"),
        ("export const it = `a  ${b}`;", b"export const it=`a ${b}`"),
        ("export const it = 'a';", b"export const"),
    ],
)
def test_a_word_that_is_another_is_found_out(source: str, minified: bytes) -> None:
    assert differences(source, minified) != ""


@pytest.mark.parametrize(
    "line",
    [
        "const kept = `two  spaces, // no comment ${1 + 1}  and /* none */`;",
        "const kept = 'https://example.com  // no comment';",
        'const kept = (text) => /[/]  \\/ "/u.test(text) && text / 2 / 3;',
        "const kept = `one  ${[1].map((n) => `  ${n}  `)}  zwölf 🧾`;",
    ],
)
def test_what_only_looks_like_a_comment_or_a_space_too_many_stays(line: str) -> None:
    source = f"// a comment\n{line}\n/* another */\nexport {{ kept }};\n"
    minified = minify_script(source.encode())
    assert b"a comment" not in minified
    assert differences(source, minified) == ""


def test_the_same_script_is_minified_to_the_same_bytes() -> None:
    again = minify_script.__wrapped__
    assert again(BUNDLE.encode()) == again(BUNDLE.encode())


def test_a_script_that_cannot_be_minified_is_sent_as_it_is_and_the_operator_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = b"export const it = ;"
    assert minify_script(source) == source
    (record,) = caplog.records
    assert record.message == "a script is not minified"
    assert "unexpected ;" in record.__dict__["fields"]["cause"]


def put_minifier(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "minify.py").write_text(text)
    monkeypatch.syspath_prepend(folder)


def test_a_minifier_that_complains_in_another_charset_is_one_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    complaint = r"import sys; sys.stderr.buffer.write(b'na\xefve'); sys.stderr.flush(); sys.exit(1)"
    put_minifier(tmp_path, complaint, monkeypatch)
    source = b"export const another = 1;"
    assert minify_script(source) == source
    (record,) = caplog.records
    assert record.__dict__["fields"]["cause"] == "na\ufffdve"


def test_a_minifier_that_says_nothing_makes_no_script_vanish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_minifier(tmp_path, "import sys; sys.exit(0)", monkeypatch)
    source = b"export const silent = 1;"
    assert minify_script(source) == source


def test_a_minifier_that_hangs_is_given_up_before_a_process_that_ends_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    longest = minified_script._LONGEST_SECONDS  # noqa: SLF001 - orchestrators wait no longer than 25 s
    assert longest + DRAIN_SECONDS <= 25
    monkeypatch.setattr(minified_script, "_LONGEST_SECONDS", 0.1)
    put_minifier(tmp_path, "import threading\nthreading.Event().wait()\n", monkeypatch)
    source = b"export const hanging = 1;"
    assert minify_script(source) == source
    (record,) = caplog.records
    assert "timed out" in record.__dict__["fields"]["cause"]


def test_nothing_of_the_minifier_is_in_this_process() -> None:
    minify_script(BUNDLE.encode())
    maps = Path("/proc/self/maps")
    assert "minify.so" not in maps.read_text()
