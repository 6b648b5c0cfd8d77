"""A request counts as the app's own only where the browser's words leave no doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.browser.csrf import CSRF_HEADER, CSRF_VALUE, judge_request, judge_websocket
from gateway.errors import CrossSiteRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

APP = "https://app.example"
SENT = "1"

# method, Sec-Fetch-Site, Origin, X-CSRF: the cause of the refusal, or None for a request of the app's
Case = tuple[str, str | None, str | None, str | None, str | None]

SAFE: Sequence[Case] = [
    ("GET", "same-origin", None, None, None),
    ("GET", "same-origin", None, SENT, None),
    ("GET", "same-origin", APP, None, None),
    ("GET", "same-origin", APP, SENT, None),
    ("GET", "same-origin", "https://evil.example", SENT, "origin_mismatch"),
    ("GET", "same-origin", "null", None, "origin_mismatch"),
    ("GET", "none", None, None, None),
    ("GET", "none", APP, None, None),
    ("GET", "none", "https://evil.example", None, "origin_mismatch"),
    ("GET", "same-site", None, None, "same_site"),
    ("GET", "same-site", APP, SENT, "same_site"),
    ("GET", "cross-site", None, None, "cross_site"),
    ("GET", "cross-site", APP, SENT, "cross_site"),
    ("GET", "cross-site", "null", None, "cross_site"),
    ("GET", "", None, None, "unknown_site"),
    ("GET", "same_origin", None, None, "unknown_site"),
    ("GET", "Same-Origin", None, SENT, "unknown_site"),
    ("GET", "same-origin, cross-site", None, SENT, "unknown_site"),
    ("GET", "same-origin ", None, SENT, "unknown_site"),
    ("GET", "same-party", None, SENT, "unknown_site"),
    ("GET", None, None, None, None),
    ("GET", None, APP, None, None),
    ("GET", None, "null", SENT, "origin_mismatch"),
    ("GET", None, "https://evil.example", SENT, "origin_mismatch"),
    ("GET", None, "", None, "origin_mismatch"),
    ("HEAD", "same-origin", None, None, None),
    ("HEAD", "none", None, None, None),
    ("HEAD", None, None, None, None),
    ("HEAD", "cross-site", None, None, "cross_site"),
    ("OPTIONS", "same-origin", APP, None, None),
    ("OPTIONS", None, None, None, None),
    ("OPTIONS", "cross-site", "https://evil.example", None, "cross_site"),
    ("OPTIONS", None, "https://evil.example", None, "origin_mismatch"),
]
UNSAFE: Sequence[Case] = [
    ("POST", "same-origin", APP, SENT, None),
    ("POST", "same-origin", None, SENT, None),
    ("POST", "same-origin", APP, None, "csrf_header_missing"),
    ("POST", "same-origin", None, None, "csrf_header_missing"),
    ("POST", "same-origin", APP, "", "csrf_header_missing"),
    ("POST", "same-origin", APP, "0", "csrf_header_missing"),
    ("POST", "same-origin", APP, "1 ", "csrf_header_missing"),
    ("POST", "same-origin", APP, "1, 1", "csrf_header_missing"),
    ("POST", "same-origin", APP, "true", "csrf_header_missing"),
    ("POST", "same-origin", "null", SENT, "origin_mismatch"),
    ("POST", "same-origin", "https://evil.example", SENT, "origin_mismatch"),
    ("POST", "none", APP, SENT, "not_from_the_app"),
    ("POST", "none", None, SENT, "not_from_the_app"),
    ("POST", "none", None, None, "not_from_the_app"),
    ("POST", "same-site", APP, SENT, "same_site"),
    ("POST", "same-site", "https://other.app.example", SENT, "same_site"),
    ("POST", "cross-site", APP, SENT, "cross_site"),
    ("POST", "cross-site", "https://evil.example", SENT, "cross_site"),
    ("POST", "cross-site", "null", SENT, "cross_site"),
    ("POST", "cross-site", None, None, "cross_site"),
    ("POST", "", APP, SENT, "unknown_site"),
    ("POST", "SAME-ORIGIN", APP, SENT, "unknown_site"),
    ("POST", "same-origin;", APP, SENT, "unknown_site"),
    ("POST", "future-site", APP, SENT, "unknown_site"),
    ("POST", None, APP, SENT, None),
    ("POST", None, APP, None, "csrf_header_missing"),
    ("POST", None, APP, "2", "csrf_header_missing"),
    ("POST", None, None, SENT, "origin_missing"),
    ("POST", None, None, None, "origin_missing"),
    ("POST", None, "", SENT, "origin_mismatch"),
    ("POST", None, "null", SENT, "origin_mismatch"),
    ("POST", None, "https://evil.example", SENT, "origin_mismatch"),
    ("PUT", "same-origin", APP, SENT, None),
    ("PUT", None, None, SENT, "origin_missing"),
    ("PATCH", "same-origin", APP, SENT, None),
    ("PATCH", "same-origin", APP, None, "csrf_header_missing"),
    ("DELETE", "same-origin", None, SENT, None),
    ("DELETE", "cross-site", None, SENT, "cross_site"),
    ("DELETE", None, None, None, "origin_missing"),
    ("get", None, None, None, "origin_missing"),
    ("Get", "same-origin", None, None, "csrf_header_missing"),
    ("TRACE", "same-origin", APP, None, "csrf_header_missing"),
    ("CONNECT", None, None, None, "origin_missing"),
    ("QUERY", "none", None, SENT, "not_from_the_app"),
    ("", None, None, None, "origin_missing"),
]
NEAR_MISSES = [
    "http://app.example",
    "https://app.example:443",
    "https://app.example:8443",
    "https://app.example/",
    "https://APP.example",
    "HTTPS://app.example",
    "https://app.example.",
    "https://app.example.evil.example",
    "https://evil-app.example",
    "https://www.app.example",
    "https://app.example@evil.example",
    "https://app.example, https://app.example",
    "https://app.example https://evil.example",
    " https://app.example",
    "https://app.example\x00",
    "https://\u0430pp.example",
    "app.example",
    "//app.example",
    "NULL",
]


def judge(
    method: str, site: str | None, origin: str | None, header: str | None, *, header_required: bool = True
) -> str | None:
    """Return the cause of the refusal, None for a request that passes."""
    try:
        judge_request(
            method=method,
            sec_fetch_site=site,
            origin=origin,
            csrf_header=header,
            public_origin=APP,
            header_required=header_required,
        )
    except CrossSiteRefused as refusal:
        return refusal.cause
    return None


def test_tables_hold_no_case_twice() -> None:
    cases = [case[:4] for case in (*SAFE, *UNSAFE)]
    assert len(cases) == len(set(cases)) >= 60


@pytest.mark.parametrize(("method", "site", "origin", "header", "cause"), SAFE)
def test_a_safe_request_passes_unless_the_browser_says_that_it_is_foreign(
    method: str, site: str | None, origin: str | None, header: str | None, cause: str | None
) -> None:
    """RFC 9110 §9.2.1: GET, HEAD and OPTIONS change nothing."""
    assert judge(method, site, origin, header) == cause


@pytest.mark.parametrize(("method", "site", "origin", "header", "cause"), UNSAFE)
def test_an_unsafe_request_passes_only_with_proof_of_its_origin_and_the_header(
    method: str, site: str | None, origin: str | None, header: str | None, cause: str | None
) -> None:
    """RFC 9110 §9.2.1: every other method may change something, unknown ones and other spellings too."""
    assert judge(method, site, origin, header) == cause


@pytest.mark.parametrize("origin", NEAR_MISSES)
def test_origins_are_compared_character_by_character(origin: str) -> None:
    """RFC 6454 §6.2: the serialization of an origin has one form."""
    for site in (None, "same-origin"):
        assert judge("POST", site, origin, SENT) == "origin_mismatch"
        assert judge("GET", site, origin, None) == "origin_mismatch"


def test_a_missing_header_has_a_code_of_its_own() -> None:
    with pytest.raises(CrossSiteRefused, match="csrf_header_missing") as refusal:
        judge_request(method="POST", sec_fetch_site=None, origin=APP, csrf_header=None, public_origin=APP)
    assert refusal.value.code == "csrf_header_missing"
    assert refusal.value.status == 403
    assert f"{CSRF_HEADER}: {CSRF_VALUE}" in refusal.value.detail


def test_a_form_may_do_without_the_header_but_not_without_proof_of_its_origin() -> None:
    assert judge("POST", "same-origin", APP, None, header_required=False) is None
    assert judge("POST", None, APP, None, header_required=False) is None
    assert judge("POST", None, None, None, header_required=False) == "origin_missing"
    assert judge("POST", "cross-site", APP, None, header_required=False) == "cross_site"
    assert judge("POST", "none", None, None, header_required=False) == "not_from_the_app"
    assert judge("POST", "same-origin", "null", None, header_required=False) == "origin_mismatch"


TEXT = st.none() | st.text(max_size=12) | st.sampled_from(["same-origin", "none", "cross-site", APP, "null"])


@given(st.text(max_size=8), TEXT, TEXT, TEXT)
def test_whatever_passes_did_not_name_another_origin(
    method: str, site: str | None, origin: str | None, header: str | None
) -> None:
    cause = judge(method, site, origin, header)
    if cause is None:
        assert site in {None, "same-origin", "none"}
        assert origin in {None, APP}
        if method not in {"GET", "HEAD", "OPTIONS"}:
            assert header == SENT
            assert site == "same-origin" or origin == APP
    else:
        assert cause.replace("_", "").isalpha()


@pytest.mark.parametrize(
    ("origin", "site", "cause"),
    [
        (APP, "same-origin", None),
        (APP, None, None),
        (None, None, "origin_missing"),
        (None, "same-origin", "origin_missing"),
        ("null", None, "origin_mismatch"),
        (f"{APP}, {APP}", "same-origin", "origin_mismatch"),
        (f"{APP}.evil.example", None, "origin_mismatch"),
        (f"{APP}:8443", None, "origin_mismatch"),
        (f"{APP}/", None, "origin_mismatch"),
        (APP.upper(), None, "origin_mismatch"),
        (APP, "none", "not_from_the_app"),
        (APP, "same-site", "same_site"),
        (APP, "cross-site", "cross_site"),
        (APP, "", "unknown_site"),
    ],
)
def test_websocket_comes_from_the_apps_own_origin(
    origin: str | None, site: str | None, cause: str | None
) -> None:
    """RFC 6455 §10.2: Origin alone tells who opened it, and it must be there."""
    if cause is None:
        judge_websocket(origin=origin, sec_fetch_site=site, public_origin=APP)
        return
    with pytest.raises(CrossSiteRefused) as refusal:
        judge_websocket(origin=origin, sec_fetch_site=site, public_origin=APP)
    assert refusal.value.cause == cause


SIBLING = "https://web.example"
SIBLINGS = [
    ("same-site", SIBLING, None),
    (None, SIBLING, None),
    ("same-origin", SIBLING, "origin_mismatch"),
    ("cross-site", SIBLING, "cross_site"),
    ("none", SIBLING, "not_from_the_app"),
    ("evil", SIBLING, "unknown_site"),
    ("same-site", None, "same_site"),
    ("same-site", APP, "same_site"),
    ("same-site", "null", "same_site"),
    ("same-site", f"{SIBLING}.evil.example", "same_site"),
    ("same-site", f"{SIBLING}:8443", "same_site"),
    ("same-site", f"{SIBLING}/", "same_site"),
    ("same-site", SIBLING.upper(), "same_site"),
    ("same-site", f"{SIBLING}, {SIBLING}", "same_site"),
    ("same-site", "http://web.example", "same_site"),
    ("same-site", "https://taken-over.example", "same_site"),
    (None, "https://taken-over.example", "origin_mismatch"),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("site", "origin", "cause"), SIBLINGS)
def test_a_sibling_host_is_the_app_only_by_its_origin_on_the_list(
    method: str, site: str | None, origin: str | None, cause: str | None
) -> None:
    def refusal(header: str | None, siblings: frozenset[str]) -> str | None:
        try:
            judge_request(
                method=method,
                sec_fetch_site=site,
                origin=origin,
                csrf_header=header,
                public_origin=APP,
                sibling_origins=siblings,
            )
        except CrossSiteRefused as error:
            return error.cause
        return None

    assert refusal(SENT, frozenset({SIBLING})) == cause
    assert refusal(SENT, frozenset()) is not None
    if cause is None and method == "POST":
        assert refusal(None, frozenset({SIBLING})) == "csrf_header_missing"


@pytest.mark.parametrize(("site", "origin", "cause"), SIBLINGS)
def test_a_websocket_of_a_sibling_is_judged_alike(
    site: str | None, origin: str | None, cause: str | None
) -> None:
    siblings = frozenset({SIBLING})
    if cause is None:
        judge_websocket(origin=origin, sec_fetch_site=site, public_origin=APP, sibling_origins=siblings)
        return
    with pytest.raises(CrossSiteRefused) as refusal:
        judge_websocket(origin=origin, sec_fetch_site=site, public_origin=APP, sibling_origins=siblings)
    assert refusal.value.cause == cause
