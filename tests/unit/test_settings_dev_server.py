"""Which dev server may stand behind which gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.errors import ConfigurationError
from gateway.settings import choose_dev_server, load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.settings import Settings

ENVIRONMENT = {
    "LEXGATE_PUBLIC_URL": "http://localhost:8000",
    "LEXGATE_SECRETS": "a signing and sealing secret for tests 0123456789",
    "LEXGATE_CLIENT_ID": "lexgate-test",
    "LEXGATE_CLIENT_SECRET": "a client secret",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(ENVIRONMENT, tmp_path)


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("http://localhost:5173", "http://localhost:5173"),
        (" HTTP://LocalHost:5173/ ", "http://localhost:5173"),
        ("http://localhost:80", "http://localhost"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://127.8.0.1:1", "http://127.8.0.1:1"),
        ("http://[::1]:5173", "http://[::1]:5173"),
        ("http://192.168.1.4:5173", "http://192.168.1.4:5173"),
        ("http://172.17.0.2:5173", "http://172.17.0.2:5173"),
        ("http://[fd00::4]:5173", "http://[fd00::4]:5173"),
        ("http://vite:5173", "http://vite:5173"),
        ("http://app.localhost:5173", "http://app.localhost:5173"),
        ("http://host.docker.internal:5173", "http://host.docker.internal:5173"),
    ],
)
def test_a_dev_server_is_near_by(settings: Settings, written: str, origin: str) -> None:
    """RFC 6761 §6.3: names below localhost are this machine."""
    assert choose_dev_server(written, settings) == origin


@pytest.mark.parametrize(
    "written",
    [
        "",
        "localhost:5173",
        "https://localhost:5173",
        "http://localhost:5173/app",
        "http://localhost:5173?a",
        "http://me@localhost:5173",
        "http://localhost:0",
        "http://localhost:65536",
        "http://example.com:5173",
        "http://localhost.example.com",
        "http://8.8.8.8:5173",
        "http://169.254.169.254",
        "http://0.0.0.0:5173",
        "http://[fe80::1]:5173",
        "http://[::]:5173",
        "http://localhost:8000",
    ],
)
def test_anything_else_is_no_dev_server(settings: Settings, written: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        choose_dev_server(written, settings)
    (problem,) = error.value.problems
    assert problem.startswith("--dev: ")
    assert problem.endswith("; write e.g. --dev http://localhost:5173")


@pytest.mark.parametrize(
    "public_url", ["https://localhost:8443", "http://127.0.0.1:8000", "http://[::1]:8000"]
)
def test_the_app_is_on_localhost(tmp_path: Path, public_url: str) -> None:
    settings = load_settings({**ENVIRONMENT, "LEXGATE_PUBLIC_URL": public_url}, tmp_path)
    assert choose_dev_server("http://localhost:5173", settings)


def test_every_reason_against_it_is_told_at_once(tmp_path: Path) -> None:
    production = {"LEXGATE_PUBLIC_URL": "https://app.example.com", "LEXGATE_WORKERS": "2"}
    settings = load_settings({**ENVIRONMENT, **production}, tmp_path)
    with pytest.raises(ConfigurationError) as error:
        choose_dev_server("http://example.com", settings)
    assert len(error.value.problems) == 3
    assert all(problem.startswith("--dev: ") and "; " in problem for problem in error.value.problems)
