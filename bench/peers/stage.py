"""What every measured proxy stands on, and the check that it works before it is measured."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from bench.authorization_server import NODE_FOLDER
from bench.upstream import DOCUMENTS, build_document

if TYPE_CHECKING:
    from pathlib import Path

    from bench.load import Target
    from bench.process import Running
from bench.upstream import Upstream

_OK = 200
_UNAUTHORIZED = 401


class DoesNotWork(Exception):
    """A proxy does not do what it is to be measured at."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What the proxies share."""

    folder: Path
    upstream: Upstream
    issuer: str
    redis: str
    """The URL of a Redis that nobody else uses."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One measured proxy, running."""

    name: str
    version: str
    running: Running
    target: Target
    refuses: bool = True
    """Whether it refuses who has no session; bare nginx knows no sessions."""


def check(peer: Peer) -> None:
    """Check that a call of the signed-in browser brings the document, and one without the cookie does not.

    Raises DoesNotWork.
    """
    fields = dict(field.split(": ", 1) for field in peer.target.fields())
    for name, size in DOCUMENTS.items():
        answer = httpx.get(peer.target.url(name), headers=fields, trust_env=False)
        if answer.status_code != _OK or answer.content != build_document(size):
            raise DoesNotWork(f"{peer.name}: {answer.status_code} for {name}: {answer.text[:200]}")
    without = {name: value for name, value in fields.items() if name != "Cookie"}
    answer = httpx.get(peer.target.url("1k"), headers=without, trust_env=False)
    if peer.refuses and answer.status_code not in {302, 401, 403}:
        raise DoesNotWork(f"{peer.name}: {answer.status_code} for a call without a session")


def check_upstream(upstream: Upstream) -> None:
    """Check that the resource server wants a token, or nothing would show that a proxy sends one.

    Raises DoesNotWork.
    """
    for field in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer (null)"}):
        answer = httpx.get(f"{upstream.origin}/v1/1k", headers=field, trust_env=False)
        if answer.status_code != _UNAUTHORIZED:
            raise DoesNotWork(f"the resource server answers {answer.status_code} to {field}")


def locked_version(package: str) -> str:
    """Return the version of a package of Node's that the lock names."""
    locked = json.loads((NODE_FOLDER / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    return str(locked[f"node_modules/{package}"]["version"])


def first_line(*command: str | Path) -> str:
    """Return the first line that a command prints: its version, mostly."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed commands
    return (ended.stdout + ended.stderr).strip().splitlines()[0]
