"""Whether `--dev` may put a dev server behind this gateway: one near by, before a browser on this machine."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.errors import ConfigurationError
from gateway.settings.values import LOOPBACK_HOSTS

if TYPE_CHECKING:
    from gateway.settings.table import Settings

_URL = re.compile(r"http://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([1-9]\d{0,4}))?/?", re.ASCII)
_LAST_PORT = 65_535
_HTTP_PORT = 80
# RFC 6761 §6.3 keeps the first for this machine; ICANN the second for private networks, as containers do.
_NEAR = (".localhost", ".internal")
_EXAMPLE = "write e.g. --dev http://localhost:5173"


def choose_dev_server(url: str, settings: Settings) -> str:
    """Return the origin of the dev server; raises ConfigurationError with every problem at once.

    It is a flag and no setting, so that no file and no variable can bring it to where people work; and it
    needs an app on localhost, which no other machine's browser takes for its own.
    """
    problems: list[str] = []
    found = _URL.fullmatch(url.strip().lower())
    origin = ""
    if found is None or int(found[2] or _HTTP_PORT) > _LAST_PORT:
        problems.append(f"--dev: must be http://, a host and perhaps a port, without a path; {_EXAMPLE}")
    else:
        origin = f"http://{found[1]}" + (f":{found[2]}" if found[2] and int(found[2]) != _HTTP_PORT else "")
        if not _is_near(found[1]):
            problems.append(
                "--dev: must be on this machine or in a private network, for its scripts act for whoever is"
                f" signed in, and come unprotected; {_EXAMPLE}"
            )
        if origin == settings.public_url:
            problems.append(f"--dev: is the gateway's own address; {_EXAMPLE}")
    if urlsplit(settings.public_url).hostname not in LOOPBACK_HOSTS:
        problems.append(
            "--dev: is for development, so LEXGATE_PUBLIC_URL must be on localhost;"
            " write e.g. http://localhost:8000, or leave --dev out"
        )
    if settings.workers > 1:
        problems.append("--dev: is for one worker; leave --workers and LEXGATE_WORKERS out")
    if problems:
        raise ConfigurationError(problems)
    return origin


def _is_near(host: str) -> bool:
    """Say whether it is loopback, private, or a name that only this machine or its network can know."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return "." not in host or host.endswith(_NEAR)
    # Link-local addresses are where clouds keep a machine's credentials.
    return address.is_loopback or (
        address.is_private and not (address.is_link_local or address.is_unspecified)
    )
