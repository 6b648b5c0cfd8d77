"""What deploy/ and the Dockerfile say of the settings is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.settings import Settings, load_settings, variable_of

ROOT = Path(__file__).parents[2]
NAMES = {variable_of(field) for field in Settings.model_fields}
SECRETS = {f"{variable_of(field)}_FILE" for field in ("secrets", "client_secret")}


def test_the_example_configuration_is_valid(tmp_path: Path) -> None:
    example = (ROOT / "deploy/lexgate.toml").read_text(encoding="utf-8")
    for name in ("lexgate_secrets", "client_secret"):
        (tmp_path / name).write_text("xLjX0pQp2mJ8c1sVt5nB7yRw3kZq9aHd4fGe6uTi0oP\n", encoding="utf-8")
    (tmp_path / "lexgate.toml").write_text(example.replace("/run/secrets", str(tmp_path)), encoding="utf-8")
    settings = load_settings({}, tmp_path)
    assert settings.public_url == "https://books.example.com"
    assert settings.client_secret is not None


@pytest.mark.parametrize("file", ["Dockerfile", "deploy/compose.yaml"])
def test_every_variable_that_is_set_is_a_setting(file: str) -> None:
    named = set(re.findall(r"\bLEXGATE_[A-Z_]+\b", (ROOT / file).read_text(encoding="utf-8")))
    assert named
    assert named <= NAMES | SECRETS


def test_compose_confines_the_container() -> None:
    compose = (ROOT / "deploy/compose.yaml").read_text(encoding="utf-8")
    for line in (
        "read_only: true",
        "cap_drop: [ALL]",
        'security_opt: ["no-new-privileges:true"]',
        "stop_grace_period: 25s",
    ):
        assert f"\n    {line}\n" in compose
