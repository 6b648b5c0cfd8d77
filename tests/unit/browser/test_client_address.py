"""X-Forwarded-For is believed as far as trusted proxies wrote it."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.browser.client_address import coarsen_address, is_within, read_client_address

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8"), ip_network("127.0.0.1/32")]


@pytest.mark.parametrize("forwarded_for", [[], [""], ["1.2.3.4"], ["127.0.0.1"], ["10.0.0.1, 10.0.0.2"]])
@pytest.mark.parametrize("peer", ["198.51.100.7", "10.0.0.1", "127.0.0.1", "2001:db8::7", "::1"])
def test_without_trusted_proxies_the_peer_is_the_client(peer: str, forwarded_for: list[str]) -> None:
    assert read_client_address(peer, forwarded_for, []) == peer


@pytest.mark.parametrize(
    "forwarded_for", [["1.2.3.4"], ["10.0.0.2"], ["127.0.0.1"], ["::1", "fd00::1"], ["unknown"]]
)
@pytest.mark.parametrize("peer", ["198.51.100.7", "11.0.0.1", "127.0.0.2", "2001:db8::7"])
def test_a_client_that_is_no_trusted_proxy_is_not_believed(peer: str, forwarded_for: list[str]) -> None:
    assert read_client_address(peer, forwarded_for, PROXIES) == peer


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        ([], "10.0.0.1"),
        (["198.51.100.7"], "198.51.100.7"),
        (["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
        (["10.0.0.9, 198.51.100.7"], "198.51.100.7"),
        (["127.0.0.1, 198.51.100.7"], "198.51.100.7"),
        (["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
        (["198.51.100.7", "10.0.0.2"], "198.51.100.7"),
        (["198.51.100.7, 10.0.0.2, 10.0.0.3"], "198.51.100.7"),
        (["1.1.1.1, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        (["10.0.0.4, 10.0.0.3, 10.0.0.2"], "10.0.0.4"),
        (["198.51.100.7 ,\t10.0.0.2 "], "198.51.100.7"),
        (["2001:DB8::7"], "2001:db8::7"),
        (["2001:db8:0:0:0:0:0:7, fd00::2"], "2001:db8::7"),
        (["::ffff:198.51.100.7"], "198.51.100.7"),
        (["198.51.100.7, ::ffff:10.0.0.2"], "198.51.100.7"),
        (["1.1.1.1, ::ffff:198.51.100.7"], "198.51.100.7"),
        (["0:0:0:0:0:ffff:0a00:0002"], "10.0.0.2"),
    ],
)
def test_the_nearest_address_that_no_proxy_vouches_for_is_the_client(
    forwarded_for: list[str], client: str
) -> None:
    assert read_client_address("10.0.0.1", forwarded_for, PROXIES) == client


@pytest.mark.parametrize(
    "hop",
    [
        *("", "unknown", "_hidden", "localhost", "198.51.100.7:443", "[2001:db8::7]", "[2001:db8::7]:443"),
        *("198.51.100", "198.51.100.256", "010.0.0.1", "0x7f.1", "2130706433", "198.51.100.7/32", "::1::"),
        *(
            "fe80::1%eth0",
            "::1%\r\nlevel=error",
            '::1%"><script>',
            "\u0661.1.1.1",
            "1.1.1.1\x00",
            "1.1.1.1;a",
        ),
        *("<script>", "9" * 100_000, ":" * 100_000, "for=198.51.100.7", "1.1.1.1\n", "\xa01.1.1.1"),
    ],
)
def test_what_is_no_address_ends_the_search_at_the_proxy_that_wrote_it(hop: str) -> None:
    assert read_client_address("10.0.0.1", [f"1.1.1.1,{hop}, 10.0.0.2"], PROXIES) == "10.0.0.2"


def test_an_ipv4_proxy_is_known_on_a_dual_stack_socket() -> None:
    """RFC 4291 §2.5.5.2: such a socket shows it inside an IPv6 address."""
    assert read_client_address("::ffff:10.0.0.1", ["198.51.100.7"], PROXIES) == "198.51.100.7"
    assert read_client_address("::ffff:198.51.100.7", ["10.0.0.1"], PROXIES) == "198.51.100.7"


@pytest.mark.parametrize("peer", ["", "/run/lexgate.sock", "testclient", "fe80::1%eth0"])
def test_a_peer_without_an_address_is_trusted_with_nothing(peer: str) -> None:
    assert read_client_address(peer, ["198.51.100.7"], [ip_network("0.0.0.0/0"), ip_network("::/0")]) == peer


def test_networks_may_come_from_an_iterator() -> None:
    assert read_client_address("10.0.0.1", ["198.51.100.7, 10.0.0.2"], iter(PROXIES)) == "198.51.100.7"


@given(st.lists(st.text(max_size=30), max_size=4))
def test_any_field_gives_an_address(forwarded_for: list[str]) -> None:
    client = read_client_address("10.0.0.1", forwarded_for, PROXIES)
    assert set(client) <= set("0123456789abcdef.:")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.0/24"),
        ("198.51.100.0", "198.51.100.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:198.51.100.7", "198.51.100.0/24"),
        ("", None),
        ("/run/lexgate.sock", None),
        ("fe80::1%eth0", None),
    ],
)
def test_a_coarse_address_tells_the_network_and_no_more(address: str, network: str | None) -> None:
    assert coarsen_address(address) == network


@pytest.mark.parametrize(
    ("address", "is_inside"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::1", True),
        ("11.1.2.3", False),
        ("2001:db9::1", False),
        ("::10.1.2.3", False),
        ("10.1.2.3%eth0", False),
        ("fe80::1%10.1.2.3", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_an_address_lies_in_a_network_or_not(address: str, is_inside: bool) -> None:  # noqa: FBT001 - a table
    networks = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]
    assert is_within(address, networks) is is_inside
    assert is_within(address, []) is False
