"""Runs a built image's tree the way compose.yaml does, and signs in through it: called by build_here.sh.

The tree is read-only, the user unprivileged, without capabilities and unable to gain any; the process gets
the image's own command and environment. Beside it runs the sandbox, from the checkout.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from tests.container.browser import Browser
from tests.container.tree import USER, Tree, read_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SANDBOX = """
import sys, uvicorn
from gateway.sandbox.box import build_sandbox
from gateway.sandbox.options import SandboxOptions
port, origin = int(sys.argv[1]), sys.argv[2]
options = SandboxOptions(
    base_url=f"http://127.0.0.1:{port}", client_id="here", client_secret="s" * 32,
    redirect_uris=(f"{origin}/auth/callback",), post_logout_redirect_uris=(f"{origin}/auth/signed-out",))
uvicorn.run(build_sandbox(options), host="127.0.0.1", port=port, log_level="warning")
"""


def main() -> None:
    """Prove the container named on the command line."""
    with tempfile.TemporaryDirectory() as state:
        os.chown(state, USER, USER)
        tree = read_tree(sys.argv[1], state)
        public, admin, upstream = _free_port(), _free_port(), _free_port()
        origin, operations = f"http://localhost:{public}", f"http://127.0.0.1:{admin}"
        with _sandbox(upstream, origin) as sandbox:
            secret = _check_the_tree(tree)
            settings = {
                "LEXGATE_PUBLIC_URL": origin,
                "LEXGATE_SECRETS": secret,
                "LEXGATE_PROVIDER": "openid",
                "LEXGATE_ISSUER": f"{sandbox}/openid",
                "LEXGATE_CLIENT_ID": "here",
                "LEXGATE_CLIENT_SECRET": "s" * 32,
                "LEXGATE_API_URL": sandbox,
                "LEXGATE_BIND": f"127.0.0.1:{public}",
                "LEXGATE_ADMIN_BIND": f"127.0.0.1:{admin}",
            }
            browser = Browser(origin)
            _check_the_journey(tree, settings, browser, operations, sandbox)
            _check_the_restart(tree, settings, browser, operations)


def _check_the_tree(tree: Tree) -> str:
    """See that nothing can be written but the state; return a new secret."""
    code, output = tree.call({}, "lexgate", "--help")
    assert code == 0, output
    _, output = tree.call({}, "sh", "-c", "id -u; touch /venv/x; touch /var/lib/lexgate/x && echo writable")
    assert output.split()[0] == str(USER), output
    assert "Read-only file system" in output, output
    assert "writable" in output, output
    code, secret = tree.call({}, "lexgate", "keygen")
    assert code == 0, secret
    _say("the tree is read-only but for its state; lexgate --help and keygen work")
    return secret.strip()


def _check_the_journey(
    tree: Tree, settings: Mapping[str, str], browser: Browser, operations: str, sandbox: str
) -> None:
    process = tree.popen(settings)
    _say(f"lexgate serve was ready after {_wait_until_it_answers(f'{operations}/readyz', process):.2f} s")
    code, output = tree.call(settings, *tree.health)
    assert code == 0, output
    browser.sign_in()
    session = browser.call("/auth/session").json()
    assert session["active"], session
    company = browser.call("/api/v1/profile").json()["companyName"]
    _say(f"signed in as {session['claims']['name']} of {company}")
    assert 'lexgate_sign_ins_total{outcome="success"} 1.0' in httpx.get(f"{operations}/metrics").text
    _check_the_drain(browser, sandbox, process)
    lines = [json.loads(line) for line in process.communicate()[0].splitlines() if line.startswith("{")]
    assert {"sign_in", "request"} <= {line["message"] for line in lines}, lines
    code, _ = tree.call(settings, *tree.health)
    assert code != 0, "the health check passes while nothing runs"


def _check_the_drain(browser: Browser, sandbox: str, process: subprocess.Popen[str]) -> None:
    """See a call that is in flight when SIGTERM comes answered, and the process end by itself."""
    faults = f"{sandbox}/sandbox/faults"
    httpx.post(faults, json={"name": "api_slow", "parameters": {"seconds": 3}, "times": 1}).raise_for_status()
    answers: list[int] = []
    call = threading.Thread(target=lambda: answers.append(browser.call("/api/v1/profile").status_code))
    call.start()
    while httpx.get(faults).json()["faults"]:
        time.sleep(0.02)  # until the call has reached the API
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=25)
    call.join()
    assert (answers, process.returncode) == ([200], 0)
    _say(f"drained in {time.monotonic() - started:.1f} s, the call in flight answered, exit code 0")


def _check_the_restart(tree: Tree, settings: Mapping[str, str], browser: Browser, operations: str) -> None:
    process = tree.popen(settings)
    _wait_until_it_answers(f"{operations}/readyz", process)
    assert browser.call("/auth/session").json()["active"]
    code, output = tree.call(settings, "lexgate", "doctor")
    assert code == 0, output
    _say(f"after a restart the session is alive; doctor says:\n{output}")
    assert browser.call("/auth/logout", "POST").status_code == 200
    assert not browser.call("/auth/session").json()["active"]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=25)
    assert process.returncode == 0
    _say("signed out and stopped")


@contextmanager
def _sandbox(port: int, origin: str) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", _SANDBOX, str(port), origin], text=True)
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}/sandbox/counters", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_until_it_answers(url: str, process: subprocess.Popen[str]) -> float:
    """Return the seconds that it took."""
    started = time.monotonic()
    while time.monotonic() - started < 30:
        assert process.poll() is None, process.communicate()[0]
        try:
            if httpx.get(url).status_code == 200:
                return time.monotonic() - started
        except httpx.TransportError:
            time.sleep(0.02)
    raise TimeoutError(url)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
