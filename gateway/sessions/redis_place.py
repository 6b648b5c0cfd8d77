"""Where a Redis is, as one URL says it (PURE)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

_KINDS: dict[str, tuple[Literal["single", "sentinel", "cluster"], bool]] = {
    "redis": ("single", False),
    "rediss": ("single", True),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}
_PORTS = {"single": 6379, "sentinel": 26379, "cluster": 6379}
_LONGEST_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisPlace:
    """What a URL says: the servers to ask first, and how."""

    kind: Literal["single", "sentinel", "cluster"]
    addresses: tuple[tuple[str, int], ...]
    service: str
    """The name by which sentinels know the master; empty without them."""
    db: int
    username: str | None
    password: str | None = field(repr=False)
    is_encrypted: bool
    ca_file: str | None
    """Certificates to believe instead of the system's."""


def parse_redis_url(url: str) -> RedisPlace:
    """Read a URL; ValueError, which says nothing of a password, if it is not one of these forms.

    redis://[[user]:password@]host[:port][/db], rediss:// with TLS,
    redis+sentinel://[...]host[:port],host[:port].../service[/db], redis+cluster://[...]host[:port],...;
    `?ca_file=` with any that uses TLS. Sentinels are asked without a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in _KINDS:
        raise ValueError(f"the scheme is none of {', '.join(_KINDS)}")
    kind, is_encrypted = _KINDS[parts.scheme]
    credentials, _, hosts = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    addresses = tuple(_parse_address(address, _PORTS[kind]) for address in hosts.split(","))
    if kind == "single" and len(addresses) > 1:
        raise ValueError("several hosts need redis+sentinel: or redis+cluster:")
    service, db = _parse_path(kind, parts.path)
    options = parse_qs(parts.query, keep_blank_values=True)
    if not set(options) <= {"ca_file"}:
        raise ValueError("the only option is ca_file")
    return RedisPlace(
        kind=kind,
        addresses=addresses,
        service=service,
        db=db,
        username=unquote(username) or None,
        password=unquote(password) or None,
        is_encrypted=is_encrypted,
        ca_file=options.get("ca_file", [None])[0],
    )


def _parse_address(address: str, usual_port: int) -> tuple[str, int]:
    host, separator, port = address.rpartition(":")
    if not separator or address.endswith("]"):
        host, port = address, str(usual_port)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) <= _LONGEST_PORT:
        raise ValueError("each host is a name or an address, with :port if it is not the usual one")
    return host, int(port)


def _parse_path(kind: str, path: str) -> tuple[str, int]:
    names = [unquote(name) for name in path.split("/")[1:] if name]
    service = names.pop(0) if kind == "sentinel" and names else ""
    if kind == "sentinel" and not service:
        raise ValueError("the path is the name of the service that the sentinels watch")
    db = names.pop(0) if names else "0"
    if names or not db.isascii() or not db.isdigit() or (kind == "cluster" and db != "0"):
        raise ValueError("the path is the number of a database; a cluster has none")
    return service, int(db)
