"""The authorization endpoint and the two pages between it and the client's redirect URI."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.sandbox.accounts import USERS
from gateway.sandbox.authorization_server.authorization_request import (
    AuthorizationRequest,
    ReturnAddress,
    parse_authorization_request,
    parse_return_address,
)
from gateway.sandbox.authorization_server.logins import COOKIE, Attempt, Login
from gateway.sandbox.authorization_server.refusals import SentRefusal, ShownRefusal
from gateway.sandbox.authorization_server.tokens import issuer_of
from gateway.sandbox.pages.page import html
from gateway.sandbox.pages.sign_in import consent_page, login_page, refusal_page
from gateway.sandbox.pages.texts import language_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from gateway.sandbox.authorization_server.clients import Picture
    from gateway.sandbox.box import Sandbox


class AuthorizationEndpoint:
    """Both pictures' authorization endpoint; the pages are shared."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        """Everything that a browser visits to sign in."""
        methods = ["GET", "POST"]
        return [
            Route("/oauth2/authorize", self.authorize_lexware, methods=methods),
            Route("/openid/authorize", self.authorize_openid, methods=methods),
            Route("/sign-in/{attempt}", self.sign_in, methods=["GET"]),
            Route("/sign-in/{attempt}/person", self.choose_person, methods=["POST"]),
            Route("/sign-in/{attempt}/consent", self.decide, methods=["POST"]),
        ]

    async def authorize_lexware(self, request: Request) -> Response:
        """`/oauth2/authorize`."""
        return await self._authorize(request, "lexware")

    async def authorize_openid(self, request: Request) -> Response:
        """`/openid/authorize`."""
        return await self._authorize(request, "openid")

    async def sign_in(self, request: Request) -> Response:
        """Return the login page, or the consent page for a person who is signed in already."""
        attempt = self._attempt(request)
        if attempt is None:
            return _shown(request, "stale")
        wanted, login = attempt.request, self._login(request)
        language = language_of(request, wanted.ui_locales)
        chooses = "choose" in request.query_params
        if login is None or chooses or not attempt.accepts(login, now=self._sandbox.now()):
            page = login_page(language, attempt)
        else:
            page = consent_page(language, attempt, login)
        return html(page, form_action=wanted.address.redirect_uri)

    async def choose_person(self, request: Request) -> Response:
        """Signs the chosen person in to the sandbox."""
        attempt, form = self._attempt(request), dict(await _posted(request))
        user = USERS.get(form.get("user", ""))
        if attempt is None or user is None or _is_cross_site(request):
            return _shown(request, "stale")
        self._sandbox.counters.events["sign_ins"] += 1
        self._sandbox.logins.sign_out(request.cookies.get(COOKIE))
        login = self._sandbox.logins.sign_in(user, now=self._sandbox.now())
        answer = RedirectResponse(f"/sign-in/{attempt.id}", status_code=303)
        answer.set_cookie(COOKIE, login.sid, httponly=True, samesite="lax", path="/", secure=self._is_https())
        return answer

    async def decide(self, request: Request) -> Response:
        """Send the person back to the client, with a code or with access_denied."""
        attempt, form, login = self._attempt(request), dict(await _posted(request)), self._login(request)
        if attempt is None or login is None or _is_cross_site(request):
            return _shown(request, "stale")
        if not attempt.accepts(login, now=self._sandbox.now()):
            return _shown(request, "stale")
        self._sandbox.logins.finish(attempt)
        if form.get("decision") != "allow":
            self._sandbox.counters.events["denials"] += 1
            return self._sent(attempt.request.address, SentRefusal("access_denied", "the person said no"))
        self._sandbox.logins.remember_consent(login, attempt.request)
        return self._code(attempt.request, login)

    async def _authorize(self, request: Request, picture: Picture) -> Response:
        pairs = _query(request) if request.method == "GET" else await _posted(request)
        try:
            address = parse_return_address(pairs, self._sandbox.clients, picture)
        except ShownRefusal as refusal:
            return _shown(request, refusal.reason)
        try:
            wanted = parse_authorization_request(pairs, address)
            return self._begun(request, wanted)
        except SentRefusal as refusal:
            return self._sent(address, refusal)

    def _begun(self, request: Request, wanted: AuthorizationRequest) -> Response:
        now, logins = self._sandbox.now(), self._sandbox.logins
        attempt = logins.begin(wanted, now=now)
        if "none" not in wanted.prompt:
            return RedirectResponse(f"/sign-in/{attempt.id}", status_code=303)
        logins.finish(attempt)
        login = self._login(request)
        if login is None or not attempt.accepts(login, now=now):
            raise SentRefusal("login_required")
        if not logins.has_consent(login, wanted):
            raise SentRefusal("consent_required")
        return self._code(wanted, login)

    def _code(self, wanted: AuthorizationRequest, login: Login) -> Response:
        code = self._sandbox.grants.issue_code(wanted, login, now=self._sandbox.now())
        return self._returned(wanted.address, {"code": code})

    def _sent(self, address: ReturnAddress, refusal: SentRefusal) -> Response:
        answer = {"error": refusal.error}
        if refusal.description:
            answer["error_description"] = refusal.description
        return self._returned(address, answer)

    def _returned(self, address: ReturnAddress, answer: dict[str, str]) -> Response:
        if address.state is not None:
            answer["state"] = address.state
        if address.client.picture == "openid":
            answer["iss"] = issuer_of(self._sandbox.options)  # RFC 9207 §2: against mix-up
        joint = "&" if "?" in address.redirect_uri else "?"
        url = f"{address.redirect_uri}{joint}{urlencode(answer)}"
        return RedirectResponse(url, status_code=303, headers={"Cache-Control": "no-store"})

    def _is_https(self) -> bool:
        return self._sandbox.options.base_url.startswith("https:")

    def _attempt(self, request: Request) -> Attempt | None:
        return self._sandbox.logins.attempt(request.path_params["attempt"], now=self._sandbox.now())

    def _login(self, request: Request) -> Login | None:
        return self._sandbox.logins.find(request.cookies.get(COOKIE))


def _query(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)


async def _posted(request: Request) -> list[tuple[str, str]]:
    return parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)


def _is_cross_site(request: Request) -> bool:
    """Whether another site sent the form (CSRF); clients that are no browsers do not say."""
    return request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}


def _shown(request: Request, reason: str) -> Response:
    return html(refusal_page(language_of(request), reason), status=400)
