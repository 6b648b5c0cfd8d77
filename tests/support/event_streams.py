"""A browser's stream of events on a raw socket, and what came of it."""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gateway.browser.cookie import SESSION_COOKIE
from gateway.events.event import Event
from tests.support.raw_browser import RawBrowser

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.browser import Browser
    from tests.support.running import Running

PATH = "/auth/events"
END = b"0\r\n\r\n"
_EVENT = re.compile(rb"(?:id: ([^\n]*)\n)?event: ([^\n]+)\ndata: ([^\n]*)\n\n")
_PLACE = re.compile(rb"id: ([^\n]+)\n")


class Listener(Protocol):
    """What can be connected to."""

    @property
    def url(self) -> str: ...


class At(NamedTuple):
    """A gateway in a process of its own."""

    url: str


class Told(NamedTuple):
    """One event."""

    kind: str
    document: dict[str, Any]
    id: str


def request(browser: Browser, fields: Mapping[str, str] | None = None, *, path: str = PATH) -> bytes:
    """Build the request of an EventSource."""
    own = {
        "Host": "x",
        "Accept": "text/event-stream",
        "Sec-Fetch-Site": "same-origin",
        "Cookie": f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}",
        **(fields or {}),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in own.items())
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


@contextmanager
def connected(gateway: Listener, **options: Any) -> Iterator[RawBrowser]:  # noqa: ANN401 - RawBrowser's
    """Connect a browser that has asked for nothing yet."""
    with RawBrowser(int(gateway.url.rpartition(":")[2]), **options) as raw:
        yield raw


@contextmanager
def listening(
    gateway: Listener, browser: Browser, fields: Mapping[str, str] | None = None, *, path: str = PATH
) -> Iterator[RawBrowser]:
    """Open a stream, and return once its greeting has come, which stays in `received`."""
    with connected(gateway) as raw:
        raw.send(request(browser, fields, path=path))
        raw.receive_until(b"\n:\n")
        yield raw


def told(raw: RawBrowser) -> list[Told]:
    """Return the events that have come, but for the greeting."""
    found = _EVENT.findall(bytes(raw.received))
    events = [Told(kind.decode(), json.loads(data), place.decode()) for place, kind, data in found]
    return [event for event in events if event.kind != "hello"]


def last_id(raw: RawBrowser) -> str:
    """Return the last id that has come."""
    places: list[bytes] = _PLACE.findall(bytes(raw.received))
    return places[-1].decode()


def next_event(raw: RawBrowser) -> Told:
    """Wait for one more event, and return it."""
    return next_events(raw, 1)[0]


def next_events(raw: RawBrowser, number: int) -> list[Told]:
    """Wait for some more events, and return them."""
    known = len(told(raw))
    while len(told(raw)) < known + number:
        assert raw.receive(), f"the stream has ended: {bytes(raw.received)!r}"
    return told(raw)[known:]


def told_within(raw: RawBrowser, *, seconds: float) -> list[Told]:
    """Take what comes for a while, and return all that was told so far."""
    ends = time.monotonic() + seconds
    try:
        while (left := ends - time.monotonic()) > 0:
            raw.sock.settimeout(left)
            raw.receive()
    except TimeoutError:
        pass
    finally:
        raw.sock.settimeout(raw.seconds)
    return told(raw)


def organization_of(browser: Browser) -> str:
    """Return the organization that a browser's session is of."""
    organization: str = browser.fetch("/auth/session").json()["claims"]["organization_id"]
    return organization


def publish(
    gateway: Running, organization: str, resource: str = "r1", *, kind: str = "invoice.changed"
) -> str:
    """Let a replica tell all of a change in an organization's books; returns the event's id."""
    event = Event(
        type=kind, organization_id=organization, resource_id=resource, date="2026-11-26T10:00:00.000Z"
    )
    place: str = gateway.call(gateway.gateway._bus.publish(event))  # noqa: SLF001 - the webhook has tests of its own
    return place
