"""The logout URL names the client, where to return and what to say then, and nothing else of ours."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from gateway.oauth.logout import build_logout_url


def build(endpoint: str, id_token_hint: str | None = None) -> str:
    return build_logout_url(
        endpoint,
        client_id="client & co",
        post_logout_redirect_uri="https://app.example/?a=b#c",
        state="s&t",
        id_token_hint=id_token_hint,
    )


OWN = [
    ("client_id", "client & co"),
    ("post_logout_redirect_uri", "https://app.example/?a=b#c"),
    ("state", "s&t"),
]


def test_the_logout_url_carries_no_token() -> None:
    # OpenID Connect RP-Initiated Logout 1.0 §2: client_id stands in for id_token_hint.
    url = build("https://as.example/logout")
    assert url.startswith("https://as.example/logout?")
    assert parse_qsl(urlsplit(url).query) == OWN
    assert not urlsplit(url).fragment


def test_the_hint_is_there_where_it_is_wanted() -> None:
    url = build("https://as.example/logout", "a.b.c")
    assert parse_qsl(urlsplit(url).query) == [*OWN, ("id_token_hint", "a.b.c")]


def test_the_endpoints_query_is_kept_and_does_not_replace_ours() -> None:
    url = build(
        "https://as.example/logout?tenant=a%26b&empty=&client_id=evil&post_logout_redirect_uri=evil"
        "&state=evil&id_token_hint=evil#x"
    )
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    assert pairs == [("tenant", "a&b"), ("empty", ""), *OWN]
    assert not urlsplit(url).fragment
