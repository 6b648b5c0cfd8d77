"""The resource server: nginx with two static documents, which refuses calls without a bearer token.

A token of a few characters is none: a proxy that has lost it may send `Bearer (null)`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from bench.process import LOAD_CORE, free_port, start, stopping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENTS = {"1k": 1024, "100k": 102_400}
"""Their names under /v1/, and their sizes in bytes."""

_CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
pid {folder}/upstream.pid;
error_log {folder}/upstream-error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  default_type application/json;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  open_file_cache max=16 inactive=1h;
  client_body_temp_path {folder}/upstream-body;
  proxy_temp_path {folder}/upstream-proxy;
  map $http_authorization $refused {{ default 1; "~^Bearer [-._~+/=0-9A-Za-z]{{20,}}$" 0; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {folder}/documents;
    if ($refused) {{ return 401; }}
    location = /served {{ stub_status; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where it answers."""

    port: int

    _asked: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    token: str = "a-fixed-token-of-the-load-harness"  # noqa: S105 - any token of some length will do here

    @property
    def origin(self) -> str:
        """Return its origin."""
        return f"http://127.0.0.1:{self.port}"

    def served(self) -> int:
        """Return how many requests it has answered with a document or refused, this question not included."""
        fields = {"Authorization": f"Bearer {self.token}"}
        lines = httpx.get(f"{self.origin}/served", headers=fields, trust_env=False).text.splitlines()
        # The third line has connections accepted and handled, and requests.
        return int(lines[2].split()[2]) - next(self._asked)


def write_documents(folder: Path) -> None:
    """Write the documents: a page of a voucher list, padded to its size."""
    root = folder / "documents" / "v1"
    root.mkdir(parents=True)
    for name, size in DOCUMENTS.items():
        (root / name).write_bytes(build_document(size))


def build_document(size: int) -> bytes:
    """Build a JSON document of exactly so many bytes."""
    vouchers = [
        {
            "id": f"e9066f04-8cc7-4616-93f8-{number:012d}",
            "voucherType": "invoice",
            "voucherStatus": "open",
            "voucherNumber": f"RE{number:05d}",
            "contactName": "Müller & Söhne GmbH",
            "totalAmount": 1190.0 + number,
            "currency": "EUR",
        }
        for number in range(size // 256)
    ]
    document = {"content": vouchers, "padding": ""}
    document["padding"] = "x" * (size - len(json.dumps(document, ensure_ascii=False).encode()))
    return json.dumps(document, ensure_ascii=False).encode()


@contextlib.contextmanager
def running_upstream(folder: Path) -> Iterator[Upstream]:
    """Run it on the core of the load until the block ends."""
    port = free_port()
    write_documents(folder)
    path = folder / "upstream.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    path.write_text(_CONFIGURATION.format(folder=folder, port=port, user=user), encoding="utf-8")
    command = (nginx(), "-p", folder, "-e", folder / "upstream-error.log", "-c", path)
    with stopping(start("upstream", command, core=LOAD_CORE, folder=folder, port=port)):
        yield Upstream(port)


def nginx() -> str:
    """Return nginx's path, which an ordinary user's PATH may lack."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError("nginx is missing: `make bench` installs it, or apt-get install nginx-light")
    return found
