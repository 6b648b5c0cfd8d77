"""HTTP to the authorization server: bounded in time and size, without cookies, redirects or retries."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

import httpx

from gateway.errors import AuthorizationServerTimeout, AuthorizationServerUnreachable
from gateway.oauth.token import parse_retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN_SECONDS = 30.0
"""How long a token request may take altogether; lexoffice ends its own calls after 30 s."""
FETCH_SECONDS = 10.0
_ANSWER_LIMIT = 1_048_576
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.InvalidURL)
_JSON = {"Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer read to its end; `retry_after` in seconds."""

    status: int
    body: bytes = field(repr=False)
    retry_after: int | None


class Connection:
    """Raises AuthorizationServerTimeout or AuthorizationServerUnreachable for what went wrong on the way."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Fetch a document."""
        return await self._send("GET", url, seconds=FETCH_SECONDS, headers={**_JSON, **(headers or {})})

    async def post(self, url: str, *, headers: Mapping[str, str], form: Mapping[str, str]) -> Answer:
        """Send a form."""
        return await self._send("POST", url, seconds=TOKEN_SECONDS, headers={**_JSON, **headers}, form=form)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _send(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        try:
            async with (
                asyncio.timeout(seconds),
                self._pool().stream(method, url, headers=headers, data=form) as response,
            ):
                body = await _read_bounded(response)
        except _NOT_SENT as exc:
            error = AuthorizationServerUnreachable(log_detail=type(exc).__name__, retry_after=5)
            error.was_not_sent = True
            raise error from exc
        except (TimeoutError, httpx.TimeoutException) as exc:
            detail = f"no answer in {seconds:.0f} s"
            raise AuthorizationServerTimeout(log_detail=detail, retry_after=5) from exc
        except httpx.HTTPError as exc:
            raise AuthorizationServerUnreachable(log_detail=type(exc).__name__, retry_after=5) from exc
        return Answer(response.status_code, body, parse_retry_after(response.headers.get("Retry-After")))

    def _pool(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=ssl.create_default_context(),
                timeout=httpx.Timeout(TOKEN_SECONDS, connect=5.0),
                follow_redirects=False,
                trust_env=False,
                headers={"User-Agent": "lexgate"},
                # A cookie set for one user's request must not go with another's (mixed-up sessions).
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            )
        return self._client


async def _read_bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _ANSWER_LIMIT:
            raise httpx.DecodingError("the answer is too large", request=response.request)
    return bytes(body)
