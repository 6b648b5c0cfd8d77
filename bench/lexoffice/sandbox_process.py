"""The sandbox in a process of its own: `python -m bench.lexoffice.sandbox_process '{"base_url": ...}'`."""

from __future__ import annotations

import json
import sys

import uvicorn

from gateway.sandbox import SandboxOptions, build_sandbox


def main() -> None:
    """Serve until the process is ended."""
    given = json.loads(sys.argv[1])
    given["redirect_uris"] = tuple(given["redirect_uris"])
    options = SandboxOptions(**given)
    port = int(options.base_url.rpartition(":")[2])
    config = uvicorn.Config(
        build_sandbox(options), host="127.0.0.1", port=port, lifespan="off", log_config=None, loop="uvloop"
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
