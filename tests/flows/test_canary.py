"""No secret in any byte that a browser receives, nor in the log: over whole journeys, with every fault on."""

from __future__ import annotations

import contextlib
import io
import logging
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from gateway.browser.cookie import LOGIN_COOKIE_PREFIX, SESSION_COOKIE
from gateway.listener import bind
from gateway.observability.logs import configure_logging
from gateway.sandbox import FAULTS
from gateway.sessions.keyring import Keyring
from gateway.web.attempt_cookies import AttemptCookies
from tests.support.browser import Browser
from tests.support.canary import Recording, find_leaks, recording
from tests.support.running import CLIENT_ID, CLIENT_SECRET, SECRET, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

SHORT = {"token_slow": {"seconds": 0.05}, "api_slow": {"seconds": 0.05}, "api_504": {"seconds": 0.05}}
CONTACT = {"version": 0, "roles": {"customer": {}}, "company": {"name": "Muster & Söhne KG"}}


class Stage:
    """A gateway behind a recorder, its log, and every secret that came into being."""

    def __init__(self, running: Running, record: Recording, log: io.StringIO) -> None:
        self.running, self.record, self.log = running, record, log
        self.id_tokens: list[str] = []
        self.verifiers: list[str] = []
        self.session_ids: list[str] = []
        keys: Any = running.sandbox.keys
        sign = keys.sign

        def kept(*args: Any, **options: Any) -> str:  # noqa: ANN401 - whatever `sign` takes
            self.id_tokens.append(sign(*args, **options))
            return self.id_tokens[-1]

        keys.sign = kept

    def forget(self) -> None:
        """Begin anew: with each journey come new secrets, and none of an earlier one is in use."""
        for known in (self.id_tokens, self.verifiers, self.session_ids, self.running.sandbox.grants.issued):
            known.clear()
        self.record.sent.clear()
        self.log.seek(0)
        self.log.truncate()

    def browse(self) -> Browser:
        return Browser(self.record.url)

    def note_cookies(self, browser: Browser) -> None:
        """Learn the session id and, with the gateway's own secret, the verifiers of the attempts."""
        attempts = AttemptCookies(Keyring([SECRET]))
        for answer in browser.received:
            state = answer.url.params.get("state") or ""
            cookie = answer.request.headers.get("cookie", "")
            if LOGIN_COOKIE_PREFIX in cookie and state:
                attempt = attempts.find(state, [(b"cookie", cookie.encode())])
                self.verifiers.append(attempt.code_verifier)
        session = browser.cookie(SESSION_COOKIE)
        if session:
            self.session_ids.append(session.partition(".")[0])

    def never_in_the_browser(self) -> list[str]:
        issued = self.running.sandbox.grants.issued
        basic = b64encode(f"{CLIENT_ID}:{quote(CLIENT_SECRET, safe='')}".encode()).decode()
        return [*issued, *self.id_tokens, *self.verifiers, CLIENT_SECRET, SECRET, basic]

    def never_in_the_log(self) -> list[str]:
        return [*self.never_in_the_browser(), *self.session_ids]


