"""The command line: demo, serve, doctor, webhooks, keygen."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import secrets
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gateway import __version__
from gateway.errors import (
    AuthorizationServerError,
    BrowserError,
    ConfigurationError,
    ResourceServerError,
    StoreError,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any

    from gateway.settings import Settings

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
        description="A backend for frontend for lexoffice: signs users of a single-page app in, keeps their "
        "tokens, and proxies /api. Settings come from the environment (LEXGATE_*) or from lexgate.toml; the "
        "README lists them.",
    )
    parser.add_argument("--version", action="version", version=f"lexgate {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_serve(commands)
    _add_command(
        commands,
        "doctor",
        _doctor,
        summary="check the settings and everything they point at",
        description="Check settings, secrets, store, authorization server, client credentials, clock, "
        "redirect URI, API and cookies, one line each with the remedy. Keeps nothing. Exit code 0 if "
        "nothing failed, 1 otherwise.",
    )
    _add_webhooks(commands)
    _add_command(
        commands,
        "keygen",
        _keygen,
        summary="print a new secret for LEXGATE_SECRETS",
        description="Print a new secret of 256 random bits. To rotate, put it before the old one, separated "
        "by a comma: the first signs, all verify. Remove the old one once LEXGATE_SESSION_MAX has passed.",
    )
    return parser


def _add_command(
    commands: Any,  # noqa: ANN401 - argparse does not name the type of its subparsers
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    summary: str,
    description: str,
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=description)
    command.set_defaults(run=run)
    return command


def _add_serve(commands: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    serve = _add_command(
        commands,
        "serve",
        _serve,
        summary="run the gateway",
        description="Run the gateway until SIGTERM or SIGINT; calls in flight then get 20 seconds to end. "
        "One line with the public URL goes to standard error once it answers; standard output is the log, "
        "one JSON object a line. With several workers SIGHUP reads the settings again and replaces the "
        "workers one by one, without refusing or losing a call; with one it is only logged. Exit code 0 "
        "after an orderly end, 1 if the store cannot be used, 2 with one line a problem if the settings are "
        "not valid or a port is taken.",
    )
    serve.add_argument(
        "--workers", metavar="N", help="how many processes answer (default: LEXGATE_WORKERS, or 1)"
    )


def _add_webhooks(commands: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    webhooks = _add_command(
        commands,
        "webhooks",
        _webhooks,
        summary="have lexoffice tell of changes: list, register or remove event subscriptions",
        description="List, register or remove the event subscriptions of a user's organization at lexoffice, "
        "with the user's own token, at the rate that LEXGATE_BUDGET_RATE allows. The user must be signed in, "
        "with the scopes event-subscriptions.read and event-subscriptions.write. What is there already is "
        "not registered again. Exit code 0, 1 if lexoffice or the store says no or nobody is signed in, "
        "2 if the settings are not valid.",
    )
    webhooks.add_argument("verb", choices=("list", "register", "remove"))
    webhooks.add_argument(
        "--subject",
        required=True,
        help="the user, as /auth/session and the audit log name them",
    )
    webhooks.add_argument(
        "--url", help="where lexoffice delivers (default: LEXGATE_PUBLIC_URL with /webhooks/lexoffice)"
    )
    webhooks.add_argument(
        "--event",
        action="append",
        default=[],
        metavar="TYPE",
        help="such as invoice.changed; may be repeated (default: all that lexoffice has)",
    )


def _add_demo(commands: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    demo = _add_command(
        commands,
        "demo",
        _demo,
        summary="run the gateway with an embedded lexoffice sandbox",
        description="Run the gateway on http://localhost:PORT with lexoffice in a box behind it. Needs no "
        "settings and heeds none; nothing is kept. Ctrl-C ends it.",
    )
    demo.add_argument(
        "--port", type=_port, default=8000, help="port of the gateway, 0 for any (default: 8000)"
    )
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


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:  # noqa: PLR2004 - the last TCP port
        raise argparse.ArgumentTypeError("must be a number from 0 to 65535")
    return int(text)


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


def _serve(parsed: argparse.Namespace) -> int:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is somebody to heed it
    chosen = {} if parsed.workers is None else {"LEXGATE_WORKERS": parsed.workers}
    # What is imported stays: collecting garbage meanwhile, and looking at it ever after, is time lost.
    gc.disable()
    from gateway.settings import load_settings  # noqa: PLC0415 - keygen and --help answer at once

    def load() -> Settings:
        return load_settings({**os.environ, **chosen}, Path.cwd())

    settings = load()
    if settings.workers == 1:
        importlib.import_module("gateway.app")  # the supervisor of several does without
    from gateway.observability.logs import configure_logging  # noqa: PLC0415
    from gateway.serving import bind, serve_alone  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    configure_logging(settings.log_level)
    with (
        bind(settings.bind.host, settings.bind.port, setting="LEXGATE_BIND") as public,
        bind(settings.admin_bind.host, settings.admin_bind.port, setting="LEXGATE_ADMIN_BIND") as admin,
    ):

        def announce() -> None:
            print(f"lexgate serves {settings.public_url}", file=sys.stderr, flush=True)

        if settings.workers > 1:
            return _supervise(settings, load, public, admin, announce)
        from gateway.app import Gateway  # noqa: PLC0415 - as above

        _run(serve_alone(Gateway(settings), public, admin, on_ready=announce))
    return 0


def _supervise(
    settings: Settings,
    load: Callable[[], Settings],
    public: socket.socket,
    admin: socket.socket,
    announce: Callable[[], None],
) -> int:
    from gateway.workers.supervisor import NoWorkerReady, Supervisor  # noqa: PLC0415 - one worker does without

    supervisor = Supervisor(settings, load_settings=load, public=public, admin=admin, on_ready=announce)
    try:
        _run(supervisor.run())
    except NoWorkerReady as error:
        print(f"lexgate: {error}", file=sys.stderr)
        return _EXIT_FAILED
    return 0


def _doctor(_parsed: argparse.Namespace) -> int:
    from gateway.doctor import examine  # noqa: PLC0415 - keygen and --help answer at once

    async def tell() -> bool:
        healthy = True
        async for finding in examine(os.environ, Path.cwd()):
            print(finding.render(), flush=True)
            healthy = healthy and finding.state != "failed"
        return healthy

    return 0 if _run(tell()) else _EXIT_FAILED


def _webhooks(parsed: argparse.Namespace) -> int:
    from gateway.events.webhook import PATH  # noqa: PLC0415 - keygen and --help answer at once
    from gateway.settings import load_settings  # noqa: PLC0415
    from gateway.subscriptions import Refused, Wanted, opened_api, perform  # noqa: PLC0415

    settings = load_settings(os.environ, Path.cwd())

    async def tell() -> None:
        wanted = Wanted(parsed.url or f"{settings.public_url}{PATH}", parsed.event)
        async with opened_api(settings, parsed.subject) as api:
            if api is None:
                raise Refused(f"nobody is signed in as {parsed.subject!r}: have that user sign in, and stay")
            async for line in perform(parsed.verb, api, wanted):
                print(line, flush=True)

    try:
        _run(tell())
    except Refused as error:
        print(f"lexgate: {error}", file=sys.stderr)
        return _EXIT_FAILED
    except (AuthorizationServerError, BrowserError, ResourceServerError) as error:
        print(
            f"lexgate: {error.title} ({error.code}); what was done stands above, try again", file=sys.stderr
        )
        return _EXIT_FAILED
    return 0


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
