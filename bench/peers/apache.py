"""Apache httpd with mod_auth_openidc: sessions in shared memory."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from bench.authorization_server import CALLBACK, CLIENT_ID, CLIENT_SECRET
from bench.load import Target
from bench.peers.stage import Peer, Stage, first_line, sign_in_at
from bench.process import PROXY_CORE, start, stopping
from bench.targets import APACHE

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODULES = (
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "headers",
    "proxy",
    "proxy_http",
    "auth_openidc",
)
_CONFIGURATION = """
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
ErrorLog {folder}/apache-error.log
LogLevel warn
{user}
{modules}
StartServers 1
ServerLimit 1
ThreadLimit 64
ThreadsPerChild 64
MaxRequestWorkers 64
MinSpareThreads 1
MaxSpareThreads 64
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 75

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCProviderTokenEndpointAuth client_secret_basic
OIDCRedirectURI http://localhost:{port}{callback}
OIDCCryptoPassphrase a-passphrase-of-the-load-harness
OIDCScope openid
OIDCPKCEMethod S256
OIDCSessionType server-cache
OIDCSessionInactivityTimeout 3600
OIDCCacheType shm
OIDCPassClaimsAs environment
OIDCStripCookies mod_auth_openidc_session

<Location />
  AuthType openid-connect
  Require valid-user
</Location>
RequestHeader set Authorization "Bearer %{{OIDC_access_token}}e"
ProxyPass /api/ {upstream}/
"""

_LOGIN = "/api/v1/1k"


@contextlib.contextmanager
def running_apache(stage: Stage, port: int) -> Iterator[Peer]:
    """Run it until the block ends, with a person signed in."""
    command = shutil.which("apache2", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if command is None:
        raise RuntimeError("apache2 is missing: `make bench` installs it and libapache2-mod-auth-openidc")
    path = stage.folder / "apache.conf"
    path.write_text(_build_configuration(stage, port), encoding="utf-8")
    with stopping(
        start(
            "apache",
            [command, "-D", "FOREGROUND", "-f", path],
            core=PROXY_CORE,
            folder=stage.folder,
            port=port,
        )
    ) as running:
        yield Peer(APACHE, _version(command), running, sign_in_at(Target(port), _LOGIN), _LOGIN)


def _version(command: str) -> str:
    module = first_line("dpkg-query", "--show", "--showformat=${Version}", "libapache2-mod-auth-openidc")
    return f"{first_line(command, '-v').split('/')[1].split()[0]}, mod_auth_openidc {module}"


def _build_configuration(stage: Stage, port: int) -> str:
    folder = "/usr/lib/apache2/modules"
    return _CONFIGURATION.format(
        folder=stage.folder,
        port=port,
        # It refuses to serve as root.
        user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
        modules="\n".join(f"LoadModule {name}_module {folder}/mod_{name}.so" for name in _MODULES),
        issuer=stage.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        callback=CALLBACK,
        upstream=stage.upstream.origin,
    )
