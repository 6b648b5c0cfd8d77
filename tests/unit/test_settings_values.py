"""What an operator may write for a single value."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from gateway.settings import Address
from gateway.settings.values import (
    parse_address,
    parse_base_url,
    parse_credential,
    parse_networks,
    parse_origin,
    parse_rate,
    parse_scope,
    parse_seconds,
    parse_secrets,
    parse_store,
    parse_url,
    parse_workers,
)


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("https://app.example.com/", "https://app.example.com"),
        (" HTTPS://APP.example.com:443 ", "https://app.example.com"),
        ("https://app.example.com:8443", "https://app.example.com:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://LOCALHOST:80", "http://localhost"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://xn--mller-kva.example", "https://xn--mller-kva.example"),
    ],
)
def test_origin_is_written_as_browsers_do(written: str, origin: str) -> None:
    """RFC 6454 §6.2: lower case, without the scheme's own port."""
    assert parse_origin(written) == origin


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "app.example.com",
        "//app.example.com",
        "ftp://app.example.com",
        "https://",
        "https:///x",
        "https:app.example.com",
        "http://app.example.com",
        "http://localhost.example.com",
        "http://127.0.0.2",
        "http://0.0.0.0:8000",
        "https://user@app.example.com",
        "https://user:pw@app.example.com",
        "https://app.example.com/path",
        "https://app.example.com?x=1",
        "https://app.example.com#x",
        "https://app.example.com\\x",
        "https://app.exa mple.com",
        "https://müller.example",
        "https://app.example.com:0",
        "https://app.example.com:65536",
        "https://app.example.com:x",
        "https://[::1",
        "https://a.example.com,https://b.example.com",
        "https://a.example.com,b.example.com",
        "https://-.example.com:",
        "https://*.example.com",
        "https://%61pp.example.com",
        5,
        None,
        ["https://app.example.com"],
    ],
)
def test_anything_else_is_no_origin(written: object) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_origin(written)


def test_base_url_keeps_its_path_without_a_trailing_slash() -> None:
    assert parse_base_url("https://API.example.com:443/Base/v2//") == "https://api.example.com/Base/v2"
    assert parse_base_url("https://api.example.com/") == "https://api.example.com"


def test_url_stays_as_it_is_written() -> None:
    assert parse_url("https://login.Example.com/tenant/") == "https://login.Example.com/tenant/"
    with pytest.raises(ValueError, match="must begin with https://"):
        parse_url("http://login.example.com")


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("127.0.0.1:8000", Address("127.0.0.1", 8000)),
        ("0.0.0.0:0", Address("0.0.0.0", 0)),
        ("localhost:65535", Address("localhost", 65535)),
        ("[::1]:8000", Address("::1", 8000)),
        ("[::]:8000", Address("::", 8000)),
        ("my-host.example:1", Address("my-host.example", 1)),
    ],
)
def test_address_is_host_and_port(written: str, address: Address) -> None:
    assert parse_address(written) == address
    assert str(address) == written


