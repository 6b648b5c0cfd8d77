"""A sign-in begins with a navigation that a person sees, and with nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.browser.csrf import judge_navigation
from gateway.errors import NavigationRequired

if TYPE_CHECKING:
    from collections.abc import Sequence

NAVIGATIONS: Sequence[tuple[str, str | None, str | None, str | None, bool]] = [
    ("GET", "navigate", "document", None, True),
    ("HEAD", "navigate", "document", None, True),
    ("GET", None, None, None, True),
    ("GET", "navigate", None, None, True),
    ("GET", None, "document", None, True),
    ("GET", "navigate", "document", "something-new", True),
    ("POST", "navigate", "document", None, False),
    ("POST", None, None, None, False),
    ("PUT", None, None, None, False),
    ("OPTIONS", None, None, None, False),
    ("get", "navigate", "document", None, False),
    ("GET", "cors", "empty", None, False),
    ("GET", "no-cors", "image", None, False),
    ("GET", "no-cors", "script", None, False),
    ("GET", "same-origin", "empty", None, False),
    ("GET", "websocket", "websocket", None, False),
    ("GET", "navigate", "iframe", None, False),
    ("GET", "navigate", "frame", None, False),
    ("GET", "navigate", "embed", None, False),
    ("GET", "navigate", "object", None, False),
    ("GET", "navigate", "empty", None, False),
    ("GET", "navigate", "", None, False),
    ("GET", "", "document", None, False),
    ("GET", "Navigate", "document", None, False),
    ("GET", "navigate", "Document", None, False),
    ("GET", "nested-navigate", "document", None, False),
    ("GET", "cors", None, None, False),
    ("GET", None, "iframe", None, False),
    ("GET", "navigate", "document", "prefetch", False),
    ("GET", "navigate", "document", "prefetch;prerender", False),
    ("GET", "navigate", "document", "prefetch;anonymous-client-ip", False),
    ("GET", None, None, "prefetch", False),
]


@pytest.mark.parametrize(("method", "mode", "dest", "purpose", "passes"), NAVIGATIONS)
def test_a_sign_in_begins_with_a_persons_top_level_navigation(
    method: str, mode: str | None, dest: str | None, purpose: str | None, *, passes: bool
) -> None:
    try:
        judge_navigation(method=method, sec_fetch_mode=mode, sec_fetch_dest=dest, sec_purpose=purpose)
    except NavigationRequired:
        assert not passes
    else:
        assert passes
