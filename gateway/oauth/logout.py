"""Sign-out at the authorization server (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_OWN = ("client_id", "post_logout_redirect_uri", "state", "id_token_hint")


def build_logout_url(
    end_session_endpoint: str,
    *,
    client_id: str,
    post_logout_redirect_uri: str,
    state: str,
    id_token_hint: str | None = None,
) -> str:
    """Build the URL that the browser goes to after the session here has ended.

    Without `id_token_hint` no token stands in it, which would end in histories and logs: `client_id` takes
    its place (§2), at the price of a question that some servers ask the person. There is no `logout_hint`
    either: it would tell histories and logs who signed out.
    """
    parts = urlsplit(end_session_endpoint)
    own = {"client_id": client_id, "post_logout_redirect_uri": post_logout_redirect_uri, "state": state}
    if id_token_hint is not None:
        own["id_token_hint"] = id_token_hint
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in _OWN]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode([*kept, *own.items()]), ""))