@pytest.fixture(scope="module", params=["lexware", "openid"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    log = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("debug", log)
    try:
        with bind("127.0.0.1", 0, setting="PORT") as front:
            url = f"http://localhost:{front.getsockname()[1]}"
            settings = {
                "LEXGATE_PUBLIC_URL": url,
                "LEXGATE_SESSION_IDLE": "86400",
                "LEXGATE_SESSION_MAX": "86400",
            }
            if request.param == "lexware":
                settings["LEXGATE_SCOPE"] = ""
            options = {"redirect_uris": (f"{url}/auth/callback",)}
            with (
                running_gateway(request.param, settings=settings, sandbox_options=options) as running,
                recording(urlsplit(running.public_url).port or 0, front) as record,
            ):
                yield Stage(running, record, log)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(capture=False)
        logging.getLogger("gateway").setLevel(logging.NOTSET)


def call_everything(browser: Browser) -> None:
    """Use whatever there is; what comes of it is not the point here."""
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("/auth/session", "GET", {}),
        ("/api/v1/profile", "GET", {}),
        ("/api/v1/contacts", "POST", {"json": CONTACT}),
        ("/api/v1/contacts", "POST", {"content": b"x" * 100_000}),
        ("/api/v1/nowhere", "GET", {}),
        ("/api/v1/profile", "HEAD", {}),
        ("/api/v1/voucherlist?voucherType=any&voucherStatus=any", "GET", {}),
        ("/auth/session/refresh", "POST", {}),
        ("/api/..", "GET", {}),
        ("/auth/logout", "POST", {"headers": {"Origin": "https://evil.example"}}),
    ]
    for path, method, options in calls:
        options["headers"] = {"Prefer": "wait=1", **options.get("headers", {})}
        with contextlib.suppress(httpx.RemoteProtocolError):
            browser.fetch(path, method, **options)


def journey(stage: Stage, fault: str | None, *, from_the_beginning: bool) -> None:
    running = stage.running
    running.sandbox.faults.clear()
    times = 2 if fault == "api_429" else None
    with stage.browse() as browser:
        if fault and from_the_beginning:
            running.sandbox.faults.inject(fault, SHORT.get(fault), times)
        landed = browser.sign_in("/vouchers")
        callback = next((a.url for a in browser.received if a.url.path == "/auth/callback"), landed.url)
        if fault and not from_the_beginning:
            running.sandbox.faults.inject(fault, SHORT.get(fault), times)
        stage.note_cookies(browser)
        call_everything(browser)
        running.clock.advance(14399 - 30)
        call_everything(browser)
        running.clock.advance(31)
        call_everything(browser)
        browser.navigate(str(callback), site="cross-site")
        stage.note_cookies(browser)
        browser.fetch("/auth/logout", "POST")
        browser.fetch("/api/v1/profile")
    running.sandbox.faults.clear()


def assert_nothing_leaked(stage: Stage) -> None:
    assert find_leaks(stage.never_in_the_browser(), bytes(stage.record.sent)) == []
    assert find_leaks(stage.never_in_the_log(), stage.log.getvalue().encode()) == []


def test_an_ordinary_journey_leaks_nothing(stage: Stage) -> None:
    stage.forget()
    journey(stage, None, from_the_beginning=False)
    assert len(stage.running.sandbox.grants.issued) >= 5
    assert stage.verifiers
    assert stage.session_ids
    assert len(stage.record.sent) > 10_000
    assert '"message":"sign_in"' in stage.log.getvalue()
    assert_nothing_leaked(stage)


@pytest.mark.parametrize("from_the_beginning", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_makes_a_secret_leak(stage: Stage, fault: str, *, from_the_beginning: bool) -> None:
    stage.forget()
    journey(stage, fault, from_the_beginning=from_the_beginning)
    assert len(stage.record.sent) > 1000
    assert len(stage.never_in_the_log()) > 2
    assert_nothing_leaked(stage)


def test_a_planted_leak_is_found(stage: Stage) -> None:
    """The search itself: each secret is found raw and encoded, whole and in part."""
    journey(stage, None, from_the_beginning=False)
    secrets = stage.never_in_the_log()
    for secret in (secrets[0], secrets[-1], CLIENT_SECRET, stage.verifiers[0]):
        raw = secret.encode()
        planted = [raw, raw[:30], raw[-30:], quote(secret, safe="").encode(), raw.hex().encode()]
        planted += [b64encode(prefix + raw) for prefix in (b"", b"a", b"ab", b"abc:")]
        planted += [b64encode(raw).replace(b"+", b"-").replace(b"/", b"_")]
        for leak in planted:
            assert find_leaks([secret], b"<p>" + leak + b"</p>"), leak
    assert find_leaks(secrets, b"an innocent page " * 100) == []
