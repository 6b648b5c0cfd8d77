"""Every setting: those of the other files, and where sessions are kept, listeners bound and logs written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.settings.caching import Caching
from gateway.settings.client import Client
from gateway.settings.neighbours import Neighbours
from gateway.settings.presets import PRESETS
from gateway.settings.values import (
    Address,
    Network,
    parse_address,
    parse_networks,
    parse_seconds,
    parse_store,
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


class Settings(Client, Webhooks, Caching, Neighbours):
    """What `load_settings` returns; a field may depend on those above it."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=False
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

    @field_validator("grants", "logout_id_token_hint", mode="before")
    @classmethod
    def _openid_alone_has_it(cls, value: object, info: ValidationInfo) -> object:
        provider = info.data.get("provider", "openid")
        if provider != "openid":
            raise ValueError(f"has no meaning with {PREFIX}PROVIDER={provider}; leave it out")
        return value

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
    def sibling_origins(self) -> frozenset[str]:
        """The origins of further apps, as browsers write them."""
        return frozenset(self.app_origins) - {self.public_url}

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
