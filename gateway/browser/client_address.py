"""The address of the client, as far as the proxies in front are trusted to tell it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

_COARSE = {4: 24, 6: 48}
"""Bits that are kept of an address, by its version."""

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def read_client_address(
    peer: str, forwarded_for: Sequence[str], trusted: Iterable[IPv4Network | IPv6Network]
) -> str:
    """Return the nearest address that no trusted proxy has vouched for.

    `peer` is the address of the connection, `forwarded_for` the X-Forwarded-For fields in their order. The
    list is read from its end, where the trusted proxies wrote: what a client put before it is not believed.
    Addresses come in canonical form, IPv4 inside IPv6 as IPv4; a `peer` that is none comes back unchanged.
    """
    networks = tuple(trusted)
    hops = [hop.strip(" \t") for field in forwarded_for for hop in field.split(",")]
    address = _parse_address(peer)
    if address is None:
        return peer
    while hops and any(address in network for network in networks):
        hop = _parse_address(hops.pop())
        if hop is None:
            break
        address = hop
    return str(address)


def is_within(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Say whether an address lies in one of the networks; what is no address lies in none."""
    parsed = _parse_address(address)
    return parsed is not None and any(parsed in network for network in networks)


def coarsen_address(address: str) -> str | None:
    """Return the network that an address is in, /24 or /48: it tells a place, and no single household."""
    parsed = _parse_address(address)
    if parsed is None:
        return None
    return str(ip_network((parsed, _COARSE[parsed.version]), strict=False))


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    # After a "%" ipaddress takes any text for a zone: it would go into logs as an address.
    if "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # RFC 4291 §2.5.5.2: a dual-stack socket shows IPv4 peers in this form, which no IPv4 network contains.
    return getattr(address, "ipv4_mapped", None) or address
