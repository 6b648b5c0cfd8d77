"""Every setting: its type, its default, what it means and what to write."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.settings.caching import Caching
from gateway.settings.neighbours import Neighbours
from gateway.settings.presets import PRESETS
from gateway.settings.routes import CaFile, Routes  # noqa: TC001 - pydantic reads the annotations
from gateway.settings.values import (
    Address,
    Network,
    parse_address,
    parse_base_url,
    parse_count,
    parse_credential,
    parse_networks,
    parse_origin,
    parse_rate,
    parse_scope,
    parse_seconds,
    parse_secrets,
    parse_store,
    parse_url,
    parse_workers,
)
from gateway.settings.webhooks import Webhooks

if TYPE_CHECKING:
    from gateway.proxy.route import Route

PREFIX = "LEXGATE_"
SECRET_FIELDS = frozenset({"secrets", "client_secret", "store", "forward_auth_secrets"})
"""Those that may also stand in a file; a store's URL can hold a password."""


def variable_of(field: str) -> str:
    """Name the environment variable of a field: LEXGATE_PUBLIC_URL of public_url."""
    return f"{PREFIX}{field.upper()}"


class Settings(Webhooks, Caching, Neighbours):
    """What `load_settings` returns; a field may depend on those above it."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=False
    )

    public_url: Annotated[str, BeforeValidator(parse_origin)] = Field(
        description="the origin that browsers use; https, or http for localhost",
        examples=["https://app.example.com"],
    )
    secrets: Annotated[tuple[SecretStr, ...], BeforeValidator(parse_secrets)] = Field(
        description="signing and sealing secrets, newest first: the first signs, all verify",
        examples=["what `lexgate keygen` prints"],
    )
    provider: Literal["lexware", "lexware-sandbox", "openid"] = Field(
        default="lexware",
        description="lexoffice's endpoints, those of its sandbox, or any server with OpenID discovery",
        examples=["openid"],
    )
    issuer: Annotated[str, BeforeValidator(parse_url)] | None = Field(
        default=None,
        validate_default=True,
        description="for `openid`: the issuer, exactly as its metadata name it",
        examples=["https://login.example.com"],
    )
    authorization_server: Annotated[str, BeforeValidator(parse_origin)] | None = Field(
        default=None,
        validate_default=True,
        description="for `lexware`: the origin of /oauth2/authorize, /oauth2/token and /oauth2/revoke",
        examples=["https://app.lexware.de"],
    )
    client_id: Annotated[str, BeforeValidator(parse_credential)] = Field(
        description="the client identifier that the authorization server issued",
        examples=["the identifier from the registration"],
    )
    client_auth: Literal["client_secret_basic", "client_secret_post", "none"] | None = Field(
        default=None,
        validate_default=True,
        description="how the client authenticates; with `openid` by discovery, and `none` without a secret",
        examples=["client_secret_basic"],
    )
    client_secret: SecretStr | None = Field(
        default=None,
        validate_default=True,
        description="the client's secret",
        examples=["the secret from the registration, or its file in LEXGATE_CLIENT_SECRET_FILE"],
    )
    scope: Annotated[str, BeforeValidator(parse_scope)] = Field(
        default="",
        validate_default=True,
        description="what is asked for at sign-in, space-separated",
        examples=["openid profile email"],
    )
    connection_name: Annotated[str, BeforeValidator(parse_credential)] | None = Field(
        default=None,
        description="for `lexware`: the label of the connection that the user is shown",
        examples=["Example App"],
    )
    api_url: Annotated[str, BeforeValidator(parse_base_url)] = Field(
        default="",
        validate_default=True,
        description="where /api/ goes: /api/v1/profile is {API_URL}/v1/profile",
        examples=["https://api.example.com"],
    )
    ca_file: CaFile | None = Field(
        default=None,
        description="certificates (PEM) to check the API's against, in place of the system's",
        examples=["/etc/lexgate/ca.pem"],
    )
    budget_rate: Annotated[float | None, BeforeValidator(parse_rate)] = Field(
        default=None,
        validate_default=True,
        description="calls a second that the API takes: further ones wait their turn; 0 for no limit",
        examples=["2"],
    )
    budget_burst: Annotated[int, BeforeValidator(parse_count)] = Field(
        default=2,
        description="calls that the API takes at once after a pause",
        examples=["2"],
    )
    budget_key: Literal["connection", "client"] = Field(
        default="connection",
        description="whether each connection has a budget of its own, or all have one",
        examples=["connection"],
    )
    routes: Routes = Field(
        default=(),
        validate_default=True,
        description="where calls below parts of /api/ go, and how: [[routes]] tables, or JSON",
        examples=['[{"prefix": "/api/files", "destination": "https://files.example.com", "token": "none"}]'],
    )
    state_directory: Path = Field(
        description="where the default store is kept",
        examples=["/var/lib/lexgate"],
    )
    store: Annotated[str, BeforeValidator(parse_store)] = Field(
        default="",
        validate_default=True,
        repr=False,
        description="where sessions are kept: memory://, sqlite:/// with an absolute path, or a Redis URL",
        examples=["sqlite:///var/lib/lexgate/sessions.db"],
    )
    spa: Path | None = Field(
        default=None,
        description="the folder of the static SPA, with its index.html",
        examples=["/srv/app"],
    )
    bind: Annotated[Address, BeforeValidator(parse_address)] = Field(
        default=Address("127.0.0.1", 8000),
        description="the public listener",
        examples=["0.0.0.0:8000"],
    )
    admin_bind: Annotated[Address, BeforeValidator(parse_address)] = Field(
        default=Address("127.0.0.1", 9090),
        description="the listener for /livez, /readyz and /metrics",
        examples=["127.0.0.1:9090"],
    )
    session_idle: Annotated[int, BeforeValidator(parse_seconds)] = Field(
        default=1800,
        description="seconds without a call after which a session ends",
        examples=["1800"],
    )
    session_max: Annotated[int, BeforeValidator(parse_seconds)] = Field(
        default=36000,
        validate_default=True,
        description="seconds after sign-in at which a session ends in any case",
        examples=["36000"],
    )
    grants: Literal["session", "connection"] = Field(
        default="session",
        description="for `openid`: tokens of its own for each session, or one pair for all of a user",
        examples=["session"],
    )
    refresh_token_lifetime: Annotated[int, BeforeValidator(parse_seconds)] | None = Field(
        default=None,
        description="seconds that a refresh token lives where the token response does not say it",
        examples=["2592000"],
    )
    session_address: Literal["full", "coarse", "none"] = Field(
        default="coarse",
        description="how much of a client's address its session keeps, for the user's list of sessions",
        examples=["coarse"],
    )
    logout_id_token_hint: bool = Field(
        default=False,
        description="for `openid`: send the id_token in the logout URL, and so through the browser",
        examples=["false"],
    )
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(parse_networks)] = Field(
        default=(),
        description="whose X-Forwarded-For is believed: IP addresses and networks",
        examples=["10.0.0.0/8,192.168.1.4"],
    )
    workers: Annotated[int, BeforeValidator(parse_workers)] = Field(
        default=1,
        description="how many processes answer; `lexgate serve --workers` wins over it",
        examples=["2"],
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="the least severe log lines that are written",
        examples=["info"],
    )

    @field_validator("issuer", "authorization_server", "scope", "api_url", mode="before")
    @classmethod
    def _depends_on_provider(cls, value: object, info: ValidationInfo) -> object:
        provider, field = info.data.get("provider"), info.field_name
        needed = "issuer" if provider == "openid" else "authorization_server"
        if value and provider and field in {"issuer", "authorization_server"} - {needed}:
            raise ValueError(f"has no meaning with {PREFIX}PROVIDER={provider}; leave it out")
        if value:
            return value
        preset = getattr(PRESETS[provider or "lexware"], str(field), None)
        if provider and preset is None and field in {needed, "api_url"}:
            raise ValueError(f"is required with {PREFIX}PROVIDER={provider}")
        return preset

    @field_validator("budget_rate", mode="before")
    @classmethod
    def _rate_of_the_provider(cls, value: object, info: ValidationInfo) -> object:
        preset = PRESETS.get(info.data.get("provider", ""))
        return value if value is not None else (preset and preset.budget_rate) or 0

    @field_validator("grants", "logout_id_token_hint", mode="before")
    @classmethod
    def _openid_alone_has_it(cls, value: object, info: ValidationInfo) -> object:
        provider = info.data.get("provider", "openid")
        if provider != "openid":
            raise ValueError(f"has no meaning with {PREFIX}PROVIDER={provider}; leave it out")
        return value

    @field_validator("client_auth", mode="after")
    @classmethod
    def _lexware_asks_for_basic(cls, value: str | None, info: ValidationInfo) -> str | None:
        by_discovery = info.data.get("provider", "openid") == "openid"
        return value if value or by_discovery else "client_secret_basic"

    @field_validator("client_secret", mode="before")
    @classmethod
    def _client_secret_fits_client_auth(cls, value: object, info: ValidationInfo) -> object:
        client_auth = info.data.get("client_auth")
        if value and client_auth == "none":
            raise ValueError(f"is not used with {PREFIX}CLIENT_AUTH=none; leave one of them out")
        if not value and client_auth in {"client_secret_basic", "client_secret_post"}:
            raise ValueError(f"is required with {PREFIX}CLIENT_AUTH={client_auth}")
        return parse_credential(value) if value else None

    @field_validator("store", mode="before")
    @classmethod
    def _store_in_state_directory(cls, value: object, info: ValidationInfo) -> object:
        return value or f"sqlite://{info.data['state_directory'].as_posix()}/sessions.db"

    @field_validator("spa", mode="after")
    @classmethod
    def _spa_has_an_index(cls, value: Path | None) -> Path | None:
        if value and not (value / "index.html").is_file():
            raise ValueError("must be a folder that holds an index.html")
        return value

    @field_validator("session_max", mode="after")
    @classmethod
    def _idle_is_not_above_max(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("session_idle", 0):
            raise ValueError(f"must not be below {PREFIX}SESSION_IDLE")
        return value

    @field_validator("workers", mode="after")
    @classmethod
    def _workers_share_a_store(cls, value: int, info: ValidationInfo) -> int:
        if value > 1 and info.data.get("store") == "memory://":
            raise ValueError(
                f"must be 1 with {PREFIX}STORE=memory://, for each worker would know its own sessions alone;"
                " keep them in SQLite or Redis"
            )
        return value

    @property
    def public_origin(self) -> str:
        """The origin of the app, as browsers write it."""
        return self.public_url

    @property
    def sibling_origins(self) -> frozenset[str]:
        """The origins of further apps, as browsers write them."""
        return frozenset(self.app_origins) - {self.public_url}

    @property
    def redirect_uri(self) -> str:
        """What to register at the authorization server."""
        return f"{self.public_url}/auth/callback"

    @property
    def post_logout_redirect_uri(self) -> str:
        """What to register at the authorization server for the way back after sign-out."""
        return f"{self.public_url}/auth/signed-out"

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by https."""
        return self.public_url.startswith("https://")

    @property
    def route_list(self) -> list[Route]:
        """The routes, that of /api among them."""
        return [route.build(ca_file=self.ca_file, cached=self.cached_paths) for route in self.routes]

    @property
    def cached_paths(self) -> dict[str, int]:
        """Which paths are cached, with the seconds for which their answers are kept."""
        kept = {**PRESETS[self.provider].cache, **self.cache} if self.cache_bytes else {}
        return {path: seconds for path, seconds in kept.items() if seconds} and kept

    @property
    def client_budget_key(self) -> bytes:
        """The key of the budget that all connections of this client share, wherever it runs."""
        server = self.authorization_server or self.issuer
        return hashlib.sha256(f"budget {server} {self.client_id}".encode()).digest()

    @property
    def store_path(self) -> Path | None:
        """The SQLite file, or None for another store."""
        path = self.store.removeprefix("sqlite:")
        return Path(f"/{path.lstrip('/')}") if path != self.store else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the same
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load_settings` found, and nothing from the process's own environment."""
        return (init_settings,)
