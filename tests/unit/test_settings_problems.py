"""What an operator is told: every problem at once, what to write instead, and no value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.errors import ConfigurationError
from gateway.settings import Settings, load_settings, variable_of

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "0123456789abcdef" * 2
LEXWARE = {
    "LEXGATE_PUBLIC_URL": "https://app.example.com",
    "LEXGATE_SECRETS": SECRET,
    "LEXGATE_CLIENT_ID": "example-client",
    "LEXGATE_CLIENT_SECRET": "example-client-secret",
}
OPENID = {
    "LEXGATE_PUBLIC_URL": "https://app.example.com",
    "LEXGATE_SECRETS": SECRET,
    "LEXGATE_CLIENT_ID": "example-client",
    "LEXGATE_PROVIDER": "openid",
    "LEXGATE_ISSUER": "https://login.example.com/",
    "LEXGATE_API_URL": "https://api.example.com/base/",
}


def load(tmp_path: Path, environ: dict[str, str], **more: str) -> Settings:
    return load_settings(environ | {variable_of(field): value for field, value in more.items()}, tmp_path)


def problems_of(tmp_path: Path, environ: dict[str, str], **more: str) -> list[str]:
    with pytest.raises(ConfigurationError) as refusal:
        load(tmp_path, environ, **more)
    return refusal.value.problems


def test_nothing_given_names_everything_required(tmp_path: Path) -> None:
    names = [problem.split(":")[0] for problem in problems_of(tmp_path, {})]
    assert names == [
        "LEXGATE_PUBLIC_URL",
        "LEXGATE_SECRETS",
        "LEXGATE_CLIENT_ID",
        "LEXGATE_CLIENT_SECRET",
    ]


def test_every_problem_is_told_at_once_with_what_to_write(tmp_path: Path) -> None:
    wrong = {
        "public_url": "http://app.example.com",
        "secrets": "short",
        "issuer": "login.example.com",
        "client_id": "é",
        "client_auth": "private_key_jwt",
        "scope": '"',
        "api_url": "api",
        "store": "redis://",
        "spa": "missing",
        "bind": "8000",
        "admin_bind": "localhost:http",
        "session_idle": "1h",
        "session_max": "0",
        "trusted_proxies": "10.0.0.1/8",
        "log_level": "loud",
        "connection_name": "\n\x00",
        "grants": "user",
        "refresh_token_lifetime": "-1",
        "session_address": "some",
        "logout_id_token_hint": "perhaps",
    }
    problems = problems_of(tmp_path, OPENID, **wrong)
    assert {problem.split(":")[0] for problem in problems} == {variable_of(field) for field in wrong}
    assert all("; write e.g. " in problem for problem in problems)
    assert "LEXGATE_PUBLIC_URL: must begin with https:// (http is for" in problems[0]


@pytest.mark.parametrize(
    ("environ", "changes", "problem"),
    [
        (OPENID, {"issuer": ""}, "LEXGATE_ISSUER: is required with LEXGATE_PROVIDER=openid"),
        (OPENID, {"api_url": ""}, "LEXGATE_API_URL: is required with LEXGATE_PROVIDER=openid"),
        (
            OPENID,
            {"authorization_server": "https://login.example.com"},
            "LEXGATE_AUTHORIZATION_SERVER: has no meaning with LEXGATE_PROVIDER=openid",
        ),
        (
            LEXWARE,
            {"issuer": "https://login.example.com"},
            "LEXGATE_ISSUER: has no meaning with LEXGATE_PROVIDER=lexware",
        ),
        (
            LEXWARE,
            {"forward_auth_secrets": SECRET},
            "LEXGATE_FORWARD_AUTH_PROXIES: is required with LEXGATE_FORWARD_AUTH_SECRETS; write e.g. ",
        ),
        (
            LEXWARE,
            {"forward_auth_proxies": "10.0.0.0/8"},
            "LEXGATE_FORWARD_AUTH_PROXIES: has no meaning without LEXGATE_FORWARD_AUTH_SECRETS; set both",
        ),
        (
            LEXWARE,
            {"grants": "connection"},
            "LEXGATE_GRANTS: has no meaning with LEXGATE_PROVIDER=lexware; leave it out",
        ),
        (
            LEXWARE,
            {"logout_id_token_hint": "true"},
            "LEXGATE_LOGOUT_ID_TOKEN_HINT: has no meaning with LEXGATE_PROVIDER=lexware; leave it out",
        ),
        (
            OPENID,
            {"logout_id_token_hint": "perhaps"},
            "LEXGATE_LOGOUT_ID_TOKEN_HINT: must be true or false; write e.g. false",
        ),
        (
            LEXWARE,
            {"client_secret": ""},
            "LEXGATE_CLIENT_SECRET: is required with LEXGATE_CLIENT_AUTH=client_secret_basic",
        ),
        (
            OPENID,
            {"client_auth": "client_secret_post"},
            "LEXGATE_CLIENT_SECRET: is required with LEXGATE_CLIENT_AUTH=client_secret_post",
        ),
        (
            OPENID,
            {"client_auth": "none", "client_secret": "x"},
            "LEXGATE_CLIENT_SECRET: is not used with LEXGATE_CLIENT_AUTH=none",
        ),
        (
            LEXWARE,
            {"session_idle": "36001"},
            "LEXGATE_SESSION_MAX: must not be below LEXGATE_SESSION_IDLE",
        ),
        (
            LEXWARE,
            {"provider": "google"},
            "LEXGATE_PROVIDER: must be 'lexware', 'lexware-sandbox' or 'openid'",
        ),
    ],
)
def test_settings_that_do_not_fit_together_are_one_problem(
    tmp_path: Path, environ: dict[str, str], changes: dict[str, str], problem: str
) -> None:
    problems = problems_of(tmp_path, environ, **changes)
    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_no_secret_shows(tmp_path: Path) -> None:
    settings = load(tmp_path, LEXWARE)
    shown = f"{settings} {settings!r} {settings.model_dump()}"
    assert SECRET not in shown
    assert "example-client-secret" not in shown
    canary = "canary" * 4
    wrong = dict.fromkeys(Settings.model_fields, canary)
    with pytest.raises(ConfigurationError) as refusal:
        load(tmp_path, {}, **wrong)
    assert canary not in f"{refusal.value} {refusal.value.problems}"
    assert refusal.value.__context__ is None
