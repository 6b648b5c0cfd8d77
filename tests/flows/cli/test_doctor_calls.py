"""The doctor's calls: the authorization server, its clock, its opinion of the client, and the API."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from tests.flows.cli.examined import (
    UNKNOWN_TOKEN,
    about,
    date,
    discovers,
    findings,
    lexware,
    metadata,
    openid,
    well,
)
from tests.support.ports import free_port
from tests.support.wire import Wire, reply

if TYPE_CHECKING:
    from pathlib import Path


HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


async def test_a_server_that_cannot_be_reached_is_told(server: Wire, tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    found = await about("authorization server", lexware(server, authorization_server=nowhere), tmp_path)
    assert found.state == "failed"
    assert f"{nowhere} cannot be reached" in found.text
    assert "name resolution" in found.remedy


async def test_an_issuer_that_cannot_be_reached_is_told(server: Wire, tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    found = await about("authorization server", openid(server, issuer=nowhere), tmp_path)
    assert found.state == "failed"
    assert f"{nowhere}/.well-known/openid-configuration: " in found.text
    assert "name resolution" in found.remedy


async def test_an_issuer_without_metadata_is_told(server: Wire, tmp_path: Path) -> None:
    discovers(server, b"{}", 404)
    found = await about("authorization server", openid(server), tmp_path)
    assert found.state == "failed"
    assert "discovery answered 404" in found.text
    assert "LEXGATE_ISSUER" in found.remedy


async def test_another_issuers_metadata_are_told_with_its_name(server: Wire, tmp_path: Path) -> None:
    # RFC 8414 §3.3
    discovers(server, metadata(server, issuer=f"{server.url}/"))
    found = await about("authorization server", openid(server), tmp_path)
    assert found.state == "failed"
    assert f"another issuer, '{server.url}/'" in found.text
    assert "write LEXGATE_ISSUER exactly like that" in found.remedy


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<html>", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"issuer": 7}', "issuer is not the one"),
    ],
)
async def test_what_is_no_metadata_is_told(server: Wire, tmp_path: Path, body: bytes, told: str) -> None:
    discovers(server, body)
    found = await about("authorization server", openid(server), tmp_path)
    assert (found.state, told in found.text) == ("failed", True)
    assert "LEXGATE_ISSUER" in found.remedy


async def test_metadata_that_exclude_pkce_are_told(server: Wire, tmp_path: Path) -> None:
    discovers(server, metadata(server, code_challenge_methods_supported=["plain"]))
    found = await about("authorization server", openid(server), tmp_path)
    assert "PKCE with S256" in found.text


async def test_what_to_register_is_told(server: Wire, tmp_path: Path) -> None:
    discovers(server, metadata(server, end_session_endpoint=f"{server.url}/logout"))
    settings = openid(server)
    found = await findings(settings, tmp_path)
    told = {each.subject: each for each in found if each.state == "note"}
    assert told["redirect URI"].text == f"{settings['LEXGATE_PUBLIC_URL']}/auth/callback"
    assert told["post-logout redirect URI"].text == f"{settings['LEXGATE_PUBLIC_URL']}/auth/signed-out"
    assert "tokens live on after sign-out" in told["revocation"].text


@pytest.mark.parametrize(("skew", "told"), [(3600, "3600 s behind"), (-90, "90 s ahead of")])
async def test_a_clock_that_is_off_is_told(server: Wire, tmp_path: Path, skew: float, told: str) -> None:
    # RFC 9110 §6.6.1: the Date field
    server.script = lambda _: reply(400, UNKNOWN_TOKEN, date(skew))
    found = await about("clock", lexware(server), tmp_path)
    assert found.state == "failed"
    # Date has whole seconds: one more or less is nobody's fault.
    seconds = int(told.split(maxsplit=1)[0])
    assert any(
        f"{each} s {told.partition(' s ')[2]}" in found.text for each in range(seconds - 2, seconds + 3)
    )
    assert "NTP" in found.remedy


@pytest.mark.parametrize("field", ["Date: yesterday", "X-Date: none"])
async def test_a_server_without_a_clock_is_noted(server: Wire, tmp_path: Path, field: str) -> None:
    server.script = lambda _: reply(400, UNKNOWN_TOKEN, field)
    assert (await about("clock", lexware(server), tmp_path)).state == "note"


async def test_a_client_that_is_not_known_is_told(server: Wire, tmp_path: Path) -> None:
    # RFC 6749 §5.2: invalid_client
    server.script = lambda _: reply(401, b'{"error": "invalid_client"}', date(0))
    found = await about("client credentials", lexware(server), tmp_path)
    assert found.state == "failed"
    assert "LEXGATE_CLIENT_ID and LEXGATE_CLIENT_SECRET" in found.remedy


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (400, b'{"error": "unsupported_grant_type"}', "unsupported_grant_type"),
        (400, b'{"error": "unauthorized_client"}', "refused by the token endpoint (unauthorized_client)"),
        (503, b"", "503"),
        (200, b'{"access_token": "t", "token_type": "Bearer"}', "took a refresh token that never was"),
    ],
)
async def test_a_client_that_cannot_be_proven_is_noted(
    server: Wire, tmp_path: Path, status: int, body: bytes, told: str
) -> None:
    server.script = lambda _: reply(status, body, date(0))
    found = await about("client credentials", lexware(server), tmp_path)
    assert (found.state, told in found.text) == ("note", True)


async def test_an_api_that_is_down_is_told(server: Wire, tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    found = await about("API", lexware(server) | {"LEXGATE_API_URL": nowhere}, tmp_path)
    assert (found.state, nowhere in found.text) == ("failed", True)
    assert "LEXGATE_API_URL" in found.remedy


async def test_an_api_that_fails_is_told(server: Wire, tmp_path: Path) -> None:
    server.script = lambda heard: reply(502, b"") if heard.method == "GET" else well(heard)
    found = await about("API", lexware(server), tmp_path)
    assert (found.state, "answers 502" in found.text) == ("failed", True)


@pytest.mark.parametrize("status", [200, 401, 403, 404])
async def test_an_api_that_wants_a_token_is_well(server: Wire, tmp_path: Path, status: int) -> None:
    server.script = lambda heard: reply(status, b"") if heard.method == "GET" else well(heard)
    assert (await about("API", lexware(server), tmp_path)).state == "ok"


async def test_each_destination_of_a_route_is_asked_once(server: Wire, tmp_path: Path) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        routes = [
            {"prefix": "/api/files", "destination": f"{server.url}/files", "token": "none"},
            {"prefix": "/api/live", "websocket": True},
            {
                "prefix": "/api/dead",
                "destination": f"http://127.0.0.1:{unheard.getsockname()[1]}",
                "token": "user",
            },
        ]
        settings = lexware(server) | {"LEXGATE_ROUTES": json.dumps(routes)}
        found = [
            each for each in await findings(settings, tmp_path) if each.subject.startswith(("API", "route"))
        ]
    assert [(each.state, each.subject) for each in found] == [
        ("ok", "route /api/files"),
        ("failed", "route /api/dead"),
        ("ok", "API"),
    ]
    assert "no token goes there" in found[0].text
    assert "LEXGATE_ROUTES" in found[1].remedy
