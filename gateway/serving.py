"""Runs the ASGI applications on their listeners, and brings them to an end without cutting a call off."""

from __future__ import annotations

import asyncio
import logging
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.descriptors import fit_connections
from gateway.listener import Listener, Serving

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from gateway.app import Gateway

_LOGGER = logging.getLogger(__name__)
DRAIN_SECONDS = 20
"""How long calls in flight may take once the process is asked to end."""
CLOSE_SECONDS = 3
"""How long closing may take after that: together less than the 25 s that orchestrators wait."""


async def serve(
    gateway: Gateway,
    listeners: Sequence[Listener],
    *,
    on_ready: Callable[[], None],
    ending: asyncio.Event,
    drain_seconds: int = DRAIN_SECONDS,
) -> None:
    """Open the gateway, serve until `ending` is set, then drain; the first listener is the public one.

    The others outlive it, so that what the calls in flight need is there, and an orchestrator can watch.
    Raises StoreUnavailable, and whatever keeps a listener from starting.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time()
    await gateway.open()
    try:
        first, *rest = listeners
        limited = replace(
            first,
            max_connections=fit_connections(gateway.max_connections),
            websockets=gateway.allows_websockets,
        )
        public, *others = (Serving(listener) for listener in (limited, *rest))
        for serving in (public, *others):
            await serving.start()
        on_ready()
        await ending.wait()
        gateway.health.is_draining = True
        deadline = loop.time() + drain_seconds + CLOSE_SECONDS
        await public.end(drain_seconds)
        await asyncio.gather(*(serving.end(1) for serving in others))
    finally:
        # What the calls did not need of the time, a refresh may: its token is spent, its answer must be kept.
        await gateway.close(patience=max(CLOSE_SECONDS / 2, deadline - loop.time()))


async def serve_alone(
    gateway: Gateway, public: socket.socket, admin: socket.socket, *, on_ready: Callable[[], None]
) -> None:
    """Serve in this process alone until SIGTERM or SIGINT; SIGHUP is logged and ends nobody."""
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGHUP,
        _LOGGER.warning,
        "SIGHUP changes nothing with one worker; restart the gateway to have new settings",
    )
    listeners = (Listener(gateway.public, public), Listener(gateway.admin, admin))
    await serve(gateway, listeners, on_ready=on_ready, ending=end_on_signals())


def end_on_signals(before_death: Callable[[], None] = lambda: None) -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set; a second signal ends the process at once."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    heard: list[int] = []

    def end(number: int) -> None:
        if heard:
            # Whoever presses Ctrl-C again does not want to wait.
            before_death()
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        heard.append(number)
        ending.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end, number)
    return ending
