"""What a worker does: serves on the shared listener, and answers its supervisor."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import uvloop

from gateway.accepting import ConnectionCounts
from gateway.app import Gateway
from gateway.errors import StoreError
from gateway.listener import Listener, Share
from gateway.observability.logs import configure_logging
from gateway.serving import end_on_signals, serve
from gateway.workers.channel import Channel

if TYPE_CHECKING:
    from gateway.web.health import Health


def work(listener: int, channel: int, counts: int, place: int) -> int:
    """Serve until told to end; the arguments are those of the command line."""
    public, end = socket.socket(fileno=listener), socket.socket(fileno=channel)
    public.setblocking(False)  # noqa: FBT003 - the socket module's own signature
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(public, end, Share(ConnectionCounts(counts), place)))


async def _serve(public: socket.socket, end: socket.socket, share: Share) -> int:
    ending = end_on_signals()
    channel = await Channel.open(end)
    settings = await channel.receive_settings()
    if settings is None:
        return 1
    configure_logging(settings.log_level)
    gateway = Gateway(settings)
    listening = asyncio.create_task(_listen(channel, gateway.health, ending))
    try:
        await serve(
            gateway,
            [Listener(gateway.public, public, share)],
            on_ready=lambda: channel.send({"is": "ready"}),
            ending=ending,
        )
    except StoreError as error:
        channel.send({"is": "failed", "why": f"LEXGATE_STORE: {error}; `lexgate doctor` tells more"})
        return 1
    finally:
        channel.send({"is": "ending", "metrics": await gateway.health.take_metrics(shared=False)})
        listening.cancel()
        await channel.close()
    return 0


async def _listen(channel: Channel, health: Health, ending: asyncio.Event) -> None:
    """Answer what the supervisor asks; whatever ends this, its end above all, ends the worker."""

    async def answer(message: dict[str, Any]) -> None:
        if message["ask"] == "readiness":
            channel.send({"id": message["id"], "answer": await health.why_unready()})
        else:
            found = await health.take_metrics(shared=message["shared"])
            channel.send({"id": message["id"], "answer": found})

    try:
        async with asyncio.TaskGroup() as answers:
            while (message := await channel.receive()) is not None:
                if message["ask"] == "end":
                    ending.set()
                else:
                    answers.create_task(answer(message))
    finally:
        ending.set()
