"""Runs a built image's tree the way compose.yaml does, and signs in through it: called by build_here.sh.

The tree is read-only, the user unprivileged, without capabilities and unable to gain any; the process gets
the image's own command and environment. Beside it runs the sandbox, from the checkout.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_USER = 10001
_ROOM = """
set -eu
mount --make-rprivate /
mount --bind "$1" "$1"
for path in dev proc; do mount --rbind "/$path" "$1/$path"; done
mount -t tmpfs tmpfs "$1/tmp"
mount --bind "$2" "$1/var/lib/lexgate"
mount -o remount,bind,ro "$1"
root=$1
shift 2
user="--reuid=10001 --regid=10001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"
exec chroot "$root" setpriv $user -- "$@"
"""
_SANDBOX = """
import sys, uvicorn
from gateway.sandbox.box import build_sandbox
from gateway.sandbox.options import SandboxOptions
port, callback, app = int(sys.argv[1]), sys.argv[2], sys.argv[3]
options = SandboxOptions(base_url=f"http://127.0.0.1:{port}", client_id="here", client_secret="s" * 32,
                         redirect_uris=(callback,), post_logout_redirect_uris=(app,), rate=1000, burst=1000)
uvicorn.run(build_sandbox(options), host="127.0.0.1", port=port, log_level="warning")
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """A container's files and what its image says of running them."""

    root: str
    state: str
    environment: Mapping[str, str]
    command: list[str]
    health: list[str]

    def popen(self, settings: Mapping[str, str], *command: str) -> subprocess.Popen[str]:
        """Start the image's command, or another one, in the tree."""
        room = ["unshare", "--mount", "sh", "-c", _ROOM, "room", self.root, self.state]
        assignments = [f"{name}={value}" for name, value in (dict(self.environment) | dict(settings)).items()]
        return subprocess.Popen(
            [*room, "env", "-i", *assignments, *(command or self.command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def call(self, settings: Mapping[str, str], *command: str) -> tuple[int, str]:
        """Run a command in the tree to its end; return its exit code and what it printed."""
        process = self.popen(settings, *command)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _read_tree(container: str, state: str) -> Tree:
    config = json.loads(_output("buildah", "inspect", "--type", "container", container))["Docker"]["config"]
    assert config["User"] == f"{_USER}:{_USER}"
    assert config["StopSignal"] == "SIGTERM"
    environment = dict(each.split("=", 1) for each in config["Env"])
    command = [*config["Entrypoint"], *config["Cmd"]]
    health = config["Healthcheck"]["Test"][1:]
    return Tree(_output("buildah", "mount", container), state, environment, command, health)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_answers(url: str, process: subprocess.Popen[str]) -> float:
    started = time.monotonic()
    while time.monotonic() - started < 30:
        assert process.poll() is None, process.communicate()[0]
        try:
            if httpx.get(url).status_code == 200:
                return time.monotonic() - started
        except httpx.TransportError:
            time.sleep(0.02)
    raise TimeoutError(url)


@contextmanager
def _sandbox(port: int, origin: str) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _SANDBOX, str(port), f"{origin}/auth/callback", f"{origin}/"], text=True
    )
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}/sandbox/counters", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _sign_in(browser: httpx.Client, origin: str) -> None:
    """Go the whole way: login, the sandbox's two pages, callback."""
    navigation = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    answer = browser.get(f"{origin}/auth/login?return_to=/", headers=navigation)
    for form in ({"user": "anna"}, {"decision": "allow"}):
        while answer.is_redirect:
            answer = browser.get(urljoin(str(answer.url), answer.headers["location"]))
        action = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
        assert action, answer.text
        answer = browser.post(urljoin(str(answer.url), action[1]), data=form)
    callback = answer.headers["location"]
    assert callback.startswith(f"{origin}/auth/callback?"), callback
    answer = browser.get(callback, headers=navigation | {"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"] == "/"


def _prove_the_drain(browser: httpx.Client, url: str, sandbox: str, process: subprocess.Popen[str]) -> None:
    """See a call that is in flight when SIGTERM comes answered, and the process end by itself."""
    httpx.post(
        f"{sandbox}/sandbox/faults", json={"name": "api_slow", "parameters": {"seconds": 3}, "times": 1}
    )
    before = httpx.get(f"{sandbox}/sandbox/faults").json()["faults"]
    assert before, "the slow API is not set up"
    answers: list[int] = []
    call = threading.Thread(target=lambda: answers.append(browser.get(url, timeout=30).status_code))
    call.start()
    while httpx.get(f"{sandbox}/sandbox/faults").json()["faults"]:
        time.sleep(0.02)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=25)
    call.join()
    assert answers == [200], answers
    assert process.returncode == 0, process.returncode
    _say(f"drained in {time.monotonic() - started:.1f} s, the call in flight answered, exit code 0")


