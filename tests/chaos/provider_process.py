"""oidc-provider behind a proxy of ours, which has the gate and knows some of the sandbox's faults.

The provider sees real requests, and what it answers is passed on; it rotates refresh tokens and ends the
grant when one is used twice. `access_token_death` makes it forget the access tokens given so far.
Settings as JSON on standard input; the line of JSON on standard output names the provider's own address.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx

from tests.chaos.gate import Gate, hang_up, send_json, serve

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

NODE_FOLDER = Path(__file__).parents[1] / "node"
TOKEN_PATH = "/token"
_HOP = {b"connection", b"transfer-encoding", b"keep-alive"}


class Front:
    """The ASGI application before the provider."""

    def __init__(self, provider: str) -> None:
        self._client = httpx.AsyncClient(base_url=provider, timeout=60, trust_env=False)
        self._requests: Counter[str] = Counter()
        self._faults: dict[str, dict[str, Any]] = {}
        self._given: list[str] = []
        self.lifetime = 3600

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        if scope["path"] == "/sandbox/counters":
            await send_json(send, {"token_requests": self._requests})
        elif scope["path"] == "/sandbox/faults":
            await self._break(scope["method"], body)
            await send_json(send, {})
        elif scope["path"] == TOKEN_PATH:
            await self._token(scope, receive, send, body)
        else:
            await _answer(send, await self._forward(scope, body))

    async def _break(self, method: str, body: bytes) -> None:
        if method == "DELETE":
            self._faults.clear()
            return
        order = json.loads(body)
        if order["name"] == "access_token_death":
            for token in self._given:
                await self._client.get("/", headers={"access-token-death": token})
        else:
            self._faults[order["name"]] = order

    async def _token(self, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        (grant_type,) = parse_qs(body.decode())["grant_type"]
        self._requests[grant_type] += 1
        refreshes = grant_type == "refresh_token"
        if refreshes and "token_failing" in self._faults:
            await send_json(send, {"error": "server_error"}, 500)
            return
        if refreshes and (busy := self._faults.get("token_429")):
            seconds = b"%d" % busy["parameters"]["seconds"]
            await send_json(send, {"error": "slow_down"}, 429, (b"retry-after", seconds))
            return
        if refreshes and (slow := self._faults.get("token_slow")):
            await asyncio.sleep(slow["parameters"]["seconds"])
        answer = await self._forward(scope, body)
        if answer.status_code == httpx.codes.OK:
            self._given.append(answer.json()["access_token"])
        if refreshes and self._takes("refresh_lost"):
            await hang_up(scope, receive, send)
        else:
            await _answer(send, answer)

    def _takes(self, name: str) -> bool:
        order = self._faults.get(name)
        if order is None or order["times"] == 0:
            return False
        if order["times"] is not None:
            order["times"] -= 1
        return True

    async def _forward(self, scope: Scope, body: bytes) -> httpx.Response:
        query = scope["query_string"].decode()
        headers = [(name, value) for name, value in scope["headers"] if name not in _HOP]
        headers.append((b"access-token-seconds", b"%d" % self.lifetime))
        url = scope["raw_path"].decode() + (f"?{query}" if query else "")
        answer = await self._client.request(scope["method"], url, headers=headers, content=body)
        # The cookies are the browser's, and the next request is another's.
        self._client.cookies.clear()
        return answer


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _answer(send: Send, answer: httpx.Response) -> None:
    dropped = _HOP | {b"content-encoding", b"content-length"}
    headers = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() not in dropped]
    headers.append((b"content-length", b"%d" % len(answer.content)))
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})


def main() -> None:
    """Serve until the process is ended."""
    given = json.loads(sys.stdin.read())
    options = {
        "port": 0,
        "issuer": given["base_url"],
        "clientId": given["client_id"],
        "clientSecret": given["client_secret"],
        "redirectUri": given["redirect_uris"][0],
        "home": given["redirect_uris"][0],
    }
    with subprocess.Popen(
        ["node", "oidc-provider.mjs", json.dumps(options)],
        cwd=NODE_FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["address"]
        sys.stdout.write(json.dumps({"address": address}) + "\n")
        sys.stdout.flush()
        front = Front(address)

        def set_lifetime(seconds: int) -> None:
            front.lifetime = seconds

        gate = Gate(front, token_path=TOKEN_PATH, set_lifetime=set_lifetime)
        serve(gate, int(given["base_url"].rpartition(":")[2]))
        os._exit(0)


if __name__ == "__main__":
    main()
