"""The address of the client, as far as the proxies in front are trusted to tell it."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def read_client_address(
    peer: str, forwarded_for: Sequence[str], trusted: Iterable[IPv4Network | IPv6Network]
) -> str:
    """Return the nearest address that no trusted proxy has vouched for.

    `peer` is the address of the connection, `forwarded_for` the X-Forwarded-For fields in their order. The
    list is read from its end, where the trusted proxies wrote: what a client put before it is not believed.
    """
    networks = tuple(trusted)
    nearest = peer
    hops = [hop.strip() for field in forwarded_for for hop in field.split(",")]
    while hops and _is_trusted(nearest, networks):
        hop = hops.pop()
        if not _is_address(hop):
            break
        nearest = hop
    return nearest


def _is_trusted(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    if not networks or not _is_address(address):
        return False
    parsed = ip_address(address)
    return any(parsed in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
