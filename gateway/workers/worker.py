"""One worker: `python -m gateway.workers.worker LISTENER CHANNEL COUNTS PLACE`, all but PLACE descriptors."""

from __future__ import annotations

import gc
import signal
import sys


def main() -> int:
    """Serve until told to end; returns the exit code."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the supervisor's affair; a terminal tells every process
    gc.disable()
    from gateway.workers.work import work  # noqa: PLC0415 - what is imported stays: not for the collector

    gc.freeze()
    gc.enable()
    return work(*map(int, sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
