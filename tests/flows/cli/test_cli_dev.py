"""`--dev`: a developer's own dev server in the place of the app, and never by accident."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import httpx

from gateway.settings import Settings
from tests.flows.cli.process import end, read_until, run, serve_settings, started
from tests.support.browser import Browser
from tests.support.wire import reply, running_wire

if TYPE_CHECKING:
    from pathlib import Path


def test_serve_says_that_it_is_for_development_and_where_its_pages_come_from(tmp_path: Path) -> None:
    settings = serve_settings()
    url = settings["LEXGATE_PUBLIC_URL"]
    with running_wire() as wire:
        wire.script = lambda _: reply(200, b"the app", type_="text/html")
        with started("serve", "--dev", wire.url, cwd=tmp_path, settings=settings) as process:
            line = read_until(process.stderr, "lexgate serves")
            assert line == f"lexgate serves {url} for development, with the pages of {wire.url}\n"
            assert httpx.get(url, trust_env=False).text == "the app"
            code, output, errors = end(process)
    assert (code, errors) == (0, "")
    assert [json.loads(line)["route"] for line in output.splitlines()] == ["/*"]


def test_the_demo_stands_before_a_dev_server_too(tmp_path: Path) -> None:
    with running_wire() as wire:
        wire.script = lambda _: reply(200, b"the app", type_="text/html")
        with started("demo", "--port", "0", "--dev", wire.url, cwd=tmp_path) as process:
            greeting = read_until(process.stdout, "Ctrl-C ends it.")
            assert f"The app             comes from {wire.url}\n" in greeting
            with Browser(re.findall(r"http://localhost:\d+", greeting)[0]) as browser:
                assert browser.sign_in().text == "the app"
                assert browser.fetch("/api/v1/profile").json()["companyName"] in greeting
            assert end(process)[0] == 0


def test_production_and_dev_exclude_each_other(tmp_path: Path) -> None:
    settings = serve_settings(public_url="https://app.example.com", workers="2", store="")
    done = run("serve", "--dev", "http://localhost:5173", cwd=tmp_path, settings=settings)
    assert (done.returncode, done.stdout) == (2, "")
    assert [line[: len("lexgate: --dev: is for")] for line in done.stderr.splitlines()] == [
        "lexgate: --dev: is for"
    ] * 2
    done = run("demo", "--port", "0", "--dev", "https://app.example.com", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lexgate: --dev: must be http://")


def test_no_variable_and_no_file_puts_a_dev_server_behind_the_gateway(tmp_path: Path) -> None:
    assert not [field for field in Settings.model_fields if "dev" in field.split("_")]
    settings = {**serve_settings(), "LEXGATE_DEV": "http://localhost:5173"}
    done = run("serve", cwd=tmp_path, settings=settings)
    assert (done.returncode, done.stdout) == (2, "")
    assert "LEXGATE_DEV: is not a setting" in done.stderr
