"""Where settings may be written, and what becomes of what is misspelt, doubled or unreadable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.errors import ConfigurationError
from gateway.settings import Settings, load_settings, variable_of

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "0123456789abcdef" * 2
ENVIRON = {
    "LEXGATE_PUBLIC_URL": "https://app.example.com",
    "LEXGATE_SECRETS": SECRET,
    "LEXGATE_CLIENT_ID": "example-client",
    "LEXGATE_CLIENT_SECRET": "example-client-secret",
}
TABLE = f"""
public_url = "https://toml.example.com"
secrets = ["{SECRET}", "{SECRET[::-1]}"]
client_id = "toml-client"
client_secret = "toml-secret"
session_idle = 60
trusted_proxies = ["10.0.0.0/8"]
"""


def without(*fields: str) -> dict[str, str]:
    return {name: value for name, value in ENVIRON.items() if name not in {variable_of(f) for f in fields}}


def problems_of(environ: dict[str, str], directory: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(environ, directory)
    return refusal.value.problems


def secrets_of(settings: Settings) -> list[str]:
    return [secret.get_secret_value() for secret in settings.secrets]


def test_file_alone_is_enough(tmp_path: Path) -> None:
    (tmp_path / "lexgate.toml").write_text(TABLE)
    settings = load_settings({}, tmp_path)
    assert settings.public_url == "https://toml.example.com"
    assert secrets_of(settings) == [SECRET, SECRET[::-1]]
    assert settings.session_idle == 60
    assert str(settings.trusted_proxies[0]) == "10.0.0.0/8"


def test_file_takes_the_names_of_variables_too(tmp_path: Path) -> None:
    (tmp_path / "lexgate.toml").write_text('LEXGATE_SESSION_IDLE = "61"\nsession_max = 62\nscope = ""\n')
    settings = load_settings(ENVIRON, tmp_path)
    assert (settings.session_idle, settings.session_max) == (61, 62)
    assert settings.scope.startswith("profile.read")


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "lexgate.toml").write_text(TABLE)
    (tmp_path / "secret").write_text("from-file")
    environ = {"LEXGATE_PUBLIC_URL": "https://env.example.com", "LEXGATE_CLIENT_SECRET_FILE": "secret"}
    settings = load_settings(environ, tmp_path)
    assert settings.public_url == "https://env.example.com"
    assert settings.client_id == "toml-client"
    assert settings.client_secret is not None
    assert settings.client_secret.get_secret_value() == "from-file"


def test_empty_variable_counts_as_not_given(tmp_path: Path) -> None:
    assert load_settings(ENVIRON | {"LEXGATE_ISSUER": "", "LEXGATE_BIND": " "}, tmp_path).bind.port == 8000


def test_another_file_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(TABLE)
    for chosen in ("other.toml", str(tmp_path / "other.toml")):
        assert load_settings({"LEXGATE_CONFIG": chosen}, tmp_path).client_id == "toml-client"


def test_missing_file_is_a_problem_only_if_it_is_named(tmp_path: Path) -> None:
    assert load_settings(ENVIRON, tmp_path).session_idle == 1800
    [problem] = problems_of(ENVIRON | {"LEXGATE_CONFIG": "missing.toml"}, tmp_path)
    assert problem.startswith("LEXGATE_CONFIG: names a file that does not exist")


def test_unreadable_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "lexgate.toml").mkdir()
    [problem] = problems_of(ENVIRON, tmp_path)
    assert problem.startswith("lexgate.toml: cannot be read (Is a directory)")


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"client_secret = canary", "at line 1, column 17"),
        (b'client_secret = "canary', "at end of document"),
        (b"client_secret = '\xff'", "not UTF-8"),
    ],
)
def test_file_that_is_not_toml_is_told_by_the_place_alone(tmp_path: Path, content: bytes, place: str) -> None:
    (tmp_path / "lexgate.toml").write_bytes(content)
    [problem] = problems_of(ENVIRON, tmp_path)
    assert problem.startswith(f"lexgate.toml: is not TOML ({place}); write")
    assert "canary" not in problem


def test_setting_written_twice_in_the_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "lexgate.toml").write_text("session_idle = 1\nLEXGATE_SESSION_IDLE = 2\n")
    [problem] = problems_of(ENVIRON, tmp_path)
    assert problem == "LEXGATE_SESSION_IDLE: is written twice in lexgate.toml; leave one of them out"


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("public_ulr", "public_ulr in lexgate.toml: is not a setting; did you mean public_url?"),
        ("Public_URL", "Public_URL in lexgate.toml: is not a setting; did you mean public_url?"),
        (
            "LEXGATE_public_url",
            "LEXGATE_public_url in lexgate.toml: is not a setting; did you mean public_url?",
        ),
        ("config", "config in lexgate.toml: is not a setting; leave it out"),
        ("zzz", "zzz in lexgate.toml: is not a setting; leave it out"),
    ],
)
def test_unknown_key_is_a_problem_with_a_suggestion(tmp_path: Path, key: str, problem: str) -> None:
    (tmp_path / "lexgate.toml").write_text(f'{key} = "x"\n')
    assert problems_of(ENVIRON, tmp_path) == [problem]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("LEXGATE_SESION_IDLE", "LEXGATE_SESION_IDLE: is not a setting; did you mean LEXGATE_SESSION_IDLE?"),
        (
            "LEXGATE_CLIENT_ID_FILE",
            "LEXGATE_CLIENT_ID_FILE: is not a setting; did you mean LEXGATE_CLIENT_ID?",
        ),
        ("LEXGATE_bind", "LEXGATE_bind: is not a setting; did you mean LEXGATE_BIND?"),
        ("LEXGATE_", "LEXGATE_: is not a setting; leave it out"),
        ("LEXGATE_XYZZY", "LEXGATE_XYZZY: is not a setting; leave it out"),
    ],
)
def test_unknown_variable_is_a_problem_with_a_suggestion(tmp_path: Path, name: str, problem: str) -> None:
    assert problems_of(ENVIRON | {name: "x"}, tmp_path) == [problem]


@pytest.mark.parametrize(
    "name",
    ["LEXGATE_SERVICE_HOST", "LEXGATE_SERVICE_PORT", "LEXGATE_SERVICE_PORT_HTTP", "LEXGATE_PORT",
     "LEXGATE_PORT_8000_TCP", "LEXGATE_PORT_8000_TCP_ADDR", "LEXGATE_PORT_8000_TCP_PROTO",
     "LEXGATE_REDIS_SERVICE_HOST", "LEXGATE_REDIS_PORT_6379_TCP_PORT", "PATH", "lexgate_x", "MY_LEXGATE_X"],
)  # fmt: skip
def test_variables_of_kubernetes_and_of_others_are_no_problem(tmp_path: Path, name: str) -> None:
    assert load_settings(ENVIRON | {name: "tcp://10.0.0.1:8000"}, tmp_path).bind.port == 8000


def test_secret_comes_from_a_file_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text(f"{SECRET},{SECRET[::-1]}\n")
    (tmp_path / "client").write_bytes(b" a secret \r\n")
    environ = without("secrets", "client_secret") | {
        "LEXGATE_SECRETS_FILE": str(tmp_path / "secrets"),
        "LEXGATE_CLIENT_SECRET_FILE": "client",
    }
    settings = load_settings(environ, tmp_path)
    assert secrets_of(settings) == [SECRET, SECRET[::-1]]
    assert settings.client_secret is not None
    assert settings.client_secret.get_secret_value() == "a secret"


def test_secret_file_can_be_named_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "lexgate.toml").write_text('client_secret_file = "client"\n')
    (tmp_path / "client").write_text("toml-file-secret\n")
    settings = load_settings(without("client_secret"), tmp_path)
    assert settings.client_secret is not None
    assert settings.client_secret.get_secret_value() == "toml-file-secret"


@pytest.mark.parametrize("field", ["secrets", "client_secret"])
def test_secret_given_twice_is_a_problem(tmp_path: Path, field: str) -> None:
    name = variable_of(field)
    [problem] = problems_of(ENVIRON | {f"{name}_FILE": "anything"}, tmp_path)
    assert problem == f"{name}_FILE: is given together with {name}; leave one of them out"


@pytest.mark.parametrize("field", ["secrets", "client_secret"])
def test_unreadable_secret_file_is_one_problem_that_names_the_setting(tmp_path: Path, field: str) -> None:
    name = f"{variable_of(field)}_FILE"
    (tmp_path / "binary").write_bytes(b"canary\xff")
    for path, reason in [
        ("missing", "No such file or directory"),
        (".", "Is a directory"),
        ("binary", "not UTF-8"),
    ]:
        [problem] = problems_of(without(field) | {name: path}, tmp_path)
        assert problem.startswith(f"{name}: cannot be read ({reason}); write the path of a file")
        assert "canary" not in problem


def test_short_secret_in_a_file_is_a_problem_of_its_setting(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("canary\n")
    [problem] = problems_of(without("secrets") | {"LEXGATE_SECRETS_FILE": "secrets"}, tmp_path)
    assert problem.startswith("LEXGATE_SECRETS: must be secrets of at least 32 bytes")
    assert "canary" not in problem


def test_wrong_type_in_the_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "lexgate.toml").write_text(
        "client_id = 5\nspa = 5\nsecrets = 5\nbind = true\n[scope]\na = 1\n"
    )
    environ = without("client_id", "secrets")
    names = [problem.split(":")[0] for problem in problems_of(environ, tmp_path)]
    assert names == [variable_of(f) for f in ("secrets", "client_id", "scope", "spa", "bind")]


def test_problems_of_all_sources_come_together(tmp_path: Path) -> None:
    (tmp_path / "lexgate.toml").write_text('colour = "red"\nsession_idle = 0\n')
    environ = without("client_id") | {"LEXGATE_SEEKRETS": "x", "LEXGATE_LOG_LEVEL": "loud"}
    problems = problems_of(environ, tmp_path)
    assert [problem.split(":")[0] for problem in problems] == [
        "colour in lexgate.toml",
        "LEXGATE_SEEKRETS",
        "LEXGATE_CLIENT_ID",
        "LEXGATE_SESSION_IDLE",
        "LEXGATE_LOG_LEVEL",
    ]
