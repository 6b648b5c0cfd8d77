"""A browser for flow tests: follows redirects, sends Fetch metadata, keeps cookies as RFC 6265bis says."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import httpx

_REDIRECTS = {301, 302, 303, 307, 308}
_FORM = re.compile(r"<form[^>]*\baction=\"([^\"]*)\"[^>]*>(.*?)</form>", re.DOTALL)
_BUTTON = re.compile(r"<(?:button|input)\b[^>]*>", re.DOTALL)
_ATTRIBUTE = re.compile(r"([a-z-]+)=\"([^\"]*)\"")


@dataclass(slots=True)
class Cookie:
    """One cookie of one host."""

    value: str
    same_site: str


@dataclass
class Browser:
    """One person's browser at the app of `origin`; every answer it ever received is in `received`."""

    origin: str
    language: str = "en"
    via: str | None = None
    """Which of several gateways the load balancer of the app's origin picks; None if there is but one."""
    cookies: dict[str, dict[str, Cookie]] = field(default_factory=dict)
    received: list[httpx.Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._client = httpx.Client(timeout=30, trust_env=False, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def fetch(self, path: str, method: str = "GET", **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's
        """Call from a script of the app: same origin, cookies sent, redirects not followed."""
        headers = {
            "Sec-Fetch-Site": "same-origin",
            "Sec-Fetch-Mode": "cors",
            "Sec-Fetch-Dest": "empty",
            "Accept": "*/*",
        }
        if method not in {"GET", "HEAD"}:
            headers |= {"Origin": self.origin, "X-CSRF": "1"}
        headers |= options.pop("headers", {})
        return self._send(method, urljoin(self.origin, path), headers, cross_site=False, **options)

    def navigate(self, url: str, *, site: str = "none", follow: bool = True) -> httpx.Response:
        """Open a URL at top level; `site`, who started it: none (typed), same-origin or cross-site."""
        return self._go("GET", urljoin(self.origin, url), site, follow=follow)

    def submit(self, page: httpx.Response, *, press: str, follow: bool = True) -> httpx.Response:
        """Submit the form that holds the button whose name=value is `press`."""
        for action, inside in _FORM.findall(page.text):
            for button in _BUTTON.findall(inside):
                attributes = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(button)}
                if f"{attributes.get('name')}={attributes.get('value')}" == press:
                    name, _, value = press.partition("=")
                    url = urljoin(str(page.url), html.unescape(action))
                    return self._go("POST", url, "same-origin", follow=follow, data={name: value})
        raise AssertionError(f"no button {press} on {page.url}")

    def post_form(
        self, page: httpx.Response, fields: dict[str, str], *, follow: bool = True
    ) -> httpx.Response:
        """Submit the first form of a page with these fields."""
        found = _FORM.search(page.text)
        assert found is not None, f"no form on {page.url}"
        url = urljoin(str(page.url), html.unescape(found[1]))
        return self._go("POST", url, "same-origin", follow=follow, data=fields)

    def sign_in(self, return_to: str = "/", *, user: str = "anna", query: str = "") -> httpx.Response:
        """Sign in through the sandbox's pages and return the last answer."""
        page = self.navigate(f"/auth/login?return_to={return_to}{query}", site="same-origin")
        return self.consent(page, user=user)

    def consent(
        self, page: httpx.Response, *, user: str = "anna", decision: str = "allow", follow: bool = True
    ) -> httpx.Response:
        """Choose a person on the sandbox's login page, then allow or deny."""
        if f"user-{user}" in page.text:
            page = self.submit(page, press=f"user={user}")
        return self.submit(page, press=f"decision={decision}", follow=follow)

    def cookie(self, name: str) -> str | None:
        """Return the value of one of the app's cookies."""
        found = self.cookies.get(urlsplit(self.origin).netloc, {}).get(name)
        return found.value if found else None

    def generation(self) -> int:
        """Return how often the tokens behind the session were renewed, from 1; 0 without a session."""
        document = self.fetch("/auth/session").json()
        return int(document["tokens"]["generation"]) if document["active"] else 0

    def _go(self, method: str, url: str, site: str, *, follow: bool, **options: Any) -> httpx.Response:  # noqa: ANN401
        previous = url
        while True:
            headers = {
                "Sec-Fetch-Site": site,
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "document",
                "Sec-Fetch-User": "?1",
                "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
                "Accept-Language": self.language,
            }
            if method == "POST":
                parts = urlsplit(url)
                headers["Origin"] = f"{parts.scheme}://{parts.netloc}"
            response = self._send(method, url, headers, cross_site=site == "cross-site", **options)
            if response.status_code not in _REDIRECTS or not follow:
                return response
            previous, url = url, urljoin(url, response.headers["location"])
            # One cross-site hop makes the whole chain cross-site: Strict cookies stay at home until it ends.
            if urlsplit(previous).netloc != urlsplit(url).netloc:
                site = "cross-site"
            method, options = "GET", {}

    def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        *,
        cross_site: bool,
        **options: Any,  # noqa: ANN401 - httpx's
    ) -> httpx.Response:
        host = urlsplit(url).netloc
        jar = self.cookies.setdefault(host, {})
        sent = [
            f"{name}={cookie.value}" for name, cookie in jar.items() if _is_sent(cookie, cross_site, method)
        ]
        if sent and "Cookie" not in headers:
            headers["Cookie"] = "; ".join(sent)
        if self.via is not None and host == urlsplit(self.origin).netloc:
            headers["Host"] = host
            url = self.via + url.removeprefix(self.origin)
        response = self._client.request(method, url, headers=headers, **options)
        self._client.cookies.clear()
        for line in response.headers.get_list("set-cookie"):
            _keep(jar, line)
        self.received.append(response)
        return response


def _is_sent(cookie: Cookie, cross_site: bool, method: str) -> bool:  # noqa: FBT001 - a plain predicate
    if not cross_site or cookie.same_site == "None":
        return True
    return cookie.same_site == "Lax" and method == "GET"


def _keep(jar: dict[str, Cookie], line: str) -> None:
    pair, *attributes = [part.strip() for part in line.split(";")]
    name, _, value = pair.partition("=")
    lowered = {key.lower(): text for key, _, text in (part.partition("=") for part in attributes)}
    if name.startswith("__Host-Http-"):
        # What a browser demands of the prefix; a cookie without it would be dropped silently.
        assert {"secure", "httponly"} <= lowered.keys(), line
        assert lowered.get("path") == "/", line
        assert "domain" not in lowered, line
    if lowered.get("max-age") == "0":
        jar.pop(name, None)
    else:
        jar[name] = Cookie(value, lowered.get("samesite", "Lax").capitalize())