def _check_the_tree(tree: Tree, settings: Mapping[str, str]) -> None:
    code, output = tree.call(settings, "lexgate", "--help")
    assert code == 0, output
    code, output = tree.call(
        settings, "sh", "-c", "id -u; touch /venv/x; touch /var/lib/lexgate/x && echo writable"
    )
    assert output.split()[0] == str(_USER), output
    assert "Read-only file system" in output, output
    assert "writable" in output, output
    code, secret = tree.call(settings, "lexgate", "keygen")
    assert (code, len(secret.strip()) >= 32) == (0, True), secret
    _say("the tree is read-only but for its state; lexgate --help and keygen work")


def main() -> None:
    """Prove the container named on the command line."""
    with tempfile.TemporaryDirectory() as state:
        os.chown(state, _USER, _USER)
        tree = _read_tree(sys.argv[1], state)
        port, admin, upstream = _free_port(), _free_port(), _free_port()
        origin = f"http://localhost:{port}"
        with _sandbox(upstream, origin) as sandbox:
            settings = {
                "LEXGATE_PUBLIC_URL": origin,
                "LEXGATE_SECRETS": "k" * 43,
                "LEXGATE_PROVIDER": "openid",
                "LEXGATE_ISSUER": f"{sandbox}/openid",
                "LEXGATE_CLIENT_ID": "here",
                "LEXGATE_CLIENT_SECRET": "s" * 32,
                "LEXGATE_API_URL": sandbox,
                "LEXGATE_BIND": f"127.0.0.1:{port}",
                "LEXGATE_ADMIN_BIND": f"127.0.0.1:{admin}",
            }
            _check_the_tree(tree, settings)
            _journey(tree, settings, origin, f"http://127.0.0.1:{admin}", sandbox)


def _journey(tree: Tree, settings: Mapping[str, str], origin: str, admin: str, sandbox: str) -> None:
    process = tree.popen(settings)
    _say(f"lexgate serve answered after {_wait_until_it_answers(f'{admin}/readyz', process):.2f} s")
    code, output = tree.call(settings, *tree.health)
    assert code == 0, output
    # Browsers take Secure cookies from http://localhost; this jar has to be told.
    jar = CookieJar(DefaultCookiePolicy(secure_protocols=("http", "https")))
    with httpx.Client(timeout=10, cookies=jar) as browser:
        _sign_in(browser, origin)
        same_origin = {"Sec-Fetch-Site": "same-origin", "X-CSRF": "1"}
        browser.headers.update(same_origin)
        session = browser.get(f"{origin}/auth/session").json()
        assert session["active"], session
        profile = browser.get(f"{origin}/api/v1/profile").json()
        _say(f"signed in as {session['claims']['name']} of {profile['companyName']}")
        assert 'lexgate_sign_ins_total{outcome="success"} 1.0' in httpx.get(f"{admin}/metrics").text
        _prove_the_drain(browser, f"{origin}/api/v1/profile", sandbox, process)
        lines = [json.loads(line) for line in process.communicate()[0].splitlines() if line.startswith("{")]
        assert any(line.get("route", "").startswith("/api") for line in lines), lines
        code, output = tree.call(settings, *tree.health)
        assert code != 0, "the health check passes while nothing runs"

        process = tree.popen(settings)
        _wait_until_it_answers(f"{admin}/readyz", process)
        assert browser.get(f"{origin}/auth/session").json()["active"]
        code, output = tree.call(settings, "lexgate", "doctor")
        _say(f"after a restart the session is alive; doctor (exit code {code}):\n{output}")
        assert browser.post(f"{origin}/auth/logout").status_code == 200
        assert not browser.get(f"{origin}/auth/session").json()["active"]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=25)
        assert process.returncode == 0
    _say("signed out and stopped")


if __name__ == "__main__":
    main()
