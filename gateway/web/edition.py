"""The shipped app under addresses that name its content: a browser that has it asks for none of it again."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.browser.content_coding import Coding
from gateway.web.coded_bodies import Body, build_body, version_of
from gateway.web.guard import SPA_POLICY, WORKER_POLICY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gateway.web.coded_bodies import Prepare, Version

_INDEX = "index.html"
_ADDRESS = re.compile(r"v-[0-9a-f]{16}/(?=.)")
_LINK = re.compile(r'(?<= )((?:href|src)=")/([^"]+)')


@dataclass(frozen=True, slots=True)
class Edition:
    """All files of the app as they were at one moment; `prefix` is the same wherever they are the same."""

    prefix: str
    page: Mapping[Coding, Body]
    """The app's page, whose links lead to the files of this edition."""
    digests: Mapping[str, tuple[Version, bytes]]
    """Of each file, by its path: which one was read, and the hash of what is sent."""

    def has(self, asked: str, path: str, stat: os.stat_result | None) -> bool:
        """Return whether an address with the prefix that was asked for will never have other bytes."""
        kept = self.digests.get(path)
        return asked == self.prefix and stat is not None and kept is not None and kept[0] == version_of(stat)


def split_address(path: str) -> tuple[str, str]:
    """Return the prefix of an edition, of this or any other, or "", and the path of the file."""
    found = _ADDRESS.match(path)
    return (found[0], path[found.end() :]) if found else ("", path)


class Editions:
    """The edition of a folder as it stands: what is changed has another address in the same moment."""

    def __init__(self, folder: Path, prepare: Prepare) -> None:
        self._folder = folder
        self._prepare = prepare
        # All that is known is replaced at once: of two looks the older may end last.
        self.latest = self._build(self._read_all(dict(_walk(str(folder))), {}))

    def look(self) -> Edition:
        """Return the edition of now; only what has changed is read. Takes a moment: call it in a thread."""
        known = self.latest
        try:
            found = dict(_walk(str(self._folder)))
            if found != {path: version for path, (version, _) in known.digests.items()}:
                known = self.latest = self._build(self._read_all(found, known.digests))
        except (OSError, UnicodeDecodeError):  # the files are being replaced at this very moment
            return self.latest
        return known

    def _read_all(
        self, found: Mapping[str, Version], known: Mapping[str, tuple[Version, bytes]]
    ) -> dict[str, tuple[Version, bytes]]:
        return {path: self._read(path, version, known.get(path)) for path, version in found.items()}

    def _read(self, path: str, version: Version, kept: tuple[Version, bytes] | None) -> tuple[Version, bytes]:
        if kept is not None and kept[0] == version:
            return kept
        full_path = self._folder / path
        with full_path.open("rb") as file:
            # Of what is read, not of what was listed: it may be another by now.
            version = version_of(os.fstat(file.fileno()))
            sent = self._prepare(str(full_path), file.read())
        return version, hashlib.sha256(sent).digest()

    def _build(self, digests: Mapping[str, tuple[Version, bytes]]) -> Edition:
        # RFC 9111 §3.1: a browser keeps the fields along with the bytes.
        total = hashlib.sha256(f"{SPA_POLICY}\0{WORKER_POLICY}\0".encode())
        for path, (_, digest) in sorted(digests.items()):
            total.update(path.encode() + b"\0" + digest)
        prefix = f"v-{total.hexdigest()[:16]}/"

        def lead(link: re.Match[str]) -> str:
            return f"{link[1]}/{prefix if link[2] in digests else ''}{link[2]}"

        page = _LINK.sub(lead, (self._folder / _INDEX).read_text("utf-8")).encode()
        return Edition(
            prefix=prefix,
            page={coding: build_body(page, coding) for coding in Coding},
            digests=digests,
        )


def _walk(folder: str, within: str = "") -> Iterator[tuple[str, Version]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _walk(entry.path, f"{within}{entry.name}/")
            else:
                yield f"{within}{entry.name}", version_of(entry.stat())
