"""The settings that bound what one session, or everybody together, may take up."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings

from gateway.settings.values import parse_count


class Limits(BaseSettings):
    """Each has a value that suits one app with its usual number of calls at once."""

    session_concurrency: Annotated[int, BeforeValidator(parse_count)] = Field(
        default=32,
        description="calls that one session may have under way; further ones wait, then get 429",
        examples=["32"],
    )
    session_websockets: Annotated[int, BeforeValidator(parse_count)] = Field(
        default=10,
        description="WebSockets that one session may have open; a further one gets 429",
        examples=["10"],
    )
    max_connections: Annotated[int, BeforeValidator(parse_count)] = Field(
        default=8192,
        description="connections that the public listener holds at once; a further one gets 503",
        examples=["8192"],
    )
