"""A real nginx with the site of deploy/nginx.conf, before two servers of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator

SITE = Path(__file__).parents[2] / "deploy" / "nginx.conf"
_MISSING = "needs nginx: apt-get install nginx (Debian, Ubuntu)"
_MAIN = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@contextmanager
def running_nginx(port: int, *upstreams: str) -> Iterator[None]:
    """Run it on a port of 127.0.0.1 before two servers, each as host:port."""
    # Debian keeps it where only root's PATH looks.
    command = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert command, _MISSING
    site = SITE.read_text(encoding="utf-8").replace("listen 8080;", f"listen 127.0.0.1:{port};")
    for number, upstream in enumerate(upstreams, 1):
        assert f"server lexgate-{number}:8000 " in site
        site = site.replace(f"server lexgate-{number}:8000 ", f"server {upstream} ")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "site.conf").write_text(site, encoding="utf-8")
        main = _MAIN.format(folder=folder)
        (Path(folder) / "nginx.conf").write_text(main, encoding="utf-8")
        process = subprocess.Popen([command, "-p", folder, "-c", f"{folder}/nginx.conf", "-e", "stderr"])
        try:
            until(lambda: process.poll() is not None or _listens(port))
            assert process.poll() is None, "nginx refused its configuration"
            yield
        finally:
            process.terminate()
            process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True
