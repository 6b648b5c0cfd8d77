"""The sandbox in a process of its own behind the gate; settings as JSON on standard input."""

from __future__ import annotations

import json
import os
import sys

from gateway.sandbox import SandboxOptions, build_sandbox
from tests.chaos.gate import Gate, serve


def main() -> None:
    """Serve until the process is ended."""
    given = json.loads(sys.stdin.read())
    given["redirect_uris"] = tuple(given["redirect_uris"])
    options = SandboxOptions(rate=1e6, burst=1_000_000, **given)

    def set_lifetime(seconds: int) -> None:
        object.__setattr__(options, "access_token_lifetime", seconds)

    gate = Gate(build_sandbox(options), token_path="/oauth2/token", set_lifetime=set_lifetime)
    serve(gate, int(options.base_url.rpartition(":")[2]))
    os._exit(0)


if __name__ == "__main__":
    main()
