"""The commands and their arguments, as `--help` tells them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gateway import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

Run = Callable[[argparse.Namespace], int]
"""Does a command and returns its exit code."""

_Commands = Any
"""argparse does not name the type of its subparsers."""


def build_parser(runs: Mapping[str, Run]) -> argparse.ArgumentParser:
    """Return the parser of all commands; `runs` holds what each does, by its name."""
    parser = argparse.ArgumentParser(
        prog="lexgate",
        description="A backend for frontend for lexoffice: signs users of a single-page app in, keeps their "
        "tokens, and proxies /api. Settings come from the environment (LEXGATE_*) or from lexgate.toml; the "
        "README lists them.",
    )
    parser.add_argument("--version", action="version", version=f"lexgate {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands, runs["demo"])
    _add_serve(commands, runs["serve"])
    _add_command(
        commands,
        "doctor",
        runs["doctor"],
        summary="check the settings and everything they point at",
        description="Check settings, secrets, store, authorization server, client credentials, clock, "
        "redirect URI, API and cookies, one line each with the remedy. Keeps nothing. Exit code 0 if "
        "nothing failed, 1 otherwise.",
    )
    _add_webhooks(commands, runs["webhooks"])
    _add_command(
        commands,
        "keygen",
        runs["keygen"],
        summary="print a new secret for LEXGATE_SECRETS",
        description="Print a new secret of 256 random bits. To rotate, put it before the old one, separated "
        "by a comma: the first signs, all verify. Remove the old one once LEXGATE_SESSION_MAX has passed.",
    )
    return parser


def _add_command(
    commands: _Commands,
    name: str,
    run: Run,
    *,
    summary: str,
    description: str,
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=description)
    command.set_defaults(run=run)
    return command


def _add_serve(commands: _Commands, run: Run) -> None:
    serve = _add_command(
        commands,
        "serve",
        run,
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
    _add_dev(serve)


def _add_webhooks(commands: _Commands, run: Run) -> None:
    webhooks = _add_command(
        commands,
        "webhooks",
        run,
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


def _add_demo(commands: _Commands, run: Run) -> None:
    demo = _add_command(
        commands,
        "demo",
        run,
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
    _add_dev(demo)


def _add_dev(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dev",
        metavar="URL",
        help="for development, on localhost alone: a running dev server in the place of the static app, hot "
        "reload included, such as http://localhost:5173",
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:  # noqa: PLR2004 - the last TCP port
        raise argparse.ArgumentTypeError("must be a number from 0 to 65535")
    return int(text)
