"""What each setting means once it is read: its default, its preset, what derives from it."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.errors import ConfigurationError
from gateway.settings import Address, Settings, load_settings, variable_of

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


def test_defaults_are_those_of_lexware(tmp_path: Path) -> None:
    settings = load(tmp_path, LEXWARE)
    assert settings.provider == "lexware"
    assert settings.authorization_server == "https://app.lexware.de"
    assert settings.api_url == "https://api.lexware.io"
    assert settings.scope.split()[0] == "profile.read"
    assert settings.client_auth == "client_secret_basic"
    assert settings.issuer is None
    assert settings.connection_name is None
    assert settings.spa is None
    assert (settings.bind, settings.admin_bind) == (Address("127.0.0.1", 8000), Address("127.0.0.1", 9090))
    assert (settings.session_idle, settings.session_max) == (1800, 36000)
    assert settings.trusted_proxies == ()
    assert settings.log_level == "info"


def test_credentials_are_read(tmp_path: Path) -> None:
    settings = load(tmp_path, LEXWARE, secrets=f"{SECRET}, {'b' * 32}")
    assert [secret.get_secret_value() for secret in settings.secrets] == [SECRET, "b" * 32]
    assert settings.client_id == "example-client"
    assert settings.client_secret is not None
    assert settings.client_secret.get_secret_value() == "example-client-secret"


def test_proxies_that_ask_have_secrets_and_networks(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        LEXWARE,
        forward_auth_secrets=f"{SECRET},{'b' * 32}",
        forward_auth_proxies="10.0.0.0/8, 192.168.1.4",
    )
    assert [each.get_secret_value() for each in settings.forward_auth_secrets] == [SECRET, "b" * 32]
    assert settings.forward_auth_proxies == (ip_network("10.0.0.0/8"), ip_network("192.168.1.4"))
    assert SECRET not in repr(settings)


def test_further_apps_are_named_as_browsers_write_them(tmp_path: Path) -> None:
    written = "https://Web.example.com:443/, http://localhost:5173, https://app.example.com"
    settings = load(tmp_path, LEXWARE, app_origins=written)
    assert settings.sibling_origins == {"https://web.example.com", "http://localhost:5173"}
    assert load(tmp_path, LEXWARE).sibling_origins == frozenset()


@pytest.mark.parametrize(
    "origin", ["*", "null", "https://*.example.com", "http://web.example.com", "https://a/b"]
)
def test_a_further_app_is_one_exact_origin(tmp_path: Path, origin: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        load(tmp_path, LEXWARE, app_origins=f"https://web.example.com,{origin}")
    assert refusal.value.problems[0].startswith("LEXGATE_APP_ORIGINS: must ")


def test_sandbox_of_lexware_has_its_own_endpoints(tmp_path: Path) -> None:
    settings = load(tmp_path, LEXWARE, provider="lexware-sandbox")
    assert settings.authorization_server == "https://app.lexware-sandbox.de"
    assert settings.api_url == "https://api.lexware-sandbox.io"


def test_endpoints_of_lexware_can_be_others(tmp_path: Path) -> None:
    settings = load(
        tmp_path, LEXWARE, authorization_server="http://127.0.0.1:9001/", api_url="http://127.0.0.1:9001/"
    )
    assert (settings.authorization_server, settings.api_url) == ("http://127.0.0.1:9001",) * 2


def test_openid_keeps_the_issuer_as_it_is_written(tmp_path: Path) -> None:
    settings = load(tmp_path, OPENID)
    assert settings.issuer == "https://login.example.com/"
    assert settings.api_url == "https://api.example.com/base"
    assert settings.authorization_server is None
    assert settings.scope == "openid profile email"
    assert settings.client_auth is None
    assert settings.client_secret is None


def test_openid_client_may_have_a_secret(tmp_path: Path) -> None:
    settings = load(tmp_path, OPENID, client_secret="x", client_auth="client_secret_post")
    assert settings.client_auth == "client_secret_post"


def test_derived_values_come_from_the_public_url(tmp_path: Path) -> None:
    settings = load(tmp_path, LEXWARE, public_url="HTTPS://App.Example.com:443/")
    assert settings.public_url == settings.public_origin == "https://app.example.com"
    assert settings.redirect_uri == "https://app.example.com/auth/callback"
    assert settings.is_secure
    assert not load(tmp_path, LEXWARE, public_url="http://localhost:8000").is_secure


def test_default_store_lies_in_the_state_directory(tmp_path: Path) -> None:
    assert load(tmp_path, LEXWARE).store_path == tmp_path / ".lexgate" / "sessions.db"
    assert load(tmp_path, LEXWARE, state_directory="/var/lib/a").store_path == Path("/var/lib/a/sessions.db")
    assert load(tmp_path, LEXWARE, state_directory="state").state_directory == tmp_path / "state"
    systemd = LEXWARE | {"STATE_DIRECTORY": "/var/lib/b:/var/lib/c"}
    assert load(tmp_path, systemd).store == "sqlite:///var/lib/b/sessions.db"
    assert load(tmp_path, systemd, state_directory="/var/lib/a").state_directory == Path("/var/lib/a")


def test_store_can_be_chosen(tmp_path: Path) -> None:
    assert load(tmp_path, LEXWARE, store="memory://").store_path is None
    assert load(tmp_path, LEXWARE, store="sqlite:///var/lib/x.db").store_path == Path("/var/lib/x.db")
    assert load(tmp_path, LEXWARE, store="sqlite:////var/lib/x.db").store_path == Path("/var/lib/x.db")


def test_workers_need_a_store_that_they_share(tmp_path: Path) -> None:
    assert load(tmp_path, LEXWARE).workers == 1
    assert load(tmp_path, LEXWARE, workers="8").workers == 8
    assert load(tmp_path, LEXWARE, store="memory://", workers="1").workers == 1
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, LEXWARE, store="memory://", workers="2")
    (problem,) = caught.value.problems
    assert problem.startswith("LEXGATE_WORKERS: must be 1 with LEXGATE_STORE=memory://, for each worker")


def test_spa_is_a_folder_with_an_index(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    with pytest.raises(ConfigurationError, match=r"index\.html"):
        load(tmp_path, LEXWARE, spa="app")
    (folder / "index.html").touch()
    assert load(tmp_path, LEXWARE, spa="app").spa == folder
    assert load(tmp_path, LEXWARE, spa=str(folder)).spa == folder


def test_other_settings_are_read(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        LEXWARE,
        bind="0.0.0.0:0",
        admin_bind="[::1]:9091",
        session_idle="60",
        session_max="60",
        trusted_proxies="10.0.0.0/8, ::1",
        log_level="debug",
        connection_name="Example App",
        refresh_token_lifetime="2592000",
        session_address="none",
        scope="  profile.read   files.read ",
    )
    assert settings.bind == Address("0.0.0.0", 0)
    assert settings.admin_bind == Address("::1", 9091)
    assert settings.session_max == 60
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1/128"))
    assert settings.log_level == "debug"
    assert settings.connection_name == "Example App"
    assert settings.scope == "profile.read files.read"
    assert (settings.refresh_token_lifetime, settings.session_address) == (2_592_000, "none")


def test_settings_of_openid_are_read(tmp_path: Path) -> None:
    plain = load(tmp_path, OPENID)
    assert (plain.grants, plain.logout_id_token_hint) == ("session", False)
    settings = load(tmp_path, OPENID, grants="connection", logout_id_token_hint="true")
    assert (settings.grants, settings.logout_id_token_hint) == ("connection", True)


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = load(tmp_path, LEXWARE)
    with pytest.raises(ValidationError):
        settings.session_idle = 1


def test_environment_of_the_process_is_not_read_behind_the_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SESSION_IDLE", "LEXGATE_SESSION_IDLE"):
        monkeypatch.setenv(name, "99")
    assert load(tmp_path, LEXWARE).session_idle == 1800


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_says_what_it_means_and_what_to_write(field: str) -> None:
    described = Settings.model_fields[field]
    assert described.description
    assert described.examples


def test_example_of_every_setting_is_valid(tmp_path: Path) -> None:
    in_words = {"secrets", "client_id", "client_secret", "spa", "provider", "issuer", "ca_file"}
    in_words |= {"webhook_public_key", "forward_auth_secrets"}
    needed = {"forward_auth_proxies": {"forward_auth_secrets": SECRET}}
    for field, described in Settings.model_fields.items():
        if field not in in_words:
            environ = OPENID if field in {"grants", "logout_id_token_hint"} else LEXWARE
            example = str((described.examples or [])[0])
            load(tmp_path, environ, **{field: example, **needed.get(field, {})})
