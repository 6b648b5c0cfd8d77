"""Whether the head of a request is a WebSocket handshake that can be answered in one way only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.errors import RequestHeadTooLarge, RequestInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LINE_BYTES = 8192
"""What the server's library takes of one line, its end included; it would fall silent at a longer one."""

_KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PROTOCOLS = re.compile(_TOKEN + rb"(?:[ \t]*,[ \t]*" + _TOKEN + rb")*")


def validate_handshake(
    *, method: bytes, http_version: str, target: bytes, headers: Iterable[tuple[bytes, bytes]]
) -> None:
    """Raise RequestInvalid or RequestHeadTooLarge for what is none; names are in lower case."""
    # RFC 6455 §4.2.1: GET by HTTP/1.1, one key of 16 bytes, version 13, subprotocols that are tokens.
    if method != b"GET" or http_version != "1.1":
        raise RequestInvalid("A WebSocket is opened by GET and HTTP/1.1.")
    keys: list[bytes] = []
    versions: list[bytes] = []
    if len(b"GET  HTTP/1.1\r\n") + len(target) > MAX_LINE_BYTES:
        raise RequestHeadTooLarge
    for name, value in headers:
        if len(name) + len(value) + len(b": \r\n") > MAX_LINE_BYTES:
            raise RequestHeadTooLarge
        if name == b"sec-websocket-key":
            keys.append(value)
        elif name == b"sec-websocket-version":
            versions.append(value)
        elif name == b"sec-websocket-protocol" and not _PROTOCOLS.fullmatch(value):
            raise RequestInvalid("sec-websocket-protocol is no list of names.")
    if len(keys) != 1 or not _KEY.fullmatch(keys[0]) or versions != [b"13"]:
        raise RequestInvalid("sec-websocket-key or sec-websocket-version is missing or malformed.")
