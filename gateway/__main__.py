"""The command line: demo, serve, doctor, keygen."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gateway import __version__
from gateway.errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Any

_Result = TypeVar("_Result")
_EXIT_CONFIGURATION = 2
_EXIT_FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0, 1 for a failure, 2 for a configuration to mend."""
    parsed = _build_parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except ConfigurationError as error:
        for problem in error.problems:
            print(f"lexgate: {problem}", file=sys.stderr)
        return _EXIT_CONFIGURATION
    except StoreError as error:
        print(f"lexgate: LEXGATE_STORE: {error}; `lexgate doctor` tells more", file=sys.stderr)
        return _EXIT_FAILED
    except KeyboardInterrupt:
        return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lexgate",
        description="A backend for frontend for lexoffice: signs users of a single-page app in, keeps their tokens, "
        "and proxies /api. Settings come from the environment (LEXGATE_*) or lexgate.toml; see the README.",
    )
    parser.add_argument("--version", action="version", version=f"lexgate {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    serve = commands.add_parser(
        "serve",
        help="run the gateway",
        description="Run the gateway with the configured settings until SIGTERM or SIGINT; calls in flight then get "
        "20 seconds to end. Exit code 2 with one line a problem when the settings are not valid.",
    )
    serve.set_defaults(run=_serve)
    doctor = commands.add_parser(
        "doctor",
        help="check the settings and everything they point at",
        description="Check settings, secrets, store, authorization server, clock, redirect URI, API and cookies, one "
        "line each with the remedy. Exit code 0 if nothing failed, 1 otherwise.",
    )
    doctor.set_defaults(run=_doctor)
    keygen = commands.add_parser(
        "keygen",
        help="print a new secret for LEXGATE_SECRETS",
        description="Print a new secret of 256 random bits. To rotate, put it before the old one, separated by a "
        "comma: the first signs, all verify. Remove the old one once the longest session has ended.",
    )
    keygen.set_defaults(run=_keygen)
    return parser


def _add_demo(commands: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    demo = commands.add_parser(
        "demo",
        help="run the gateway with an embedded lexoffice sandbox",
        description="Run the gateway on http://localhost:PORT with lexoffice in a box behind it. Needs no settings; "
        "nothing is kept. Ctrl-C ends it.",
    )
    demo.add_argument("--port", type=_port, default=8000, help="port of the gateway (default: 8000)")
    demo.add_argument(
        "--picture",
        choices=("lexware", "openid"),
        default="lexware",
        help="which of lexoffice's two pictures of the sign-in to use (default: lexware)",
    )
    demo.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME",
        help="switch a fault of the sandbox on, to watch the gateway cope; may be repeated; "
        "`--fault help` lists the names",
    )
    demo.set_defaults(run=_demo)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:  # noqa: PLR2004 - the range of TCP ports
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def _demo(parsed: argparse.Namespace) -> int:
    from gateway.demo import run_demo  # noqa: PLC0415 - only the demo waits for the sandbox's imports
    from gateway.observability.logs import configure_logging  # noqa: PLC0415
    from gateway.sandbox.faults import FAULTS  # noqa: PLC0415

    if "help" in parsed.fault:
        for name, description in FAULTS.items():
            print(f"{name:22} {description}")
        return 0
    configure_logging("warning", sys.stderr)
    _run(run_demo(port=parsed.port, picture=parsed.picture, faults=parsed.fault))
    return 0


def _serve(_parsed: argparse.Namespace) -> int:
    from gateway.app import Gateway  # noqa: PLC0415 - keygen and --help answer at once
    from gateway.observability.logs import configure_logging  # noqa: PLC0415
    from gateway.serving import Listener, bind, end_on_signals, serve  # noqa: PLC0415
    from gateway.settings import load_settings  # noqa: PLC0415

    settings = load_settings(os.environ, Path.cwd())
    configure_logging(settings.log_level)
    with (
        bind(settings.bind.host, settings.bind.port, setting="LEXGATE_BIND") as public,
        bind(settings.admin_bind.host, settings.admin_bind.port, setting="LEXGATE_ADMIN_BIND") as admin,
    ):
        gateway = Gateway(settings)
        listeners = (Listener(gateway.public, public), Listener(gateway.admin, admin))

        async def run() -> None:
            await serve(
                gateway,
                listeners,
                on_ready=lambda: print(f"lexgate serves {settings.public_url}", flush=True),
                ending=end_on_signals(),
            )

        _run(run())
    return 0


def _doctor(_parsed: argparse.Namespace) -> int:
    from gateway.doctor import examine  # noqa: PLC0415 - keygen and --help answer at once

    healthy = True
    for finding in _run(examine(os.environ, Path.cwd())):
        healthy = healthy and finding.state != "failed"
        print(finding.render())
    return 0 if healthy else _EXIT_FAILED


def _keygen(_parsed: argparse.Namespace) -> int:
    print(secrets.token_urlsafe(32))
    return 0


def _run(work: Coroutine[Any, Any, _Result]) -> _Result:
    import asyncio  # noqa: PLC0415 - keygen and --help answer at once

    import uvloop  # noqa: PLC0415

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


if __name__ == "__main__":
    sys.exit(main())
