"""As much of a browser as a sign-in needs."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from urllib.parse import urljoin

import httpx

_NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1"}
_OWN_CALL = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "X-CSRF": "1"}


class Browser:
    """Keeps cookies by host, and sends Secure ones to http://localhost, as browsers do and httpx does not."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._kept: dict[str, dict[str, str]] = {}
        self._http = httpx.Client(
            timeout=30, event_hooks={"request": [self._attach], "response": [self._keep]}
        )

    def sign_in(self) -> None:
        """Go the whole way: login, the sandbox's two pages, callback."""
        answer = self._navigate(f"{self._origin}/auth/login?return_to=/", site="same-origin")
        for form in ({"user": "anna"}, {"decision": "allow"}):
            while answer.is_redirect:
                answer = self._navigate(urljoin(str(answer.url), answer.headers["location"]))
            action = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
            assert action, answer.text
            answer = self._http.post(urljoin(str(answer.url), action[1]), data=form)
        callback = answer.headers["location"]
        assert callback.startswith(f"{self._origin}/auth/callback?"), callback
        answer = self._navigate(callback)
        assert (answer.status_code, answer.headers.get("location")) == (302, "/"), answer.text

    def call(self, path: str, method: str = "GET") -> httpx.Response:
        """Make a call of the app's own."""
        return self._http.request(method, f"{self._origin}{path}", headers=_OWN_CALL)

    def _navigate(self, url: str, *, site: str = "cross-site") -> httpx.Response:
        return self._http.get(url, headers=_NAVIGATION | {"Sec-Fetch-Site": site})

    def _attach(self, request: httpx.Request) -> None:
        kept = self._kept.get(request.url.host, {})
        request.headers["cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items())

    def _keep(self, answer: httpx.Response) -> None:
        kept = self._kept.setdefault(answer.request.url.host, {})
        for line in answer.headers.get_list("set-cookie"):
            kept.update((name, morsel.value) for name, morsel in SimpleCookie(line).items())
