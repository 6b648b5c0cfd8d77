"""One worker: `python -m gateway.workers.worker LISTENER CHANNEL COUNTS PLACE`, all but PLACE descriptors."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.serving import Share
    from gateway.web.health import Health
    from gateway.workers.channel import Channel


def main() -> int:
    """Serve until told to end; returns the exit code."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the supervisor's affair; a terminal tells every process
    gc.disable()
    import gateway.app  # noqa: PLC0415 - what is imported stays: nothing there for the collector, ever
    from gateway.accepting import ConnectionCounts  # noqa: PLC0415
    from gateway.serving import Share  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    import uvloop  # noqa: PLC0415

    listener, channel, counts, place = map(int, sys.argv[1:])
    public, end = socket.socket(fileno=listener), socket.socket(fileno=channel)
    public.setblocking(False)  # noqa: FBT003 - the socket module's own signature
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_work(public, end, Share(ConnectionCounts(counts), place)))


async def _work(public: socket.socket, end: socket.socket, share: Share) -> int:
    from gateway.app import Gateway  # noqa: PLC0415 - as above
    from gateway.errors import StoreError  # noqa: PLC0415
    from gateway.observability.logs import configure_logging  # noqa: PLC0415
    from gateway.serving import Listener, end_on_signals, serve  # noqa: PLC0415
    from gateway.workers.channel import Channel  # noqa: PLC0415

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
            on_ready=lambda: channel.send(**{"is": "ready"}),
            ending=ending,
        )
    except StoreError as error:
        channel.send(**{"is": "failed", "why": f"LEXGATE_STORE: {error}; `lexgate doctor` tells more"})
        return 1
    finally:
        channel.send(**{"is": "ending", "metrics": await gateway.health.take_metrics(shared=False)})
        listening.cancel()
        await channel.close()
    return 0


async def _listen(channel: Channel, health: Health, ending: asyncio.Event) -> None:
    """Answer what the supervisor asks; whatever ends this, its end above all, ends the worker."""

    async def answer(message: dict[str, Any]) -> None:
        if message["ask"] == "readiness":
            channel.send(id=message["id"], answer=await health.why_unready())
        else:
            channel.send(id=message["id"], answer=await health.take_metrics(shared=message["shared"]))

    try:
        async with asyncio.TaskGroup() as answers:
            while (message := await channel.receive()) is not None:
                if message["ask"] == "end":
                    ending.set()
                else:
                    answers.create_task(answer(message))
    finally:
        ending.set()


if __name__ == "__main__":
    sys.exit(main())
