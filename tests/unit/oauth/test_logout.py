"""The logout URL names the client and where to return, and nothing else of ours."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from gateway.oauth.logout import build_logout_url


def build(endpoint: str) -> str:
    return build_logout_url(
        endpoint, client_id="client & co", post_logout_redirect_uri="https://app.example/?a=b#c"
    )


OWN = [("client_id", "client & co"), ("post_logout_redirect_uri", "https://app.example/?a=b#c")]


def test_the_logout_url_carries_no_token() -> None:
    # OpenID Connect RP-Initiated Logout 1.0 §2: client_id stands in for id_token_hint.
    url = build("https://as.example/logout")
    assert url.startswith("https://as.example/logout?")
    assert parse_qsl(urlsplit(url).query) == OWN
    assert not urlsplit(url).fragment


def test_the_endpoints_query_is_kept_and_does_not_replace_ours() -> None:
    url = build(
        "https://as.example/logout?tenant=a%26b&empty=&client_id=evil&post_logout_redirect_uri=evil#x"
    )
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    assert pairs == [("tenant", "a&b"), ("empty", ""), *OWN]
    assert not urlsplit(url).fragment
