"""Where the URLs lead that the resource server names in header fields."""

from __future__ import annotations

import pytest

from gateway.proxy.location import rewrite_link, rewrite_location

DESTINATION = "https://api.example.com"


@pytest.mark.parametrize(
    ("named", "passed"),
    [
        (b"https://api.example.com/v1/invoices/1", b"/api/v1/invoices/1"),
        (b"HTTPS://API.example.com:443/v1/x?a=b#c", b"/api/v1/x?a=b#c"),
        (b"https://api.example.com", b"/api/"),
        (b"https://api.example.com/", b"/api/"),
        (b"https://api.example.com?page=2", b"/api?page=2"),
        (b"  /v1/x ", b"/api/v1/x"),
        (b"/v1/x?next=../..", b"/api/v1/x?next=../.."),
        (b"/v1/a%20b/m\xc3\xbcller", b"/api/v1/a%20b/m\xc3\xbcller"),
        (b"invoices/1", b"invoices/1"),
        (b"?page=2", b"?page=2"),
        (b"#part", b"#part"),
    ],
)
def test_url_of_the_api_becomes_one_of_the_app(named: bytes, passed: bytes) -> None:
    assert rewrite_location(named, destination=DESTINATION) == passed


@pytest.mark.parametrize(
    "named",
    [
        b"https://files.example.net/signed?x=1",
        b"http://api.example.com/v1",
        b"https://api.example.com:8443/v1",
        b"https://api.example.com.evil.example/v1",
        b"https://api.example.com@evil.example/v1",
        b"https://user@api.example.com/v1",
    ],
)
def test_url_of_another_origin_stays_as_it_is(named: bytes) -> None:
    assert rewrite_location(named, destination=DESTINATION) == named


@pytest.mark.parametrize(
    "named",
    [
        b"javascript:alert(1)",
        b"data:text/html,x",
        b"ftp://api.example.com/v1",
        b"https:/evil.example/",
        b"https:evil.example",
        b"https:///evil.example",
        b"//evil.example/x",
        b"//api.example.com/v1",
        b"/\\evil.example",
        b"\\\\evil.example",
        b"\\evil.example",
        b"/\t/evil.example",
        b"/.\t./auth/logout",
        b"https://api.example.com//evil.example",
        b"https://api.example.com\\@evil.example",
        b"https://api.example.com/../auth/logout",
        b"/../auth/logout",
        b"/v1/..",
        b"/v1/%2e%2e/%2E%2e/auth/logout",
        b"/v1/..;/x",
        b"../../auth/logout",
        b"./x",
        b"a\\..\\x",
        b".\t./x",
    ],
)
def test_url_that_could_lead_out_of_api_is_dropped(named: bytes) -> None:
    assert rewrite_location(named, destination=DESTINATION) is None


@pytest.mark.parametrize("destination", ["https://api.example.com/base", "https://api.example.com/base/"])
def test_base_path_of_the_destination_is_taken_off(destination: str) -> None:
    def rewrite(named: bytes) -> bytes | None:
        return rewrite_location(named, destination=destination)

    assert rewrite(b"https://api.example.com/base/v1") == b"/api/v1"
    assert rewrite(b"/base?x") == b"/api?x"
    assert rewrite(b"/base") == b"/api"
    assert rewrite(b"/basement/v1") is None
    assert rewrite(b"/other") is None
    assert rewrite(b"https://api.example.com/") is None


def test_prefix_of_the_app_can_be_chosen() -> None:
    assert rewrite_location(b"/v1", destination=DESTINATION, api_prefix="/rest") == b"/rest/v1"
    assert (
        rewrite_link(b"</v1>; rel=next", destination=DESTINATION, api_prefix="/rest")
        == b"</rest/v1>; rel=next"
    )


@pytest.mark.parametrize(
    ("named", "passed"),
    [
        (
            b'<https://api.example.com/v1/x?page=2>; rel="next", </v1/x?page=9>; rel=last',
            b'</api/v1/x?page=2>; rel="next", </api/v1/x?page=9>; rel=last',
        ),
        (b"<?page=2>; title=a; REL=Next", b"<?page=2>; title=a; REL=Next"),
        (b'</v1/x>; rel="first prev"', b'</api/v1/x>; rel="first prev"'),
    ],
)
def test_link_between_pages_leads_to_the_app(named: bytes, passed: bytes) -> None:
    """RFC 8288 §3.3: the relation says what a link is for."""
    assert rewrite_link(named, destination=DESTINATION) == passed


@pytest.mark.parametrize(
    "named",
    [
        b"</x.js>; rel=preload; as=script",
        b'</x.css>; rel="stylesheet"',
        b"<https://evil.example>; rel=preconnect",
        b'</v1/x>; rel="next preload"',
        b"</v1/x>; rel=next, </x.js>; rel=preload",
        b"</v1/x>; rel=next; rel=preload",
        b"</v1/x>",
        b"</../auth/logout>; rel=next",
        b"<javascript:alert(1)>; rel=next",
    ],
)
def test_any_other_link_is_dropped(named: bytes) -> None:
    assert rewrite_link(named, destination=DESTINATION) is None
