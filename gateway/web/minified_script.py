"""Scripts as small as a minifier makes them, which runs in a process of its own."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from functools import lru_cache

_LOGGER = logging.getLogger(__name__)
_CHILD = """
import sys, minify
sys.stdout.write(minify.string("application/javascript", sys.stdin.read()))
"""
_LONGEST_SECONDS = 5.0
"""Of usually 0.1: with what calls in flight may take of a process that ends, less than orchestrators wait."""


@lru_cache(maxsize=8)
def minify_script(source: bytes) -> bytes:
    """Return the module with its own names shortened, and without what only people read.

    The minifier is a shared library with Go's runtime: threads, signal handlers and 9 MB that a process
    which lives for months, and starts others, should not take in for 30 ms. The child sees no environment,
    for that holds secrets. Where it cannot run, the script goes out as it is.
    """
    try:
        child = subprocess.run(  # noqa: S603 - this interpreter, and a constant
            (sys.executable, "-P", "-X", "utf8", "-c", _CHILD),
            input=source,
            capture_output=True,
            check=True,
            timeout=_LONGEST_SECONDS,
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    except (OSError, subprocess.SubprocessError) as error:
        told = getattr(error, "stderr", None) or str(error).encode()
        cause = told.decode(errors="replace")[-200:]
        _LOGGER.warning("a script is not minified", extra={"fields": {"cause": cause}})
        return source
    return child.stdout or source
