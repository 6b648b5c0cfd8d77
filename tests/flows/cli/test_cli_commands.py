"""The commands of the operator: what they print, and how they end."""

from __future__ import annotations

import base64
import socket
from typing import TYPE_CHECKING

import pytest

from gateway import __version__
from gateway.sandbox.faults import FAULTS
from tests.flows.cli.process import run, serve_settings

if TYPE_CHECKING:
    from pathlib import Path


def test_help_names_every_command(tmp_path: Path) -> None:
    done = run("--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("demo", "serve", "doctor", "webhooks", "keygen"):
        assert f"\n    {command} " in done.stdout


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("demo", "Ctrl-C"),
        ("serve", "Exit code 0"),
        ("doctor", "Exit code 0"),
        ("webhooks", "event-subscriptions.write"),
        ("keygen", "To rotate"),
    ],
)
def test_every_command_explains_itself(tmp_path: Path, command: str, told: str) -> None:
    done = run(command, "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: lexgate {command}")
    assert told in done.stdout


def test_version_is_told(tmp_path: Path) -> None:
    assert run("--version", cwd=tmp_path).stdout == f"lexgate {__version__}\n"


@pytest.mark.parametrize("arguments", [(), ("reticulate",), ("keygen", "--bits", "8")])
def test_a_wrong_command_is_a_usage_error(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: lexgate")


def test_keygen_prints_256_bits_and_never_the_same(tmp_path: Path) -> None:
    lines = [run("keygen", cwd=tmp_path).stdout for _ in range(3)]
    assert len(set(lines)) == 3
    for line in lines:
        assert line.endswith("\n")
        assert len(base64.urlsafe_b64decode(line.strip() + "=")) == 32


def test_serve_without_settings_reports_all_problems_at_once(tmp_path: Path) -> None:
    done = run("serve", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 4
    for name in ("PUBLIC_URL", "SECRETS", "CLIENT_ID", "CLIENT_SECRET"):
        (line,) = [line for line in lines if line.startswith(f"lexgate: LEXGATE_{name}: is required")]
        assert "write " in line


def test_serve_reports_what_is_wrong_without_repeating_it(tmp_path: Path) -> None:
    wrong = serve_settings(public_url="ftp://hidden.example", secrets="hidden", session_idle="hidden")
    done = run("serve", cwd=tmp_path, settings=wrong | {"LEXGATE_STOREE": "hidden"})
    assert done.returncode == 2
    named = [line.split(": ")[1] for line in done.stderr.splitlines()]
    assert sorted(named) == [
        "LEXGATE_PUBLIC_URL",
        "LEXGATE_SECRETS",
        "LEXGATE_SESSION_IDLE",
        "LEXGATE_STOREE",
    ]
    assert "hidden" not in done.stderr
    assert "LEXGATE_STORE?" in done.stderr


@pytest.mark.parametrize("setting", ["LEXGATE_BIND", "LEXGATE_ADMIN_BIND"])
def test_a_busy_port_is_a_clear_error(tmp_path: Path, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", cwd=tmp_path, settings=serve_settings() | {setting: f"127.0.0.1:{port}"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"lexgate: {setting}: port {port} on 127.0.0.1 cannot be used")
    assert done.stderr.count("\n") == 1


def test_a_store_that_cannot_be_used_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("serve", cwd=tmp_path, settings=serve_settings(store=f"sqlite://{tmp_path}/file/sessions.db"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("lexgate: LEXGATE_STORE: ")
    assert "lexgate doctor" in done.stderr
    assert done.stderr.count("\n") == 1


def test_settings_come_from_the_file_in_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "lexgate.toml").write_text('public_url = "https://app.example.com/path"\nstoree = "x"\n')
    done = run("serve", cwd=tmp_path)
    assert done.returncode == 2
    assert "LEXGATE_PUBLIC_URL: must be an origin, without a path" in done.stderr
    assert "storee in lexgate.toml: is not a setting; did you mean store?" in done.stderr


def test_the_demo_lists_its_faults(tmp_path: Path) -> None:
    done = run("demo", "--fault", "help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(FAULTS)


def test_the_demo_refuses_an_unknown_fault(tmp_path: Path) -> None:
    done = run("demo", "--port", "0", "--fault", "api_500", "--fault", "flood", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "lexgate: --fault: there is no fault named flood; `--fault help` lists them\n"


@pytest.mark.parametrize("arguments", [("--port", "http"), ("--port", "65536"), ("--picture", "saml")])
def test_the_demo_refuses_malformed_arguments(tmp_path: Path, arguments: tuple[str, str]) -> None:
    done = run("demo", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"argument {arguments[0]}: " in done.stderr


def test_the_demo_on_a_busy_port_is_a_clear_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("demo", "--port", str(port), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    said = f"lexgate: --port (with make: PORT=...): port {port} on 127.0.0.1 cannot be used"
    assert done.stderr.startswith(said)
    assert done.stderr.endswith("choose another one\n")
