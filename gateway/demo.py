"""`lexgate demo`: the gateway with lexoffice in a box behind it, in one process, without any settings."""

from __future__ import annotations

import json
import secrets
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.app import Gateway
from gateway.errors import ConfigurationError
from gateway.listener import Listener, bind
from gateway.sandbox.accounts import ORGANIZATIONS, USERS
from gateway.sandbox.box import build_sandbox
from gateway.sandbox.faults import FAULTS
from gateway.sandbox.options import SandboxOptions
from gateway.sandbox.webhooks.event import EVENT_TYPES
from gateway.serving import end_on_signals, serve
from gateway.settings import choose_dev_server, load_settings
from gateway.settings.presets import PRESETS

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from starlette.applications import Starlette

_HOST = "127.0.0.1"
_CLIENT_ID = "lexgate-demo"
_PORT = "--port (with make: PORT=...)"


async def run_demo(*, port: int, picture: str, faults: Sequence[str], dev: str | None = None) -> None:
    """Serve gateway, sandbox and admin listener until asked to end.

    Raises ConfigurationError for an unknown fault or a busy port. Port 0 takes any that are free.
    """
    unknown = [name for name in faults if name not in FAULTS]
    if unknown:
        raise ConfigurationError(
            [f"--fault: there is no fault named {name}; `--fault help` lists them" for name in unknown]
        )
    with ExitStack() as stack:
        public = stack.enter_context(bind(_HOST, port, setting=_PORT))
        box, admin = (stack.enter_context(_bind_near(port and port + offset)) for offset in (1, 2))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lexgate-demo-"))
        demo = _Demo(
            public_url=f"http://localhost:{public.getsockname()[1]}",
            sandbox_url=f"http://{_HOST}:{box.getsockname()[1]}",
            admin_url=f"http://{_HOST}:{admin.getsockname()[1]}",
            picture=picture,
            faults=tuple(faults),
            dev_server=dev,
        )
        sandbox = demo.build_sandbox()
        key_file = Path(folder) / "lexoffice.pem"
        key_file.write_text(sandbox.state.sandbox.webhook_public_key_pem(), encoding="ascii")
        settings = load_settings(demo.build_environment(key_file), Path(folder))
        gateway = Gateway(settings, dev_server=None if dev is None else choose_dev_server(dev, settings))
        await serve(
            gateway,
            (Listener(gateway.public, public), Listener(sandbox, box), Listener(gateway.admin, admin)),
            on_ready=lambda: print(demo.build_greeting(), flush=True),  # noqa: T201 - the command line prints
            ending=end_on_signals(),
        )


def _bind_near(port: int) -> socket.socket:
    try:
        return bind(_HOST, port, setting=_PORT)
    except ConfigurationError:
        return bind(_HOST, 0, setting=_PORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Demo:
    """Where the three listeners are, and what the demo was asked for."""

    public_url: str
    sandbox_url: str
    admin_url: str
    picture: str
    faults: tuple[str, ...]
    dev_server: str | None
    client_secret: str = field(default_factory=secrets.token_urlsafe, repr=False)

    def build_sandbox(self) -> Starlette:
        """Build the sandbox, its faults switched on and the gateway subscribed to all events."""
        sandbox = build_sandbox(
            SandboxOptions(
                base_url=self.sandbox_url,
                client_id=_CLIENT_ID,
                client_secret=self.client_secret,
                redirect_uris=(f"{self.public_url}/auth/callback",),
                post_logout_redirect_uris=(f"{self.public_url}/auth/signed-out",),
            )
        )
        for name in self.faults:
            sandbox.state.sandbox.faults.inject(name)
        for organization in ORGANIZATIONS:
            for event_type in EVENT_TYPES:
                url = f"{self.public_url}/webhooks/lexoffice"
                sandbox.state.sandbox.webhooks.subscribe(organization.id, event_type, url)
        return sandbox

    def build_environment(self, webhook_key: Path) -> dict[str, str]:
        """Build the settings; the process's own environment has no say."""
        environment = {
            "LEXGATE_PUBLIC_URL": self.public_url,
            "LEXGATE_SECRETS": secrets.token_urlsafe(32),
            "LEXGATE_PROVIDER": self.picture,
            "LEXGATE_CLIENT_ID": _CLIENT_ID,
            "LEXGATE_CLIENT_SECRET": self.client_secret,
            "LEXGATE_API_URL": self.sandbox_url,
            "LEXGATE_STORE": "memory://",
            "LEXGATE_WEBHOOK_PUBLIC_KEY": str(webhook_key),
        }
        if self.picture == "openid":
            # The books and their limits are lexoffice's in either picture; only the sign-in is another.
            openid, lexware = PRESETS["openid"], PRESETS["lexware"]
            return {
                **environment,
                "LEXGATE_ISSUER": f"{self.sandbox_url}/openid",
                "LEXGATE_SCOPE": f"{openid.scope} {lexware.scope}",
                "LEXGATE_BUDGET_RATE": str(lexware.budget_rate),
                "LEXGATE_CACHE": json.dumps(dict(lexware.cache)),
            }
        return {**environment, "LEXGATE_AUTHORIZATION_SERVER": self.sandbox_url}

    def build_greeting(self) -> str:
        """Build what is printed once everything answers."""
        users = " or ".join(f"{user.name} ({user.organization.name})" for user in USERS.values())
        lines = [
            "",
            f"  lexgate is ready:   {self.public_url}",
            "",
            f"  Sign in as          {users};",
            "                      choose one on the sandbox's page, there is no password",
            f"  lexoffice in a box  {self.sandbox_url}",
            f"  for operators       {self.admin_url}/metrics",
            *([f"  The app             comes from {self.dev_server}"] if self.dev_server else []),
            "",
            "  Try                 open the app, sign in, look at a voucher and its PDF, sign out",
            f"                      open {self.sandbox_url} beside it, add an invoice",
            "                      there or pay one, and watch the app change",
            f"                      curl -i {self.public_url}/api/v1/profile     (401: no cookie, no data)",
            f"                      curl {self.public_url}/auth/session",
            "",
            *([f"  Faults              {', '.join(self.faults)}", ""] if self.faults else []),
            "  Ctrl-C ends it.",
            "",
        ]
        return "\n".join(lines)
