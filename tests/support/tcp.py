"""What the kernel knows of the TCP sockets of this machine, by sock_diag (Linux)."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ESTABLISHED, CLOSE_WAIT = 1, 8
_SOCK_DIAG_BY_FAMILY, _ERROR, _DONE = 20, 2, 3
_REQUEST, _DUMP = 0x1, 0x300
_HEADER = struct.Struct("=IHHII")
_QUERY = struct.Struct("=BBBBI")
_ANSWER = struct.Struct("=BBBB")
_ID = struct.Struct("!HH4s12x4s12x")
_ID_REST = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class TcpSocket:
    """One socket; `unread`, the bytes that came and that its program has not taken, `unsent`, those to go."""

    state: int
    local_port: int
    remote_port: int
    unread: int
    unsent: int


def unread_of(local: Address, remote: Address) -> int:
    """Return the bytes that wait at the socket of `local` connected to `remote`; 0 if there is none."""
    identity = _ID.pack(local[1], remote[1], socket.inet_aton(local[0]), socket.inet_aton(remote[0]))
    for found in _ask(identity, _REQUEST, states=0xFFFFFFFF):
        return found.unread
    return 0


def open_sockets(port: int) -> list[TcpSocket]:
    """Return what is established, or waits for its program to close, with `port` at either end."""
    states = 1 << ESTABLISHED | 1 << CLOSE_WAIT
    found = _ask(_ID.pack(0, 0, bytes(4), bytes(4)), _REQUEST | _DUMP, states=states)
    return [each for each in found if port in {each.local_port, each.remote_port}]


def _ask(identity: bytes, flags: int, *, states: int) -> Iterator[TcpSocket]:
    query = _QUERY.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, states) + identity + _ID_REST
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as asked:
        asked.send(_HEADER.pack(_HEADER.size + len(query), _SOCK_DIAG_BY_FAMILY, flags, 1, 0) + query)
        while True:
            data = asked.recv(1 << 20)
            while data:
                length, kind = _HEADER.unpack_from(data)[:2]
                if kind in {_ERROR, _DONE}:
                    return
                yield _parse(data[_HEADER.size : length])
                data = data[(length + 3) & ~3 :]
            if not flags & _DUMP:
                return


def _parse(answer: bytes) -> TcpSocket:
    _, state, _, _ = _ANSWER.unpack_from(answer)
    local_port, remote_port = struct.unpack_from("!HH", answer, 4)
    unread, unsent = struct.unpack_from("=II", answer, 4 + 48 + 4)
    return TcpSocket(state, local_port, remote_port, unread, unsent)