@pytest.mark.parametrize(
    "written",
    ["", "8000", ":8000", "localhost", "localhost:", "localhost:http", "localhost:65536", "localhost:-1",
     "localhost:٨", "::1:8000", "[::1]", "[localhost]:8000", "[::1:8000", "a b:8000", "http://localhost:8000",
     "-a:1", 8000, None],
)  # fmt: skip
def test_anything_else_is_no_address(written: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_address(written)


@pytest.mark.parametrize(
    ("written", "seconds"), [("1", 1), (" 1800 ", 1800), (36000, 36000), (999999999, 999999999)]
)
def test_seconds_are_whole_and_above_zero(written: object, seconds: int) -> None:
    assert parse_seconds(written) == seconds


@pytest.mark.parametrize(("written", "count"), [("1", 1), (99, 99), (" 12 ", 12)])
def test_a_count_is_a_small_whole_number(written: object, count: int) -> None:
    assert parse_workers(written) == count


@pytest.mark.parametrize("written", ["", "0", "-1", "1.5", "100", "two", "\u0661", True, None])
def test_anything_else_is_no_count(written: object) -> None:
    with pytest.raises(ValueError, match="whole number from 1 to 99"):
        parse_workers(written)


@pytest.mark.parametrize(
    "written", ["", "0", 0, "-1", -1, "1.5", 1.5, "1h", "01", "1e3", "1_000", "²", True, None, [1], "9" * 10]
)
def test_anything_else_is_no_seconds(written: object) -> None:
    with pytest.raises(ValueError, match="seconds above 0"):
        parse_seconds(written)


@pytest.mark.parametrize(
    ("written", "networks"),
    [
        ("", ()),
        ("10.0.0.0/8", ("10.0.0.0/8",)),
        ("192.168.1.4, ::1,", ("192.168.1.4/32", "::1/128")),
        (["10.0.0.0/8", "fd00::/8"], ("10.0.0.0/8", "fd00::/8")),
    ],
)
def test_networks_are_addresses_and_cidr(written: object, networks: tuple[str, ...]) -> None:
    assert parse_networks(written) == tuple(ip_network(network) for network in networks)


@pytest.mark.parametrize("written", ["10.0.0.1/8", "*", "localhost", "10.0.0.0/33", 10, None])
def test_anything_else_is_no_network(written: object) -> None:
    with pytest.raises(ValueError, match="IP addresses or networks"):
        parse_networks(written)


def test_secrets_come_as_text_lines_or_list_newest_first() -> None:
    new, old = "n" * 32, "o" * 40
    for written in (f"{new},{old}", f" {new} , {old} ,", f"{new}\n{old}", [new, old]):
        assert [secret.get_secret_value() for secret in parse_secrets(written)] == [new, old]


def test_secret_is_measured_in_bytes() -> None:
    assert len(parse_secrets("ü" * 16)) == 1


@pytest.mark.parametrize(
    ("written", "match"),
    [("", "at least 32 bytes each"), (",", "at least"), ("x" * 31, "number 1 of 1"), ([], "at least"),
     (f"{'x' * 32},short,{'y' * 32},brief", "number 2, 4 of 4"), (5, "list or a comma-separated text")],
)  # fmt: skip
def test_short_or_missing_secret_is_told_by_its_place_alone(written: object, match: str) -> None:
    with pytest.raises(ValueError, match=match) as refusal:
        parse_secrets(written)
    assert "short" not in str(refusal.value)


@pytest.mark.parametrize("written", ["", "é", "a\nb", "a\x7f", "\x00", 5, None])
def test_credential_is_visible_ascii(written: object) -> None:
    """RFC 6749 appendix A.1 and A.2."""
    assert parse_credential(" a ~!b ") == "a ~!b"
    with pytest.raises(ValueError, match="must"):
        parse_credential(written)


@pytest.mark.parametrize("written", ["", 'a"b', "a\\b", "é", 5])
def test_scope_is_scope_tokens(written: object) -> None:
    """RFC 6749 appendix A.4."""
    assert parse_scope(" openid \t profile ") == "openid profile"
    with pytest.raises(ValueError, match="must"):
        parse_scope(written)


@pytest.mark.parametrize(
    "written", ["memory://", "sqlite:///a", "sqlite:///var/lib/a b.db", "sqlite:////var/a.db"]
)
def test_store_is_memory_or_an_absolute_path(written: str) -> None:
    assert parse_store(written) == written


@pytest.mark.parametrize(
    "written",
    ["", "memory", "memory:///x", "sqlite://", "sqlite:///", "sqlite:////", "sqlite://a/b", "sqlite:a.db",
     "sqlite:///a?mode=ro", "sqlite:///a#b", "redis://", "redis://a,b", "redis+file://a", "/var/lib/a.db", 5],
)  # fmt: skip
def test_anything_else_is_no_store(written: object) -> None:
    with pytest.raises(ValueError, match=r"must|is no Redis"):
        parse_store(written)


@pytest.mark.parametrize(
    ("text", "rate"), [("2", 2.0), (" 0.5 ", 0.5), (2, 2.0), (7.25, 7.25), ("0", None), (0, None)]
)
def test_a_rate_is_a_number_of_calls_a_second(text: object, rate: float | None) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("value", ["-1", "0.001", "1e3", "fast", "", True, "2/s", "123456", "\u0662"])
def test_what_is_no_rate_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must be a number of calls a second"):
        parse_rate(value)
