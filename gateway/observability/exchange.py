"""What is noted of one request while it is served, for the log, the metrics and the answer to an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from gateway.observability.tracing import Trace

_KEY = "lexgate.exchange"
_BEGINNING = "lexgate.beginning"


@dataclass(slots=True)
class Exchange:
    """One request: its trace, the client's address, its route template, and where a sign-in returns to.

    `status` is 0 until an answer has begun, `sent` counts the bytes of its body, `started` is on
    time.perf_counter's clock, and so is `answered`, 0 but for a WebSocket that was accepted;
    `upstream_seconds` is the resource server's part of the time, `queue_seconds` the wait for turns within
    its rate limit; None where the call needs none. One that `is_told_later` goes on when its
    task has ended, and whoever goes on with it writes its line in the log.
    """

    trace: Trace
    find_address: Callable[[], str]
    started: float = 0.0
    route: str = ""
    return_to: str = "/"
    status: int = 0
    sent: int = 0
    answered: float = 0.0
    upstream_seconds: float = 0.0
    queue_seconds: float | None = None
    is_told_later: bool = False

    @property
    def address(self) -> str:
        """The client's address; found when it is asked for, as few requests are by name."""
        return self.find_address()

    @property
    def request_id(self) -> str:
        """16 hex digits that join log lines, the audit log and the answer."""
        return self.trace.request_id


def note_exchange(scope: MutableMapping[str, Any], exchange: Exchange) -> None:
    """Put the exchange where the inner applications find it."""
    scope[_KEY] = exchange


def exchange_of(scope: MutableMapping[str, Any]) -> Exchange:
    """Return the exchange of an ASGI scope; KeyError outside the access log."""
    exchange: Exchange = scope[_KEY]
    return exchange


def note_beginning(scope: MutableMapping[str, Any], trace: Trace, started: float) -> None:
    """Put into a scope what was begun before there was one; `started` is on time.perf_counter's clock."""
    scope[_BEGINNING] = (trace, started)


def beginning_of(scope: MutableMapping[str, Any]) -> tuple[Trace, float] | None:
    """Return what `note_beginning` put there."""
    beginning: tuple[Trace, float] | None = scope.get(_BEGINNING)
    return beginning
