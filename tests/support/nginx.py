"""A real nginx with a site of deploy/, before servers of this machine."""

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
    from collections.abc import Iterator, Mapping

_DEPLOY = Path(__file__).parents[2] / "deploy"
SITE = _DEPLOY / "nginx.conf"
FORWARD_AUTH_SITE = _DEPLOY / "nginx.forward-auth.conf"
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
    """Run deploy/nginx.conf on a port of 127.0.0.1 before two servers, each as host:port."""
    places = {f"server lexgate-{number}:8000 ": f"server {each} " for number, each in enumerate(upstreams, 1)}
    with running_site(SITE, port, places):
        yield


@contextmanager
def running_site(site_file: Path, port: int, places: Mapping[str, str]) -> Iterator[None]:
    """Run a site of deploy/ on a port of 127.0.0.1; `places` says what of it is other than in its network."""
    site = site_file.read_text(encoding="utf-8")
    for written, meant in {"listen 8080;": f"listen 127.0.0.1:{port};", **places}.items():
        assert written in site
        site = site.replace(written, meant)
    with serving_site(site, port):
        yield


@contextmanager
def serving_site(site: str, port: int) -> Iterator[None]:
    """Run a site that is written for a port of 127.0.0.1."""
    # Debian keeps it where only root's PATH looks.
    command = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert command, _MISSING
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
