"""What a sandbox is started with."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """Plain values; URIs are compared as strings, times are in seconds."""

    base_url: str = "http://127.0.0.1:9000"
    """The sandbox's own origin, without a slash at the end; the issuer is this and `/openid`."""
    client_id: str
    """The confidential client; `<client_id>-public`, of the openid picture, has no secret."""
    client_secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...] = ()
    seed: int = 7
    """The same seed and the same day make the same books."""
    rate: float = 2.0
    """API requests a second."""
    burst: int = 5
    limit_by: Literal["connection", "client"] = "connection"
    """Whether the rate is each connection's own or shared by all of a client's."""
    webhook_retries: tuple[float, ...] = (1.0, 5.0, 30.0, 120.0, 600.0)
    """Seconds before each further attempt of a delivery; the vendor goes on for about 40 hours."""
    access_token_lifetime: int | None = None
    """Overrides the picture's own: 14399 for lexware, 3600 for openid."""
    reconnect: Literal["new", "replace"] = "new"
    """Whether a second sign-in of a user makes a second connection or takes over the first one's id."""
    clock: Callable[[], float] = time.time

    def lifetime_of(self, picture: str) -> int:
        """Seconds that an access token of `picture` lives."""
        if self.access_token_lifetime is not None:
            return self.access_token_lifetime
        return 14399 if picture == "lexware" else 3600
