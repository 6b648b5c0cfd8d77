"""The documents keep up with the code: every citation is proven, and everything offered is in its table."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Route

import gateway.errors
from gateway.app import Gateway
from gateway.errors import ConfigurationError, GatewayError
from gateway.events.streams import PATH as EVENTS_PATH
from gateway.observability.metrics import Metrics
from gateway.parts import shipped_spa
from gateway.settings import Settings, load_settings, variable_of
from gateway.settings.table import SECRET_FIELDS
from gateway.web.forward_auth import PATH as FORWARD_AUTH_PATH
from gateway.web.health import Health, build_admin_app
from gateway.web.pages import Pages
from gateway.web.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
_PLACE = r"(?:§\s?|appendix\s)[A-Z0-9]+(?:\.\d+)*"
_CITATION = re.compile(rf"RFC (\d{{3,5}})((?:(?:,| and)? {_PLACE})*)")
ENVIRONMENT = {
    "LEXGATE_PUBLIC_URL": "http://localhost:8000",
    "LEXGATE_SECRETS": "a signing and sealing secret for tests 0123456789",
    "LEXGATE_CLIENT_ID": "lexgate-test",
    "LEXGATE_CLIENT_SECRET": "a client secret",
    "LEXGATE_STORE": "memory://",
}


def cited_in(folder: str) -> dict[str, str]:
    """Collect `RFC nnnn §x` of every Python file, each with the name of one file that cites it."""
    return dict(citation for path in (ROOT / folder).rglob("*.py") for citation in citations(path))


def citations(path: Path) -> Iterator[tuple[str, str]]:
    # A citation that a line break splits is one citation.
    text = re.sub(r"\s*\n\s*#?\s*", " ", path.read_text(encoding="utf-8"))
    for number, places in _CITATION.findall(text) if path != Path(__file__) else ():
        yield f"RFC {number}", path.name
        for place in re.findall(_PLACE, places):
            yield f"RFC {number} {place}", path.name


def rows() -> str:
    """Return the tables of the README: what is only mentioned in passing is not documented."""
    return "\n".join(line for line in README.splitlines() if line.startswith("|"))


def build_gateway(tmp_path: Path) -> Gateway:
    return Gateway(load_settings(ENVIRONMENT, tmp_path))


def error_codes() -> set[str]:
    kinds = [kind for _, kind in inspect.getmembers(gateway.errors, inspect.isclass)]
    errors = [kind for kind in kinds if issubclass(kind, GatewayError)]
    # What has subclasses is never raised itself, but for the root: a defect.
    leaves = [kind for kind in errors if not kind.__subclasses__() or kind is GatewayError]
    return {kind.code for kind in leaves if kind is not ConfigurationError} | {"csrf_header_missing"}


def test_every_citation_is_proven_by_a_test() -> None:
    cited, proven = cited_in("gateway"), cited_in("tests")
    missing = {citation: name for citation, name in cited.items() if citation not in proven}
    assert not missing, "\n".join(f"{citation}  ({name})" for citation, name in sorted(missing.items()))


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_in_its_table(field: str) -> None:
    assert f"| `{variable_of(field)}`" in rows() or f", `{variable_of(field)}`" in rows()


def test_every_secret_file_is_told() -> None:
    for field in SECRET_FIELDS:
        assert f"{variable_of(field)}_FILE" in README


def test_no_setting_is_told_that_is_none() -> None:
    known = {variable_of(field) for field in Settings.model_fields}
    known |= {f"{variable_of(field)}_FILE" for field in SECRET_FIELDS} | {"LEXGATE_CONFIG"}
    assert set(re.findall(r"LEXGATE_[A-Z_]+[A-Z]", README)) <= known


def test_every_endpoint_is_in_its_table(tmp_path: Path) -> None:
    served = build_gateway(tmp_path)
    problems = Problems(pages=Pages("http://localhost"), metrics=Metrics("0"))
    contexts = iter_route_contexts(served._build_web(problems).routes)  # noqa: SLF001 - there is no other list
    offered = {
        (method, context.path)
        for context in contexts
        for method in context.methods or ()
        if context.path and "{" not in context.path and context.path not in {"/", "/auth"}
    }
    modules = ("client.js", "client.d.ts", "page.css", "signed-in.js")
    offered |= {("GET", f"/auth/{name}") for name in modules}
    offered |= {("GET", path) for path in ("/livez", "/readyz", "/metrics", EVENTS_PATH, FORWARD_AUTH_PATH)}
    assert len(offered) >= 11
    for method, path in offered:
        assert re.search(rf"`{method} {re.escape(path)}[?`]", rows()), f"{method} {path}"
    for path in ("/api/*", "/*"):
        assert f"| `{path}` |" in rows()


def test_the_operators_listener_offers_nothing_that_is_not_told() -> None:
    admin = build_admin_app(Health.__new__(Health))
    paths = {route.path for route in admin.routes if isinstance(route, Route)}
    assert paths == {"/livez", "/readyz", "/metrics"}


@pytest.mark.parametrize("code", sorted(error_codes()))
def test_every_error_code_is_in_its_table(code: str) -> None:
    assert f"`{code}`" in rows()


def test_every_metric_is_told(tmp_path: Path) -> None:
    assert build_gateway(tmp_path)
    page = Metrics("0").render()[0].decode()
    for name in re.findall(r"# TYPE (lexgate_\w+)", page):
        assert name in README


def test_every_module_has_its_room_in_the_house() -> None:
    house = README[README.index("gateway/\n  __main__.py") :]
    for path in (ROOT / "gateway").rglob("*.py"):
        parts = path.relative_to(ROOT / "gateway").parts
        if parts[0] != "sandbox" and parts[-1] != "__init__.py":
            assert re.search(rf"\b{re.escape(path.stem)}\b", house), f"gateway/{'/'.join(parts)}"


def test_the_shipped_app_is_there() -> None:
    assert (shipped_spa() / "index.html").is_file()
    assert (shipped_spa() / "client" / "client.d.ts").is_file()
