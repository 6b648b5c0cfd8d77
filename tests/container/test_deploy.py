"""What deploy/ and the Dockerfile say of the settings is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.serving import CLOSE_SECONDS, DRAIN_SECONDS
from gateway.settings import Settings, load_settings, variable_of

ROOT = Path(__file__).parents[2]
NAMES = {variable_of(field) for field in Settings.model_fields}
SECRETS = {f"{variable_of(field)}_FILE" for field in ("secrets", "client_secret", "store")}
FILES = ["Dockerfile", "deploy/compose.yaml", "deploy/compose.replicas.yaml", "deploy/kubernetes.yaml"]


def test_the_example_configuration_is_valid(tmp_path: Path) -> None:
    example = (ROOT / "deploy/lexgate.toml").read_text(encoding="utf-8")
    for name in ("lexgate_secrets", "client_secret"):
        (tmp_path / name).write_text("xLjX0pQp2mJ8c1sVt5nB7yRw3kZq9aHd4fGe6uTi0oP\n", encoding="utf-8")
    (tmp_path / "lexgate.toml").write_text(example.replace("/run/secrets", str(tmp_path)), encoding="utf-8")
    settings = load_settings({}, tmp_path)
    assert settings.public_url == "https://books.example.com"
    assert settings.client_secret is not None


@pytest.mark.parametrize("file", FILES)
def test_every_variable_that_is_set_is_a_setting(file: str) -> None:
    named = set(re.findall(r"\bLEXGATE_[A-Z_]+\b", (ROOT / file).read_text(encoding="utf-8")))
    assert named
    assert named <= NAMES | SECRETS


@pytest.mark.parametrize("file", ["compose.yaml", "compose.replicas.yaml"])
def test_compose_confines_the_container(file: str) -> None:
    compose = (ROOT / "deploy" / file).read_text(encoding="utf-8")
    for line in (
        "read_only: true",
        "cap_drop: [ALL]",
        'security_opt: ["no-new-privileges:true"]',
        "stop_grace_period: 25s",
    ):
        assert re.search(rf"\n {{2,4}}{re.escape(line)}\n", compose)


def test_kubernetes_confines_the_container_and_gives_it_time() -> None:
    text = (ROOT / "deploy/kubernetes.yaml").read_text(encoding="utf-8")
    for line in (
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "capabilities: {drop: [ALL]}",
        "runAsNonRoot: true",
    ):
        assert f" {line}\n" in text
    grace, before = (
        int(re.findall(pattern, text)[0])
        for pattern in (r"terminationGracePeriodSeconds: (\d+)", r'command: \[sleep, "(\d+)"\]')
    )
    assert grace >= before + DRAIN_SECONDS + CLOSE_SECONDS


def test_nginx_and_compose_speak_of_the_same_replicas() -> None:
    compose, nginx = (
        (ROOT / "deploy" / file).read_text() for file in ("compose.replicas.yaml", "nginx.conf")
    )
    replicas = re.findall(r"server (\S+):8000 ", nginx)
    assert replicas == re.findall(r"\n  (lexgate-\d):\n", compose)
    addresses = dict(re.findall(r"\n  (\S+):\n(?:    .*\n)*?      lexgate: {ipv4_address: (\S+)}", compose))
    assert re.findall(r"LEXGATE_TRUSTED_PROXIES: (\S+)", compose) == [addresses["nginx"]]
    assert "/etc/nginx/conf.d/default.conf:ro" in compose
    for option in ('--appendonly, "yes"', "--maxmemory-policy, noeviction"):
        assert option in compose
