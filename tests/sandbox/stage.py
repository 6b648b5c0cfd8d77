"""A real server for the sandboxes of one test run, and the people and clients who talk to them."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import uvicorn

from gateway.sandbox import Sandbox, SandboxOptions, build_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

REDIRECT_URI = "http://localhost:8000/auth/callback"
HOME = "http://localhost:8000/"
VERIFIER = "sandbox-verifier-" + "0123456789" * 4
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SECRET = "a secret: with % and ü"
SCOPE = "openid profile invoice.read contact.read"
Picture = Literal["lexware", "openid"]


@dataclass(slots=True)
class Clock:
    """A clock that a test moves."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Stage:
    """One uvicorn in a thread; each test puts a sandbox of its own on it."""

    def __init__(self) -> None:
        self._app: ASGIApp | None = None
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            self.answer, lifespan="off", interface="asgi3", log_level="error", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._app is not None
        await self._app(scope, receive, send)

    def serve(self) -> Iterator[Stage]:
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline, "the server did not start"
            self._thread.join(0.005)
        yield self
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def put_on(self, clock: Clock, **changes: Any) -> Sandbox:  # noqa: ANN401 - SandboxOptions checks them
        options = {
            "base_url": self.base_url,
            "client_id": "lexgate",
            "client_secret": SECRET,
            "redirect_uris": (REDIRECT_URI, "http://localhost:8000/other?a=b"),
            "post_logout_redirect_uris": (HOME,),
            "clock": clock,
            "rate": 1000.0,
            "burst": 1000,
        }
        app = build_sandbox(SandboxOptions(**{**options, **changes}))
        self._app = app
        sandbox: Sandbox = app.state.sandbox
        return sandbox


@dataclass
class Tokens:
    """A token answer; `raw` is its JSON."""

    raw: dict[str, Any]
    access_token: str = field(init=False)
    refresh_token: str = field(init=False)

    def __post_init__(self) -> None:
        self.access_token = self.raw["access_token"]
        self.refresh_token = self.raw["refresh_token"]


@dataclass
class Person:
    """A browser and the client behind it, at one sandbox."""

    http: httpx.Client
    picture: Picture = "lexware"
    client_id: str = "lexgate"
    method: str = "basic"

    @property
    def prefix(self) -> str:
        return "/oauth2" if self.picture == "lexware" else "/openid"

    def authorize(self, **changes: str | None) -> httpx.Response:
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "state": "a state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **({"scope": SCOPE, "nonce": "n-1"} if self.picture == "openid" else {}),
            **changes,
        }
        wanted = {key: value for key, value in query.items() if value is not None}
        return self.http.get(f"{self.prefix}/authorize?{urlencode(wanted)}")

    def decide(self, begun: httpx.Response, user: str = "anna", decision: str = "allow") -> dict[str, str]:
        """Walk through both pages and return the parameters that reach the redirect URI."""
        page = begun.headers["location"]
        assert self.http.get(page).status_code == 200
        chosen = self.http.post(f"{page}/person", data={"user": user})
        assert (chosen.status_code, chosen.headers["location"]) == (303, page)
        assert 'data-testid="allow"' in self.http.get(page).text
        return returned(self.http.post(f"{page}/consent", data={"decision": decision}))

    def code(self, user: str = "anna", /, **changes: str | None) -> str:
        return self.decide(self.authorize(**changes), user)["code"]

    def token_request(self, **form: str | None) -> httpx.Response:
        body = {key: value for key, value in form.items() if value is not None}
        auth = None
        if self.method == "basic":
            auth = (form_encoded(self.client_id), form_encoded(SECRET))
        else:
            body["client_id"] = self.client_id
        if self.method == "post":
            body["client_secret"] = SECRET
        return self.http.post(f"{self.prefix}/token", data=body, auth=auth or httpx.USE_CLIENT_DEFAULT)

    def exchange(self, code: str, **changes: str | None) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        return self.token_request(**{**form, **changes})

    def sign_in(self, user: str = "anna", /, **changes: str | None) -> Tokens:
        answer = self.exchange(self.code(user, **changes))
        assert answer.status_code == 200, answer.text
        return Tokens(answer.json())

    def sign_in_again(self, user: str = "anna", /, **changes: str | None) -> Tokens:
        """Sign in as a person whom the sandbox does not know yet."""
        self.http.cookies.clear()
        return self.sign_in(user, **changes)

    def refresh(self, refresh_token: str) -> httpx.Response:
        return self.token_request(grant_type="refresh_token", refresh_token=refresh_token)

    def revoke(self, token: str) -> httpx.Response:
        auth = (form_encoded(self.client_id), form_encoded(SECRET))
        return self.http.post(f"{self.prefix}/revoke", data={"token": token}, auth=auth)

    def api(self, method: str, path: str, token: str, **request: Any) -> httpx.Response:  # noqa: ANN401 - httpx checks them
        headers = {"Authorization": f"Bearer {token}", **request.pop("headers", {})}
        return self.http.request(method, f"/v1{path}", headers=headers, **request)


def form_encoded(text: str) -> str:
    """One value as application/x-www-form-urlencoded, as RFC 6749 §2.3.1 wants it before Basic joins it."""
    return urlencode({"": text})[1:]


def returned(answer: httpx.Response) -> dict[str, str]:
    """Return the parameters of a redirect to the client."""
    assert answer.status_code == 303, answer.text
    parts = urlsplit(answer.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == REDIRECT_URI
    assert all(len(values) == 1 for values in parse_qs(parts.query).values())
    return dict(parse_qsl(parts.query))
