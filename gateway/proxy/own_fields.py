"""The header fields that the gateway adds to an answer of the resource server (PURE)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from gateway.proxy.response_headers import build_safety_headers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.proxy.headers import Headers

_REMEMBERED = 256


class PassedHead(Protocol):
    """The head of an answer as the browser may see it."""

    @property
    def status(self) -> int:
        """As it is passed."""
        ...

    @property
    def fields(self) -> Headers:
        """All but the gateway's own."""
        ...

    @property
    def content_type(self) -> bytes | None:
        """What the safety of the answer depends on."""
        ...

    @property
    def has_body(self) -> bool:
        """Whether one follows, be it empty."""
        ...

    @property
    def length(self) -> int | None:
        """Of the body, if the fields state it."""
        ...


class Timing(NamedTuple):
    """Which request it was, and whose its seconds were: the gateway's, the resource server's, a queue's."""

    request_id: str
    gateway_seconds: float
    upstream_seconds: float
    queue_seconds: float | None = None


class OwnFields:
    """What every answer carries, whatever its Content-Type asks for, and who it is and how long it took.

    `guarding` is for every answer of the gateway; of its names those are left out that the answer's own
    safety decides.
    """

    def __init__(self, guarding: Iterable[tuple[bytes, bytes]]) -> None:
        decided = {name for name, _ in build_safety_headers(None)} | {b"cache-control"}
        self._guarding = [field for field in guarding if field[0] not in decided]
        self._blocks: dict[bytes | None, bytes] = {}

    def build_list(self, passed: PassedHead, timing: Timing) -> Headers:
        """Return all fields of an answer, for ASGI."""
        return [
            *passed.fields,
            *build_safety_headers(passed.content_type),
            *self._guarding,
            (b"x-request-id", timing.request_id.encode("ascii")),
            (
                b"server-timing",
                b"gateway;dur=%.2f, upstream;dur=%.2f%b"
                % (timing.gateway_seconds * 1000, timing.upstream_seconds * 1000, _queue(timing)),
            ),
        ]

    def build_block(self, passed: PassedHead, timing: Timing, *, length: int) -> bytes:
        """Return all fields of an answer whose body of `length` bytes is there, as lines that end in CRLF.

        None of them holds a line's end: names and values were searched for controls, or are our own.
        """
        block = self._blocks.get(passed.content_type)
        if block is None:
            block = self._remember(passed.content_type)
        lines = [b"%b: %b\r\n" % field for field in passed.fields]
        if passed.has_body and passed.length is None:
            lines.append(b"content-length: %d\r\n" % length)
        lines.append(
            b"%bx-request-id: %b\r\nserver-timing: gateway;dur=%.2f, upstream;dur=%.2f%b\r\n"
            % (
                block,
                timing.request_id.encode("ascii"),
                timing.gateway_seconds * 1000,
                timing.upstream_seconds * 1000,
                _queue(timing),
            )
        )
        return b"".join(lines)

    def _remember(self, content_type: bytes | None) -> bytes:
        fields = [*build_safety_headers(content_type), *self._guarding]
        block = b"".join([b"%b: %b\r\n" % field for field in fields])
        if len(self._blocks) < _REMEMBERED:
            self._blocks[content_type] = block
        return block


def _queue(timing: Timing) -> bytes:
    return b"" if timing.queue_seconds is None else b", queue;dur=%.2f" % (timing.queue_seconds * 1000)
