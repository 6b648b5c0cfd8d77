"""`lexgate demo`: the gateway with lexoffice in a box behind it, in one process, with nothing to configure."""

from __future__ import annotations

import secrets
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.app import Gateway
from gateway.errors import ConfigurationError
from gateway.sandbox.accounts import USERS
from gateway.sandbox.box import build_sandbox
from gateway.sandbox.faults import FAULTS
from gateway.sandbox.options import SandboxOptions
from gateway.serving import Listener, bind, end_on_signals, serve
from gateway.settings import load_settings

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

_HOST = "127.0.0.1"
_CLIENT_ID = "lexgate-demo"


async def run_demo(*, port: int, picture: str, faults: Sequence[str]) -> None:
    """Serve gateway, sandbox and admin listener until asked to end; raises ConfigurationError for a busy port."""
    unknown = [name for name in faults if name not in FAULTS]
    if unknown:
        raise ConfigurationError(
            [f"--fault: there is no fault named {name}; choose from {', '.join(FAULTS)}" for name in unknown]
        )
    with ExitStack() as stack:
        public = stack.enter_context(bind(_HOST, port, setting="PORT"))
        box = stack.enter_context(_bind_near(port + 1))
        admin = stack.enter_context(_bind_near(port + 2))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lexgate-demo-"))
        public_url = f"http://localhost:{public.getsockname()[1]}"
        sandbox_url = f"http://{_HOST}:{box.getsockname()[1]}"
        client_secret = secrets.token_urlsafe(24)
        sandbox = build_sandbox(
            SandboxOptions(
                base_url=sandbox_url,
                client_id=_CLIENT_ID,
                client_secret=client_secret,
                redirect_uris=(f"{public_url}/auth/callback",),
                post_logout_redirect_uris=(f"{public_url}/",),
            )
        )
        for name in faults:
            sandbox.state.sandbox.faults.inject(name)
        gateway = Gateway(
            load_settings(_demo_environment(public_url, sandbox_url, client_secret, picture), Path(folder))
        )
        listeners = (Listener(gateway.public, public), Listener(sandbox, box), Listener(gateway.admin, admin))
        operations = f"http://{_HOST}:{admin.getsockname()[1]}"
        await serve(
            gateway,
            listeners,
            on_ready=lambda: _greet(public_url, sandbox_url, operations, faults),
            ending=end_on_signals(),
        )


def _demo_environment(public_url: str, sandbox_url: str, client_secret: str, picture: str) -> dict[str, str]:
    environment = {
        "LEXGATE_PUBLIC_URL": public_url,
        "LEXGATE_SECRETS": secrets.token_urlsafe(32),
        "LEXGATE_CLIENT_ID": _CLIENT_ID,
        "LEXGATE_CLIENT_SECRET": client_secret,
        "LEXGATE_API_URL": sandbox_url,
        "LEXGATE_STORE": "memory://",
    }
    if picture == "openid":
        return {
            **environment,
            "LEXGATE_PROVIDER": "openid",
            "LEXGATE_ISSUER": f"{sandbox_url}/openid",
        }
    return {**environment, "LEXGATE_PROVIDER": "lexware", "LEXGATE_AUTHORIZATION_SERVER": sandbox_url}


def _bind_near(port: int) -> socket.socket:
    try:
        return bind(_HOST, port, setting="PORT")
    except (ConfigurationError, OverflowError):
        return bind(_HOST, 0, setting="PORT")


def _greet(public_url: str, sandbox_url: str, operations: str, faults: Sequence[str]) -> None:
    lines = [
        "",
        f"  lexgate is ready:   {public_url}",
        "",
        "  Sign in as          Anna Bergmann (choose her on the sandbox's page; there is no password)",
        f"  lexoffice in a box  {sandbox_url}",
        f"  for operators       {operations}/metrics",
        "",
        "  Try                 open the app, sign in, look at a voucher and its PDF, sign out",
        f"                      curl -i {public_url}/api/v1/profile     (401: no cookie, no data)",
        f"                      curl {public_url}/auth/session",
        "",
        *([f"  Faults              {', '.join(faults)}", ""] if faults else []),
        "  Ctrl-C ends it.",
        "",
    ]
    print("\n".join(lines), flush=True)  # noqa: T201 - the command line prints
