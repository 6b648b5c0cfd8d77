"""Sign-out at the authorization server (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def build_logout_url(end_session_endpoint: str, *, client_id: str, post_logout_redirect_uri: str) -> str:
    """Build the URL that the browser goes to after the session here has ended.

    There is no `id_token_hint` on purpose: a token in a URL ends in histories and logs. `client_id` takes its
    place (§2), at the price of a question that some servers ask the person.
    """
    parts = urlsplit(end_session_endpoint)
    own = {"client_id": client_id, "post_logout_redirect_uri": post_logout_redirect_uri}
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in own]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode([*kept, *own.items()]), ""))
