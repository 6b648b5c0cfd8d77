"""Which paths are cached, as operators write it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateway.errors import ConfigurationError
from gateway.settings import load_settings
from tests.test_docs import ENVIRONMENT, README

if TYPE_CHECKING:
    from pathlib import Path

OPENID = ENVIRONMENT | {
    "LEXGATE_PROVIDER": "openid",
    "LEXGATE_ISSUER": "https://login.example.com",
    "LEXGATE_API_URL": "https://api.example.com",
}


def cached(tmp_path: Path, environment: dict[str, str] = ENVIRONMENT, **environ: str) -> dict[str, int]:
    return load_settings(environment | environ, tmp_path).cached_paths


def problems(tmp_path: Path, **environ: str) -> list[str]:
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(ENVIRONMENT | environ, tmp_path)
    return refusal.value.problems


def test_by_default_it_is_the_reference_data_of_lexoffice_and_nothing_elsewhere(tmp_path: Path) -> None:
    default = cached(tmp_path)
    assert set(default) == {
        f"/api/v1/{name}"
        for name in ("profile", "countries", "payment-conditions", "posting-categories", "print-layouts")
    }
    assert cached(tmp_path, OPENID) == {}
    for path, seconds in default.items():
        (row,) = (
            line for line in README.splitlines() if line.startswith("| `/api/v1/") and f"`{path}`" in line
        )
        assert row.endswith(f"| {seconds} |")


def test_paths_are_added_changed_and_taken_out(tmp_path: Path) -> None:
    written = {"/api/v1/contacts": 60, "/api/v1/profile": 0, "/api/v1/countries": 7}
    found = cached(tmp_path, LEXGATE_CACHE=json.dumps(written))
    assert (found["/api/v1/contacts"], found["/api/v1/profile"], found["/api/v1/countries"]) == (60, 0, 7)
    assert found["/api/v1/print-layouts"] == 600
    assert cached(tmp_path, OPENID, LEXGATE_CACHE='{"/api/things": "30"}') == {"/api/things": 30}
    assert cached(tmp_path, OPENID, LEXGATE_CACHE='{"/api/things": 0}') == {}


def test_a_table_of_the_file_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "lexgate.toml").write_text('[cache]\n"/api/v1/contacts" = 60\n', encoding="utf-8")
    assert cached(tmp_path)["/api/v1/contacts"] == 60


def test_without_memory_nothing_is_cached(tmp_path: Path) -> None:
    assert cached(tmp_path, LEXGATE_CACHE_BYTES="0", LEXGATE_CACHE='{"/api/v1/contacts": 60}') == {}


@pytest.mark.parametrize(
    "written",
    [
        "x",
        "[]",
        "5",
        '{"/other": 5}',
        '{"api": 5}',
        '{"/api/%61": 5}',
        '{"/api/v1/x": -1}',
        '{"/api/v1/x": 86401}',
        '{"/api/v1/x": true}',
        '{"/api/v1/x": 1.5}',
        '{"/api/v1/x": null}',
        '{"/api/v1/x": "a secret"}',
    ],
)
def test_what_cannot_be_meant_is_a_problem_that_repeats_no_value(tmp_path: Path, written: str) -> None:
    (problem,) = problems(tmp_path, LEXGATE_CACHE=written)
    assert problem.startswith("LEXGATE_CACHE")
    assert "a secret" not in problem


def test_the_size_is_a_number_of_bytes(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, LEXGATE_CACHE_BYTES="16 MiB")
    assert problem.startswith("LEXGATE_CACHE_BYTES")
