"""Where the authorization server sends the browser after sign-out, and on from there into the app."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002 - FastAPI reads the annotation

from gateway.browser.return_to import DEFAULT_RETURN_TO, validate_return_to
from gateway.errors import RecordUnreadable
from gateway.web.onward import send_on

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from gateway.sessions.keyring import Keyring

SIGNED_OUT_PATH = "/auth/signed-out"
_LIFETIME = 3600.0
"""Seconds that a person may take at the authorization server, which may ask whether they mean it."""
_PLACE = b"sign-out"


class SignOutReturn:
    """Knows the `state` of sign-outs: the way on, sealed, so that nobody else can write one.

    It needs no cookie that binds it to the browser, as a sign-in's has: all that it does is to lead to a page
    of the app's own, signed out or not.
    """

    def __init__(
        self,
        *,
        keyring: Keyring,
        public_url: str,
        sibling_origins: AbstractSet[str],
        clock: Callable[[], float],
    ) -> None:
        self._keyring = keyring
        self._sibling_origins = sibling_origins
        self._clock = clock
        self.redirect_uri = f"{public_url}{SIGNED_OUT_PATH}"
        """What is to be registered as `post_logout_redirect_uri`."""

    def new_state(self, return_to: str) -> str:
        """Return a state that leads to a path of the app (OpenID Connect RP-Initiated Logout 1.0 §2)."""
        plain = json.dumps([return_to, self._clock()]).encode()
        return urlsafe_b64encode(self._keyring.seal(plain, aad=_PLACE)).rstrip(b"=").decode()

    def land(self, request: Request) -> Response:
        """Send the browser where the state says; to the app's root if it is missing, stale or forged."""
        states = request.query_params.getlist("state")
        target = self._read(states[0]) if len(states) == 1 else DEFAULT_RETURN_TO
        response = send_on(target, status=303)
        response.headers["Cache-Control"] = "no-store"
        return response

    def _read(self, state: str) -> str:
        try:
            plain = self._keyring.open(urlsafe_b64decode(state + "=="), aad=_PLACE)
        except (RecordUnreadable, binascii.Error, ValueError):
            return DEFAULT_RETURN_TO
        return_to, began = json.loads(plain)
        is_fresh = abs(self._clock() - began) <= _LIFETIME
        return validate_return_to(return_to, self._sibling_origins) if is_fresh else DEFAULT_RETURN_TO


def build_sign_out_return_router(sign_out_return: SignOutReturn) -> APIRouter:
    """Build the route that the browser comes back to."""
    router = APIRouter()

    @router.get(SIGNED_OUT_PATH)
    async def land(request: Request) -> Response:
        return sign_out_return.land(request)

    _ = land
    return router
