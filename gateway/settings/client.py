"""The settings of the OAuth client that the gateway is: secrets, registration, and the API it calls."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from gateway.settings.limits import Limits
from gateway.settings.presets import PRESETS
from gateway.settings.routes import CaFile, Routes  # noqa: TC001 - pydantic reads the annotations
from gateway.settings.values import (
    parse_base_url,
    parse_count,
    parse_credential,
    parse_origin,
    parse_rate,
    parse_scope,
    parse_secrets,
    parse_url,
)


class Client(Limits):
    """A field may depend on those above it."""

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

    @field_validator("issuer", "authorization_server", "scope", "api_url", mode="before")
    @classmethod
    def _depends_on_provider(cls, value: object, info: ValidationInfo) -> object:
        provider, field = info.data.get("provider"), info.field_name
        needed = "issuer" if provider == "openid" else "authorization_server"
        if value and provider and field in {"issuer", "authorization_server"} - {needed}:
            raise ValueError(f"has no meaning with LEXGATE_PROVIDER={provider}; leave it out")
        if value:
            return value
        preset = getattr(PRESETS[provider or "lexware"], str(field), None)
        if provider and preset is None and field in {needed, "api_url"}:
            raise ValueError(f"is required with LEXGATE_PROVIDER={provider}")
        return preset

    @field_validator("budget_rate", mode="before")
    @classmethod
    def _rate_of_the_provider(cls, value: object, info: ValidationInfo) -> object:
        preset = PRESETS.get(info.data.get("provider", ""))
        return value if value is not None else (preset and preset.budget_rate) or 0

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
            raise ValueError("is not used with LEXGATE_CLIENT_AUTH=none; leave one of them out")
        if not value and client_auth in {"client_secret_basic", "client_secret_post"}:
            raise ValueError(f"is required with LEXGATE_CLIENT_AUTH={client_auth}")
        return parse_credential(value) if value else None

    @property
    def public_origin(self) -> str:
        """The origin of the app, as browsers write it."""
        return self.public_url

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
    def client_budget_key(self) -> bytes:
        """The key of the budget that all connections of this client share, wherever it runs."""
        server = self.authorization_server or self.issuer
        return hashlib.sha256(f"budget {server} {self.client_id}".encode()).digest()
