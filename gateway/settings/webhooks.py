"""The settings of the webhook that lexoffice calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from gateway.settings.limits import Limits
from gateway.settings.values import parse_seconds


def is_pem(text: str) -> bool:
    """Say whether this is the text of a PEM, and not the path of one."""
    return text.lstrip().startswith("-----BEGIN")


def parse_public_key_file(value: object) -> str:
    """Return the PEM text of an RSA public key, given itself or as the path of its file."""
    from gateway.events.webhook_delivery import parse_public_key  # noqa: PLC0415 - takes memory; few need it

    text = str(value).strip()
    try:
        pem = text if is_pem(text) else Path(text).read_text(encoding="ascii")
        parse_public_key(pem)
    except (OSError, ValueError):
        raise ValueError(
            "must be the path of a readable file with an RSA public key of at least 2048 bits in PEM format"
        ) from None
    return pem


class Webhooks(Limits):
    """Without a key there is no webhook."""

    webhook_public_key: Annotated[str, BeforeValidator(parse_public_key_file)] | None = Field(
        default=None,
        description="lexoffice's public key (PEM), with which the signatures of webhooks are checked",
        examples=["/etc/lexgate/lexoffice.pem"],
    )
    webhook_window: Annotated[int, BeforeValidator(parse_seconds)] = Field(
        default=172_800,
        description="seconds after which a delivery is taken no more; lexoffice repeats for 40 hours",
        examples=["172800"],
    )
