"""Bare nginx: proxy_pass with a fixed token, no session, no check; the limit of what can be had."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from bench.load import Target
from bench.peers.stage import Peer, Stage, first_line
from bench.process import PROXY_CORE, start, stopping
from bench.targets import NGINX_LARGE
from bench.upstream import nginx

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/nginx-body;
  proxy_temp_path {folder}/nginx-proxy;
  upstream resource_server {{
    server 127.0.0.1:{upstream};
    keepalive 64;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location /api/ {{
      proxy_pass http://resource_server/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer {token}";
      {buffers}
    }}
  }}
}}
"""

_LARGE_BUFFERS = "proxy_buffers 8 32k; proxy_buffer_size 32k; proxy_busy_buffers_size 128k;"
"""Those of the default hold a third of the large document, which then takes turns in leaving and coming."""


@contextlib.contextmanager
def running_nginx(stage: Stage, port: int, name: str) -> Iterator[Peer]:
    """Run it as the name says until the block ends."""
    folder = stage.folder / f"nginx-{port}"
    folder.mkdir()
    path = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    text = _CONFIGURATION.format(
        folder=folder,
        port=port,
        upstream=stage.upstream.port,
        token=stage.upstream.token,
        user=user,
        buffers=_LARGE_BUFFERS if name == NGINX_LARGE else "",
    )
    path.write_text(text, encoding="utf-8")
    command = (nginx(), "-p", folder, "-e", folder / "nginx-error.log", "-c", path)
    with stopping(start("nginx", command, core=PROXY_CORE, folder=folder, port=port)) as running:
        version = first_line(nginx(), "-v").rpartition("/")[2]
        yield Peer(name, version, running, Target(port), refuses=False)
