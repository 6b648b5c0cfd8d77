"""Which inline scripts and styles a page of the SPA has, as its Content-Security-Policy names them."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser


def allow_inline(policy: str, page: str) -> str:
    """Return the policy with the hash of each `<script>` and `<style>` that stands in the page itself.

    The page is a file of the operator's, as trustworthy as the files that it loads: what somebody smuggles
    into the document later has another hash. Attributes such as `onclick` and `style` stay refused.
    """
    found = _Inline()
    found.feed(page.replace("\r\n", "\n").replace("\r", "\n"))  # as browsers read it, and so hash it
    found.close()
    for directive, texts in (("script-src 'self'", found.scripts), ("style-src 'self'", found.styles)):
        policy = policy.replace(directive, " ".join((directive, *dict.fromkeys(map(_hash, texts)))))
    return policy


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


class _Inline(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self._into: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        if tag == "style":
            self._into = self.styles
        elif tag == "script" and all(name != "src" for name, _ in attrs):
            self._into = self.scripts
        if self._into is not None:
            self._into.append("")

    def handle_data(self, data: str) -> None:
        """Take a piece of its text."""
        if self._into is not None:
            self._into[-1] += data

    def handle_endtag(self, tag: str) -> None:
        """End it."""
        _ = tag
        self._into = None
