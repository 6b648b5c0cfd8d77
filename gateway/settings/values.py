"""Single values of settings, from what an operator writes to what the gateway uses.

Every function takes what the environment (text) or lexgate.toml (any TOML type) holds, and raises ValueError
with the rest of a sentence that begins with the setting's name. No sentence repeats the value: it may be a
secret in the wrong place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from gateway.sessions.redis_place import parse_redis_url

Network = IPv4Network | IPv6Network

SECRET_BYTES = 32
SLOWEST_RATE = 0.01
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_PREFIX = re.compile(r"/api(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
# RFC 6749 appendix A.1, A.2 (VSCHAR) and A.4 (NQCHAR).
_VISIBLE = re.compile(r"[\x20-\x7e]+")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener binds: a host name or IP address (IPv6 without brackets) and a port, 0 for any."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_url(value: object) -> str:
    """Validate an absolute https URL, or http to a loopback host, and return it as it is."""
    text = _parse_text(value)
    _split(text)
    return text


def parse_base_url(value: object) -> str:
    """Validate a URL and return it with its origin in canonical form and without a trailing slash."""
    parts = _split(_parse_text(value))
    return f"{_build_origin(parts)}{parts.path.rstrip('/')}"


def parse_origin(value: object) -> str:
    """Validate a URL without a path and return it as browsers write it in `Origin` (RFC 6454 §6.2)."""
    parts = _split(_parse_text(value))
    if parts.path not in {"", "/"}:
        raise ValueError("must be an origin, without a path")
    return _build_origin(parts)


def parse_origins(value: object) -> tuple[str, ...]:
    """Parse origins, each as `parse_origin` does."""
    return tuple(parse_origin(item) for item in _parse_items(value))


def parse_address(value: object) -> Address:
    """Parse "host:port", with an IPv6 address in brackets."""
    host, _, port = _parse_text(value).rpartition(":")
    if not re.fullmatch(r"\d{1,5}", port, re.ASCII) or int(port) > 65535:  # noqa: PLR2004 - the last port
        raise ValueError("must end in a colon and a port from 0 to 65535")
    if host.startswith("[") and host.endswith("]"):
        return Address(str(IPv6Address(host[1:-1])), int(port))
    if not _HOST.fullmatch(host):
        raise ValueError("must name a host before the port")
    return Address(host, int(port))


def parse_seconds(value: object) -> int:
    """Parse a whole number of seconds above 0."""
    if not isinstance(value, bool) and re.fullmatch(r"[1-9]\d{0,8}", str(value).strip(), re.ASCII):
        return int(str(value))
    raise ValueError("must be a whole number of seconds above 0")


def parse_bytes(value: object) -> int:
    """Parse a whole number of bytes."""
    if not isinstance(value, bool) and re.fullmatch(r"\d{1,15}", str(value).strip(), re.ASCII):
        return int(str(value))
    raise ValueError("must be a whole number of bytes")


def parse_count(value: object) -> int:
    """Parse a whole number above 0."""
    if not isinstance(value, bool) and re.fullmatch(r"[1-9]\d{0,6}", str(value).strip(), re.ASCII):
        return int(str(value))
    raise ValueError("must be a whole number above 0")


def parse_rate(value: object) -> float | None:
    """Parse a number of calls a second, as text or as a number; 0 stands for no limit."""
    if not isinstance(value, bool) and re.fullmatch(
        r"\d{1,5}(?:\.\d{1,4})?", text := str(value).strip(), re.ASCII
    ):
        rate = float(text)
        if rate == 0 or rate >= SLOWEST_RATE:
            return rate or None
    raise ValueError(f"must be a number of calls a second, {SLOWEST_RATE} at the least, or 0 for no limit")


def parse_workers(value: object) -> int:
    """Parse a whole number from 1 to 99."""
    if not isinstance(value, bool) and re.fullmatch(r"[1-9]\d?", str(value).strip(), re.ASCII):
        return int(str(value))
    raise ValueError("must be a whole number from 1 to 99")


def parse_prefix(value: object) -> str:
    """Parse a path that is /api or below it, in characters that need no percent-encoding."""
    text = _parse_text(value).rstrip("/")
    if not _PREFIX.fullmatch(text):
        raise ValueError("must be /api or a plain path below it, such as /api/files")
    return text


def parse_methods(value: object) -> frozenset[str]:
    """Parse HTTP methods."""
    methods = frozenset(_parse_items(value))
    if not methods or not all(re.fullmatch(r"[A-Z]{1,20}", method) for method in methods):
        raise ValueError("must be HTTP methods in capital letters")
    return methods


def parse_networks(value: object) -> tuple[Network, ...]:
    """Parse IP addresses and networks in CIDR notation."""
    try:
        return tuple(ip_network(item) for item in _parse_items(value))
    except ValueError:
        raise ValueError("must be IP addresses or networks without host bits, comma-separated") from None


def parse_secrets(value: object) -> tuple[SecretStr, ...]:
    """Parse signing and sealing secrets, newest first."""
    secrets = _parse_items(value)
    short = [position for position, secret in enumerate(secrets, 1) if len(secret.encode()) < SECRET_BYTES]
    if short or not secrets:
        place = f" (not so: number {', '.join(map(str, short))} of {len(secrets)})" if short else ""
        raise ValueError(f"must be secrets of at least {SECRET_BYTES} bytes each, comma-separated{place}")
    return tuple(SecretStr(secret) for secret in secrets)


def parse_credential(value: object) -> str:
    """Parse a client identifier or secret: visible ASCII, as RFC 6749 appendix A.1 and A.2 have it."""
    text = _parse_text(value)
    if not _VISIBLE.fullmatch(text):
        raise ValueError("must consist of visible ASCII characters")
    return text


def parse_scope(value: object) -> str:
    """Parse space-separated scope tokens; several blanks count as one."""
    text = " ".join(_parse_text(value).split())
    if not _SCOPE.fullmatch(text):
        raise ValueError("must be scope tokens separated by spaces")
    return text


def parse_store(value: object) -> str:
    """Validate a store's URL: "memory://", "sqlite:///" with an absolute path, or a Redis URL."""
    text = _parse_text(value)
    if re.match(r"rediss?(?:\+[a-z]+)?:", text):
        try:
            parse_redis_url(text)
        except ValueError as exc:
            raise ValueError(f"is no Redis URL: {exc}") from None
        return text
    if text != "memory://" and not re.fullmatch(r"sqlite:///+[^/?#\x00][^?#\x00]*", text):
        raise ValueError("must be memory://, sqlite:/// with an absolute path, or a redis:// URL")
    return text


