"""The command line: demo, serve, doctor, webhooks, keygen."""

from __future__ import annotations

import gc
import importlib
import os
import secrets
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gateway.arguments import build_parser
from gateway.errors import (
    AuthorizationServerError,
    BrowserError,
    ConfigurationError,
    ResourceServerError,
    StoreError,
)

if TYPE_CHECKING:
    import argparse
    import socket
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any

    from gateway.settings import Settings

_Result = TypeVar("_Result")
_EXIT_CONFIGURATION = 2
_EXIT_FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0, 1 for a failure, 2 for a configuration to mend."""
    runs = {"demo": _demo, "serve": _serve, "doctor": _doctor, "webhooks": _webhooks, "keygen": _keygen}
    parsed = build_parser(runs).parse_args(arguments)
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


def _demo(parsed: argparse.Namespace) -> int:
    from gateway.demo import run_demo  # noqa: PLC0415 - only the demo waits for the sandbox's imports
    from gateway.observability.logs import configure_logging  # noqa: PLC0415
    from gateway.sandbox.faults import FAULTS  # noqa: PLC0415

    if "help" in parsed.fault:
        for name, description in FAULTS.items():
            print(f"{name:22} {description}")
        return 0
    configure_logging("warning", sys.stderr)
    _run(run_demo(port=parsed.port, picture=parsed.picture, faults=parsed.fault, dev=parsed.dev))
    return 0


def _serve(parsed: argparse.Namespace) -> int:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is somebody to heed it
    chosen = {} if parsed.workers is None else {"LEXGATE_WORKERS": parsed.workers}
    # What is imported stays: collecting garbage meanwhile, and looking at it ever after, is time lost.
    gc.disable()
    from gateway.settings import choose_dev_server, load_settings  # noqa: PLC0415 - keygen and --help answer at once

    def load() -> Settings:
        return load_settings({**os.environ, **chosen}, Path.cwd())

    settings = load()
    dev_server = None if parsed.dev is None else choose_dev_server(parsed.dev, settings)
    if settings.workers == 1:
        importlib.import_module("gateway.app")  # the supervisor of several does without
    from gateway.listener import bind  # noqa: PLC0415
    from gateway.observability.logs import configure_logging  # noqa: PLC0415
    from gateway.serving import serve_alone  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    configure_logging(settings.log_level)
    with (
        bind(settings.bind.host, settings.bind.port, setting="LEXGATE_BIND") as public,
        bind(settings.admin_bind.host, settings.admin_bind.port, setting="LEXGATE_ADMIN_BIND") as admin,
    ):
        note = "" if dev_server is None else f" for development, with the pages of {dev_server}"

        def announce() -> None:
            print(f"lexgate serves {settings.public_url}{note}", file=sys.stderr, flush=True)

        if settings.workers > 1:
            return _supervise(settings, load, public, admin, announce)
        from gateway.app import Gateway  # noqa: PLC0415 - as above

        _run(serve_alone(Gateway(settings, dev_server=dev_server), public, admin, on_ready=announce))
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
                raise Refused(
                    f"nobody is signed in as {parsed.subject!r}: have that user sign in and stay signed in"
                )
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
