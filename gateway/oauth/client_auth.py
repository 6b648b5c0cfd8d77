"""How the client authenticates at the token and revocation endpoints (RFC 6749 §2.3.1)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote_plus

from gateway.errors import MetadataInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

ClientAuthMethod = Literal["client_secret_basic", "client_secret_post", "none"]


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """What a request needs beside its own form."""

    headers: Mapping[str, str] = field(repr=False)
    form: Mapping[str, str] = field(repr=False)


def build_client_authentication(
    method: ClientAuthMethod, client_id: str, client_secret: str | None
) -> ClientAuthentication:
    """Build header or form fields; ValueError where the method needs a secret and there is none."""
    if method == "none":
        return ClientAuthentication({}, {"client_id": client_id})
    if client_secret is None:
        raise ValueError(f"{method} needs a client secret")
    if method == "client_secret_post":
        return ClientAuthentication({}, {"client_id": client_id, "client_secret": client_secret})
    # RFC 6749 §2.3.1: each is form-encoded before they are joined, or a colon in the id would cut it in two.
    joined = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return ClientAuthentication({"Authorization": f"Basic {b64encode(joined.encode()).decode()}"}, {})


def choose_client_auth_method(
    configured: ClientAuthMethod | None, supported: tuple[str, ...] | None, *, has_secret: bool
) -> ClientAuthMethod:
    """Choose what is configured, else what the server supports; without a secret: none.

    RFC 8414 §2: metadata that name no method mean client_secret_basic. Raises MetadataInvalid where the
    server supports none of ours.
    """
    if configured is not None:
        return configured
    if not has_secret:
        return "none"
    if supported is None or "client_secret_basic" in supported:
        return "client_secret_basic"
    if "client_secret_post" in supported:
        return "client_secret_post"
    raise MetadataInvalid(log_detail="no client authentication method in common")