def _parse_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text")
    return value.strip()


def _parse_items(value: object) -> list[str]:
    if isinstance(value, str):
        value = re.split(r"[,\n]", value)
    if not isinstance(value, list):
        raise ValueError("must be a list or a comma-separated text")  # noqa: TRY004 - pydantic collects ValueError
    stripped = [str(item).strip() for item in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return [item for item in stripped if item]


def _split(text: str) -> SplitResult:
    # What is read in two ways is not a setting: browsers and Python disagree on backslashes, blanks and "@".
    if re.search(r"[^\x21-\x7e]|[\\?#@]", text):
        raise ValueError("must hold no blank, user name, query, fragment, backslash or non-ASCII character")
    try:
        parts = urlsplit(text)
        port_is_valid = parts.port != 0
    except ValueError:
        port_is_valid, parts = False, SplitResult("", "", "", "", "")
    host = parts.hostname or ""
    is_host = ":" in host or _HOST.fullmatch(host)
    if parts.scheme not in _DEFAULT_PORTS or not is_host or not port_is_valid:
        raise ValueError("must begin with https:// and a host")
    if parts.scheme == "http" and host not in LOOPBACK_HOSTS:
        raise ValueError("must begin with https:// (http is for localhost, 127.0.0.1 and [::1] alone)")
    return parts


def _build_origin(parts: SplitResult) -> str:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
