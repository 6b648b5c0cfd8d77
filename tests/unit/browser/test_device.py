"""Names of devices that people recognise, and nothing finer."""

from __future__ import annotations

import pytest

from gateway.browser.device import describe_device

MOZILLA = "Mozilla/5.0"
ANDROID = f"{MOZILLA} (Linux; Android 10; K)"
IPHONE = f"{MOZILLA} (iPhone; CPU iPhone OS 18_6 like Mac OS X)"
MAC = f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7)"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"{MOZILLA} (Windows NT 10.0; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Windows"),
        (f"{MOZILLA} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        (f"{MOZILLA} (Windows NT 10.0) {WEBKIT} Chrome/141.0.0.0 Safari/537.36", "Chrome, Windows"),
        (f"{MOZILLA} (Windows NT 10.0) {WEBKIT} Chrome/141.0 Safari/537.36 Edg/141.0", "Edge, Windows"),
        (f"{ANDROID} {WEBKIT} Chrome/141.0 Mobile Safari/537.36 EdgA/141.0", "Edge, Android"),
        (f"{MOZILLA} (X11; Linux x86_64) {WEBKIT} Chrome/141.0 Safari/537.36 OPR/120.0", "Opera, Linux"),
        (f"{ANDROID} {WEBKIT} Chrome/141.0 Mobile Safari/537.36", "Chrome, Android"),
        (f"{MOZILLA} (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/141.0 Safari/537.36", "Chrome, ChromeOS"),
        (f"{MAC} {WEBKIT} Version/18.6 Safari/605.1", "Safari, macOS"),
        (f"{IPHONE} {WEBKIT} Version/18.6 Safari/604.1", "Safari, iPhone"),
        (f"{IPHONE} {WEBKIT} CriOS/141.0 Safari/604.1", "Chrome, iPhone"),
        (f"{MOZILLA} (iPad; CPU OS 18_6 like Mac OS X) {WEBKIT} FxiOS/140.0 Safari/605.1", "Firefox, iPad"),
        (f"{MOZILLA} (iPad; CPU OS 18_6 like Mac OS X) {WEBKIT} EdgiOS/141.0 Safari/605.1", "Edge, iPad"),
        ("curl/8.5.0", "curl"),
        ("SomethingElse (Windows)", "Windows"),
        ("an unheard-of thing", ""),
        ("", ""),
        (None, ""),
    ],
)  # fmt: skip
def test_a_device_is_named_by_browser_and_system(user_agent: str | None, name: str) -> None:
    assert describe_device(user_agent) == name


def test_nothing_of_what_a_client_sends_is_in_the_name() -> None:
    hostile = "<script>alert(1)</script>\r\nSet-Cookie: a=b Firefox/<b> Windows"
    assert describe_device(hostile) == "Firefox, Windows"


def test_only_the_beginning_of_a_long_field_is_read() -> None:
    assert describe_device("x" * 100_000 + "Firefox/140.0") == ""
