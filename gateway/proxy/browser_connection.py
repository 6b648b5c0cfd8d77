"""What the data plane asks of the server's own end of a connection, beyond ASGI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.proxy.request_fields import RequestFields

_KEY = "lexgate.connection"


class BrowserConnection(Protocol):
    """The connection on which a request came, as far as the answer to that request is concerned."""

    when_left: Callable[[], None] | None
    """Called once when the browser closes the connection before its answer is whole."""

    remembered: tuple[list[tuple[bytes, bytes]], RequestFields] | None
    """The header fields of the connection's last call, and what was read in them."""

    def answer_whole(
        self, status: int, fields: list[tuple[bytes, bytes]], body: bytes, *, has_length: bool
    ) -> bool:
        """Write head and body of an answer at once, which ends the exchange; False if ASGI must do it.

        `fields` have lower-case names; Content-Length is added where the answer `has_length`. It costs a
        third of what two ASGI messages cost, and most answers of an API are small.
        """
        ...


def browser_connection_of(scope: Mapping[str, Any]) -> BrowserConnection | None:
    """Return the connection of a request, if the server below offers it."""
    connection: BrowserConnection | None = scope.get(_KEY)
    return connection
