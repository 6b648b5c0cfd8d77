"""Speaks to a subscriber's callback URL: asks whether it is there, and posts events to it."""

from __future__ import annotations

import asyncio
import ssl
from functools import cache

import httpx

LIMIT_SECONDS = 5.0
"""How long a subscriber may take, connecting included."""
_AGENT = "lexoffice-sandbox-webhooks"


async def check_callback(url: str) -> str:
    """Return the outcome of a HEAD request: a status, `timeout` or `unreachable`."""
    return await _sent("HEAD", url)


async def post_event(url: str, body: bytes, signature: str) -> str:
    """Return the outcome of a delivery: a status, `timeout` or `unreachable`."""
    return await _sent("POST", url, body, {"Content-Type": "application/json", "X-Lxo-Signature": signature})


async def _sent(method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> str:
    """Send one request and read no more of the answer than its status."""
    fields = {"User-Agent": _AGENT, **(headers or {})}
    try:
        # httpx limits each read; the subscriber's time is limited as a whole.
        async with (
            asyncio.timeout(LIMIT_SECONDS),
            _build_client() as client,
            client.stream(method, url, content=body, headers=fields) as answer,
        ):
            return str(answer.status_code)
    except TimeoutError:
        return "timeout"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):  # ValueError: a host that IDNA does not know
        return "unreachable"


def _build_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(verify=_trust(), timeout=None, trust_env=False, follow_redirects=False)  # noqa: S113 - one limit for the whole request


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
