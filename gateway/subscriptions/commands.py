"""What `lexgate webhooks` does: lists, registers and removes a user's event subscriptions at lexoffice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, cast

from gateway.events.event import LEXOFFICE_TYPES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from gateway.subscriptions.user_api import ApiAnswer

_PATH = "/v1/event-subscriptions"
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_MAX_SHOWN = 300
_NO_SCOPE = (
    "lexoffice refuses the user's token (403): it needs the scopes event-subscriptions.read and"
    " event-subscriptions.write; put them into LEXGATE_SCOPE, restart, and have the user sign in again"
)


class Refused(Exception):
    """The command cannot be done; the text says why, for the operator."""


class Api(Protocol):
    """What is asked of UserApi."""

    async def call(self, method: str, path: str, content: object = None) -> ApiAnswer:
        """Call the API."""
        ...

    def is_secret(self, text: str) -> bool:
        """Say whether a text is for nobody."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which subscriptions a command is about: those that lead to `url`, of these types or of all."""

    url: str
    types: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Raise Refused for a type that lexoffice does not know."""
        unknown = sorted(set(self.types) - LEXOFFICE_TYPES)
        if unknown:
            raise Refused(
                f"lexoffice has no event {unknown[0]!r}; it has {', '.join(sorted(LEXOFFICE_TYPES))}"
            )


async def perform(verb: str, api: Api, wanted: Wanted) -> AsyncGenerator[str]:
    """Do one of the three, and tell line by line what was done, as it is."""
    if verb == "list":
        lines = list_subscriptions(api)
    else:
        lines = register(api, wanted) if verb == "register" else remove(api, wanted)
    async for line in lines:
        yield line


@dataclass(frozen=True, slots=True)
class _Subscription:
    id: str
    type: str
    url: str

    def __str__(self) -> str:
        return f"{self.id}  {self.type:32} {self.url}"


async def list_subscriptions(api: Api) -> AsyncGenerator[str]:
    """Tell one line for each subscription of the user's organization: its id, its type, where it leads."""
    found = await _read(api)
    for subscription in found:
        yield str(subscription)
    if not found:
        yield "no subscriptions"


async def register(api: Api, wanted: Wanted) -> AsyncGenerator[str]:
    """Subscribe to every type that is not subscribed to for this URL yet; tells what was done, as it is."""
    known = {found.type for found in await _read(api) if found.url == wanted.url}
    for kind in sorted(wanted.types or LEXOFFICE_TYPES):
        if kind in known:
            yield f"{kind:32} was there"
            continue
        answer = await api.call("POST", _PATH, {"eventType": kind, "callbackUrl": wanted.url})
        if answer.status == HTTPStatus.CONFLICT:
            yield f"{kind:32} was there"
        elif answer.status in {HTTPStatus.OK, HTTPStatus.CREATED}:
            yield f"{kind:32} registered"
        else:
            raise _explain(api, answer, f"{kind} was not registered for {wanted.url}")


async def remove(api: Api, wanted: Wanted) -> AsyncGenerator[str]:
    """Delete the subscriptions that lead to the URL; tells what was done, as it is."""
    found = [
        subscription
        for subscription in await _read(api)
        if subscription.url == wanted.url and (not wanted.types or subscription.type in wanted.types)
    ]
    for subscription in found:
        answer = await api.call("DELETE", f"{_PATH}/{subscription.id}")
        if answer.status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND}:
            raise _explain(api, answer, f"{subscription.type} was not removed")
        yield f"{subscription.type:32} removed"
    if not found:
        yield f"no such subscriptions for {wanted.url}"


async def _read(api: Api) -> list[_Subscription]:
    answer = await api.call("GET", _PATH)
    if answer.status != HTTPStatus.OK:
        raise _explain(api, answer, "the subscriptions cannot be read")
    return [found for row in _rows(answer.document) if (found := _parse(row)) is not None]


def _rows(document: object) -> list[object]:
    content = _members(document).get("content")
    if not isinstance(content, list):
        raise Refused("lexoffice's list of subscriptions is not what it documents")
    return cast("list[object]", content)


def _parse(row: object) -> _Subscription | None:
    members = _members(row)
    identifier = members.get("subscriptionId") or members.get("id")
    kind, url = members.get("eventType"), members.get("callbackUrl")
    if not isinstance(identifier, str) or not _ID.fullmatch(identifier):
        return None
    if not isinstance(kind, str) or not isinstance(url, str):
        return None
    return _Subscription(identifier, kind, url) if _is_fit_to_show(f"{kind}{url}") else None


def _explain(api: Api, answer: ApiAnswer, what: str) -> Refused:
    if answer.status == HTTPStatus.FORBIDDEN:
        return Refused(_NO_SCOPE)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return Refused(f"{what}: lexoffice takes the user's token for dead; have the user sign in again")
    words = "; ".join(
        text for text in _messages(answer.document) if _is_fit_to_show(text) and not api.is_secret(text)
    )
    return Refused(f"{what}: lexoffice answers {answer.status}{f' ({words})' if words else ''}")


def _is_fit_to_show(text: str) -> bool:
    # Neither what commands a terminal, nor what turns the direction of writing, nor half a surrogate pair.
    return 0 < len(text) <= _MAX_SHOWN and text.isprintable()


def _messages(document: object) -> list[str]:
    members = _members(document)
    details = members.get("details")
    rows = [_members(row) for row in cast("list[object]", details)] if isinstance(details, list) else []
    told = [" ".join(str(row[name]) for name in ("field", "message") if row.get(name)) for row in rows]
    message = members.get("message")
    return told or ([message] if isinstance(message, str) else [])


def _members(document: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", document) if isinstance(document, dict) else {}
