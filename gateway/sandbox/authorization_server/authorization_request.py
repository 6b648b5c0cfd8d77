"""The authorization request: from a query to a value that was checked."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.sandbox.authorization_server.refusals import SentRefusal, ShownRefusal
from gateway.sandbox.scopes import scopes_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.sandbox.authorization_server.clients import Client, Clients, Picture

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnAddress:
    """Where the answer goes: a registered redirect URI and the state that goes with it."""

    client: Client
    redirect_uri: str
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What the client asks for; `max_age` in seconds."""

    address: ReturnAddress
    scope: tuple[str, ...]
    code_challenge: str | None
    nonce: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    login_hint: str = ""
    connection_name: str = ""
    ui_locales: str = ""


def parse_return_address(
    pairs: Sequence[tuple[str, str]], clients: Clients, picture: Picture
) -> ReturnAddress:
    """Return the part of the request that must be right before anybody is sent anywhere.

    Raises:
        ShownRefusal: unknown client, unregistered redirect URI, or one of them repeated.

    """
    counted = Counter(name for name, _ in pairs)
    if any(counted[name] > 1 for name in ("client_id", "redirect_uri", "state")):
        raise ShownRefusal("repeated")
    query = dict(pairs)
    client = clients.find(query.get("client_id"), picture)
    if client is None:
        raise ShownRefusal("client")
    # RFC 9700 §2.1: exact string comparison, against a code sent to an attacker's address
    if query.get("redirect_uri") not in client.redirect_uris:
        raise ShownRefusal("redirect_uri")
    return ReturnAddress(client=client, redirect_uri=query["redirect_uri"], state=query.get("state"))


def parse_authorization_request(
    pairs: Sequence[tuple[str, str]], address: ReturnAddress
) -> AuthorizationRequest:
    """Return the rest of the request.

    Raises:
        SentRefusal: with the error that the client is told.

    """
    query = dict(pairs)
    if len(query) != len(pairs):  # RFC 6749 §3.1: parameters occur once
        raise SentRefusal("invalid_request", "a parameter is repeated")
    if query.get("response_type") != "code":
        raise SentRefusal("unsupported_response_type", "response_type must be code")
    if query.get("response_mode", "query") != "query":
        raise SentRefusal("invalid_request", "response_mode must be query")
    return AuthorizationRequest(
        address=address,
        scope=_parse_scope(query.get("scope", ""), address.client.picture),
        code_challenge=_parse_challenge(query, address),
        nonce=query.get("nonce"),
        prompt=_parse_prompt(query.get("prompt", "")),
        max_age=_parse_max_age(query.get("max_age")),
        login_hint=query.get("login_hint", ""),
        connection_name=query.get("connection_name", "")[:100],
        ui_locales=query.get("ui_locales", ""),
    )


def _parse_scope(text: str, picture: Picture) -> tuple[str, ...]:
    known = scopes_of(picture)
    wanted = tuple(dict.fromkeys(text.split()))
    if any(name not in known for name in wanted):
        raise SentRefusal("invalid_scope", "unknown scope")
    if wanted:
        return wanted
    if picture == "openid":
        raise SentRefusal("invalid_scope", "scope is required")
    return tuple(known)  # lexware: left out means all that the client has


def _parse_challenge(query: Mapping[str, str], address: ReturnAddress) -> str | None:
    challenge = query.get("code_challenge")
    if challenge is None:
        # RFC 9700 §2.1.1: PKCE, against an injected code; a public client has nothing else
        if address.client.picture == "lexware" or address.client.is_public:
            raise SentRefusal("invalid_request", "code_challenge is required")
        return None
    # RFC 7636 §4.2: plain would show the verifier to whoever sees the request
    if query.get("code_challenge_method") != "S256":
        raise SentRefusal("invalid_request", "code_challenge_method must be S256")
    if not _CHALLENGE.fullmatch(challenge):
        raise SentRefusal("invalid_request", "code_challenge is malformed")
    return challenge


def _parse_prompt(text: str) -> frozenset[str]:
    prompt = frozenset(text.split())
    if prompt - _PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise SentRefusal("invalid_request", "prompt is malformed")
    return prompt


def _parse_max_age(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise SentRefusal("invalid_request", "max_age is malformed")
    return int(text)
