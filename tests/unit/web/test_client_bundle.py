"""The client's modules make one program, of the same exports, and a small one."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from gateway import __version__
from gateway.browser.content_coding import Coding
from gateway.web.client_bundle import MODULES, build_client_bundle
from gateway.web.compression import compress
from gateway.web.minified_script import minify_script

FOLDER = Path(__file__).parents[3] / "spa/client"
SOURCES = {name: (FOLDER / f"{name}.js").read_text("utf-8") for name in MODULES}
BUNDLE = build_client_bundle(SOURCES)
TOLD = "const [path] = process.argv.slice(1); console.log(Object.keys(await import(path)).sort().join());"
# Firefox and Safari read the same program; the figure is what the README tells.
LARGEST_BYTES = 5_000


def exports_of(module: Path) -> str:
    told = subprocess.run(
        ["node", "--input-type=module", "-e", TOLD, module], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    return told.stdout.strip()


def test_the_bundle_is_a_module_with_the_exports_of_the_client(tmp_path: Path) -> None:
    bundle = tmp_path / "client.mjs"
    bundle.write_bytes(minify_script(BUNDLE.encode()))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    for name, source in SOURCES.items():
        (tmp_path / f"{name}.js").write_text(source, "utf-8")
    told = exports_of(bundle)
    assert told == exports_of(tmp_path / "client.js")
    declared = re.findall(
        r"^export (?:class|function) (\w+)", (FOLDER / "client.d.ts").read_text("utf-8"), re.MULTILINE
    )
    assert told.split(",") == sorted(declared)


def test_every_module_of_the_folder_is_in_the_bundle() -> None:
    assert sorted(MODULES) == sorted(path.stem for path in FOLDER.glob("*.js"))


def test_the_modules_import_only_one_another() -> None:
    for source in SOURCES.values():
        for path in re.findall(r'(?:from|import) ?\(?"([^"]+)"', source):
            assert path.removeprefix("./").removesuffix(".js") in {*MODULES, "client"}


def test_names_at_the_top_of_the_modules_differ_so_that_one_scope_holds_them() -> None:
    pattern = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)
    names = [name for source in SOURCES.values() for name in pattern.findall(source)]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize(("coding", "most"), [(Coding.BR, LARGEST_BYTES), (Coding.GZIP, 5_450)])
def test_the_client_is_sent_in_less_than_5_kb(coding: Coding, most: int) -> None:
    assert len(compress(minify_script(BUNDLE.encode()), coding)) < most


def test_only_what_the_entry_exports_is_to_be_had() -> None:
    parts: dict[str, str] = dict.fromkeys(MODULES, "")
    parts["tabs"] = "export const a = 4;\nconst b = 5;\n"
    parts["client"] = (
        'import { a } from "./tabs.js";\nexport { a, d } from "./tabs.js";\nexport const c = a;\n'
    )
    bundle = build_client_bundle(parts)
    assert bundle.startswith(
        "export const { a, c, d } = (() => {\nconst a = 4;\nconst b = 5;\nconst c = a;\n"
    )
    assert bundle.endswith("return { a, c, d };\n})();\n")


def version_in(sources: dict[str, str]) -> str:
    (version,) = re.findall(r'const VERSION = "([^"]*)"', build_client_bundle(sources))
    return str(version)


def test_a_bundle_has_a_version_which_is_that_of_its_sources_alone() -> None:
    version = version_in(SOURCES)
    assert re.fullmatch(r"\.[0-9a-f]{8}", version)
    assert version_in(dict(reversed(SOURCES.items()))) == version
    changed = {name: version_in(SOURCES | {name: f"{SOURCES[name]}\nvoid 0;\n"}) for name in MODULES}
    assert len({version, *changed.values()}) == len(MODULES) + 1
    assert minify_script(BUNDLE.encode()).count(version.encode()) == 1


def test_the_package_has_the_gateways_version_and_all_that_its_modules_need() -> None:
    package = json.loads((FOLDER / "package.json").read_text("utf-8"))
    assert package["version"] == __version__
    assert set(package["files"]) == {"*.js", "client.d.ts"}
    assert "dependencies" not in package
    effective = {
        f"./{name}.js"
        for name, source in SOURCES.items()
        if re.search(r"^(?:heard|if|globalThis)\b", source, re.MULTILINE)
    }
    assert set(package["sideEffects"]) == {*effective, "./client.js"}
