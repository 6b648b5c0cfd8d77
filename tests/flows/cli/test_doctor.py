"""The doctor at home: settings, secrets, store, cookies, proxies, and the command itself."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.contract.redis_servers import RedisServer, free_port
from tests.flows.cli.examined import (
    about,
    findings,
    is_empty,
    lexware,
)
from tests.flows.cli.process import run
from tests.support.running import running_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.running import Running
    from tests.support.wire import Wire

HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


async def test_all_is_well(server: Wire, tmp_path: Path) -> None:
    found = await findings(lexware(server, store=f"sqlite://{tmp_path}/sessions.db", secrets=HEX), tmp_path)
    assert [(each.state, each.subject) for each in found] == [
        ("ok", "settings"),
        ("ok", "secrets"),
        ("ok", "store"),
        ("ok", "clock"),
        ("ok", "client credentials"),
        ("note", "redirect URI"),
        ("ok", "API"),
        ("note", "webhook"),
        ("note", "cookies"),
        ("ok", "proxies"),
        ("ok", "SPA"),
    ]
    assert is_empty(tmp_path), "it keeps nothing"


@pytest.mark.parametrize(
    ("picture", "webhooks", "state"),
    [("lexware", True, "ok"), ("openid", True, "ok"), ("lexware", False, "note"), ("openid", False, None)],
)
async def test_whether_changes_can_reach_the_app_is_told(
    picture: str, tmp_path: Path, state: str | None, *, webhooks: bool
) -> None:
    """With another provider there is no lexoffice that would tell of them."""
    running: Running
    with running_gateway(picture, webhooks=webhooks) as running:
        found = await findings(running.environment, tmp_path)
    told = {each.subject: each for each in found}.get("webhook")
    assert (told and told.state) == state
    assert told is None or "lexgate webhooks " in told.text + told.remedy
    assert not webhooks or f"{running.public_url}/webhooks/lexoffice" in (told.text if told else "")


@pytest.mark.parametrize("picture", ["lexware", "openid"])
async def test_the_sandbox_is_well(picture: str, tmp_path: Path) -> None:
    running: Running
    with running_gateway(picture) as running:
        found = await findings(running.environment, tmp_path)
    assert "failed" not in {each.state for each in found}
    assert ("ok", "client credentials") in {(each.state, each.subject) for each in found}


async def test_invalid_settings_are_all_told_and_end_the_examination(tmp_path: Path) -> None:
    found = await findings({"LEXGATE_SESSION_IDLE": "soon"}, tmp_path)
    assert {each.state for each in found} == {"failed"}
    assert {each.subject for each in found} == {"settings"}
    lines = "\n".join(each.render() for each in found)
    for name in ("PUBLIC_URL", "SECRETS", "CLIENT_ID", "SESSION_IDLE"):
        assert f"FAILED  settings: LEXGATE_{name}: " in lines
    assert lines.count("write e.g.") == len(found)


@pytest.mark.parametrize("weak", ["changeme-" * 4, "a" * 64, "0123456789abcdef" * 4, "secret" * 6])
async def test_a_secret_that_can_be_guessed_is_told_by_its_number(
    server: Wire, tmp_path: Path, weak: str
) -> None:
    found = await about("secrets", lexware(server, secrets=f"{HEX},{weak}"), tmp_path)
    assert found.state == "failed"
    assert "number 2 of LEXGATE_SECRETS" in found.text
    assert "lexgate keygen" in found.remedy
    assert weak not in found.render()


@pytest.mark.parametrize(
    "strong",
    [HEX, HEX[:32], "3qZ4bq0tXv1l6lYd2yNs9mVbJ8wQxK5cRfTgHhUiOpA", "vier Igel putzen Zahlen am Tuerspalt"],
)
async def test_a_good_secret_is_good_in_any_alphabet(server: Wire, tmp_path: Path, strong: str) -> None:
    assert (await about("secrets", lexware(server, secrets=strong), tmp_path)).state == "ok"


async def test_a_rotation_is_told(server: Wire, tmp_path: Path) -> None:
    found = await about("secrets", lexware(server, secrets=f"{HEX[::-1]},{HEX}"), tmp_path)
    assert found.render() == "ok      secrets: 2: the first signs and seals, 1 older still verify"


async def test_sessions_in_memory_are_noted(server: Wire, tmp_path: Path) -> None:
    found = await about("store", lexware(server), tmp_path)
    assert found.state == "note"
    assert "LEXGATE_STORE=sqlite:///" in found.remedy


async def test_a_store_that_cannot_be_written_is_told(server: Wire, tmp_path: Path) -> None:
    (tmp_path / "sessions.db").write_text("not a database, but long enough to be taken for one" * 40)
    found = await about("store", lexware(server, store=f"sqlite://{tmp_path}/sessions.db"), tmp_path)
    assert found.state == "failed"
    assert "cannot be used by this user" in found.text
    assert str(tmp_path) in found.remedy


async def test_a_redis_that_keeps_another_time_is_told(
    server: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = RedisServer(tmp_path, free_port())
    try:
        settings = lexware(server, store=f"redis://127.0.0.1:{redis.port}")
        assert (await about("store", settings, tmp_path)).state == "ok"
        monkeypatch.setattr("gateway.sessions.clock_check.MOST_SKEW_SECONDS", -1.0)
        found = await about("store", settings, tmp_path)
    finally:
        redis.stop()
    assert found.state == "failed"
    assert f"Redis at 127.0.0.1:{redis.port} keeps another time: this machine's clock is " in found.text
    assert "NTP" in found.remedy


async def test_a_store_whose_folder_cannot_be_made_is_told(server: Wire, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = await about("store", lexware(server, store=f"sqlite://{tmp_path}/file/sessions.db"), tmp_path)
    assert found.state == "failed"
    assert "LEXGATE_STORE" in found.remedy


async def test_a_store_that_will_be_made_is_not_made_yet(server: Wire, tmp_path: Path) -> None:
    found = await about("store", lexware(server, store=f"sqlite://{tmp_path}/a/b/sessions.db"), tmp_path)
    assert found.state == "ok"
    assert is_empty(tmp_path)


async def test_a_store_in_use_is_left_as_it_is(server: Wire, tmp_path: Path) -> None:
    settings = lexware(server, store=f"sqlite://{tmp_path}/sessions.db")
    sqlite3.connect(tmp_path / "sessions.db").close()
    assert (await about("store", settings, tmp_path)).state == "ok"
    assert (tmp_path / "sessions.db").exists()


async def test_the_cookies_are_named_with_their_prefix(server: Wire, tmp_path: Path) -> None:
    local = await about("cookies", lexware(server), tmp_path)
    secure = await about("cookies", lexware(server, public_url="https://app.example.com"), tmp_path)
    for found in (local, secure):
        assert "__Host-Http-lexgate (" in found.text
        assert "__Host-Http-lexgate-login-" in found.text
        assert "Secure, HttpOnly, Path=/, without Domain" in found.text
    assert (local.state, "Safari" in local.text, "https" in local.remedy) == ("note", True, True)
    assert (secure.state, secure.remedy) == ("ok", "")


async def test_a_proxy_that_nobody_trusts_is_noted(server: Wire, tmp_path: Path) -> None:
    https = lexware(server, public_url="https://app.example.com")
    found = await about("proxies", https, tmp_path)
    assert (found.state, "LEXGATE_TRUSTED_PROXIES" in found.remedy) == ("note", True)
    trusted = https | {"LEXGATE_TRUSTED_PROXIES": "10.0.0.0/8"}
    assert "10.0.0.0/8" in (await about("proxies", trusted, tmp_path)).text


async def test_the_folder_of_the_app_is_told(server: Wire, tmp_path: Path) -> None:
    (tmp_path / "index.html").touch()
    assert str(tmp_path) in (await about("SPA", lexware(server, spa=str(tmp_path)), tmp_path)).text


def test_the_command_ends_with_1_if_anything_failed(server: Wire, tmp_path: Path) -> None:
    done = run("doctor", cwd=tmp_path, settings=lexware(server))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ok      settings: valid; provider lexware")
    done = run("doctor", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("FAILED  settings: LEXGATE_PUBLIC_URL: is required; write e.g. https://")
