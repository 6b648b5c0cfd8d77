"""A built image's files, run as its image says and as compose.yaml confines them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

USER = 10001
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


@dataclass(frozen=True, slots=True)
class Tree:
    """A container's files and what its image says of running them."""

    root: str
    state: str
    directory: str
    environment: Mapping[str, str]
    command: list[str]
    health: list[str]

    def popen(self, settings: Mapping[str, str], *command: str) -> subprocess.Popen[str]:
        """Start the image's command, or another one, in the tree."""
        room = ["unshare", "--mount", "sh", "-c", _ROOM, "room", self.root, self.state]
        assignments = [f"{name}={value}" for name, value in (dict(self.environment) | dict(settings)).items()]
        return subprocess.Popen(
            [*room, "env", "-i", "-C", self.directory, *assignments, *(command or self.command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def call(self, settings: Mapping[str, str], *command: str) -> tuple[int, str]:
        """Run a command in the tree to its end; return its exit code and what it printed."""
        process = self.popen(settings, *command)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def read_tree(container: str, state: str) -> Tree:
    """Mount the container and read its configuration; `state` is the folder that stands for its volume."""
    config = json.loads(_output("buildah", "inspect", "--type", "container", container))["Docker"]["config"]
    assert config["User"] == f"{USER}:{USER}"
    assert config["StopSignal"] == "SIGTERM"
    environment = dict(each.split("=", 1) for each in config["Env"])
    command = [*config["Entrypoint"], *config["Cmd"]]
    health = config["Healthcheck"]["Test"][1:]
    root = _output("buildah", "mount", container)
    return Tree(root, state, config["WorkingDir"], environment, command, health)
