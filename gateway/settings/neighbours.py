"""The settings of who stands beside the gateway: proxies that ask it, and apps on origins of their own."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from gateway.settings.limits import Limits
from gateway.settings.values import Network, parse_networks, parse_origins, parse_secrets

_SECRETS = "LEXGATE_FORWARD_AUTH_SECRETS"


def _parse_proxies(value: object) -> tuple[Network, ...]:
    return () if value == () else parse_networks(value)


class Neighbours(Limits):
    """Whoever is not named here is a browser."""

    forward_auth_secrets: Annotated[tuple[SecretStr, ...], BeforeValidator(parse_secrets)] = Field(
        default=(),
        description="what proxies prove themselves with at /auth/forward; any of them counts",
        examples=["what `lexgate keygen` prints"],
    )
    forward_auth_proxies: Annotated[tuple[Network, ...], BeforeValidator(_parse_proxies)] = Field(
        default=(),
        validate_default=True,
        description="where those proxies call /auth/forward from: IP addresses and networks",
        examples=["10.0.0.0/8,192.168.1.4"],
    )

    app_origins: Annotated[tuple[str, ...], BeforeValidator(parse_origins)] = Field(
        default=(),
        description="origins of the same site, beside that of browsers, whose scripts may call the gateway",
        examples=["https://app.example.com"],
    )

    @field_validator("forward_auth_proxies", mode="after")
    @classmethod
    def _secret_and_place_go_together(
        cls, value: tuple[Network, ...], info: ValidationInfo
    ) -> tuple[Network, ...]:
        secrets = info.data.get("forward_auth_secrets")
        if secrets and not value:
            raise ValueError(f"is required with {_SECRETS}")
        if value and secrets == ():
            raise ValueError(f"has no meaning without {_SECRETS}; set both, or leave it out")
        return value
