"""Which inline scripts and styles the policy of the app's page names."""

from __future__ import annotations

import base64
import hashlib

import pytest

from gateway.web.guard import SPA_POLICY
from gateway.web.inline_policy import allow_inline


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_a_page_without_inline_parts_keeps_the_strict_policy() -> None:
    page = '<!doctype html><script type="module" src="/app.js"></script><link rel="stylesheet" href="/a.css">'
    assert allow_inline(SPA_POLICY, page) == SPA_POLICY


def test_each_inline_script_and_style_is_named_once_by_its_hash() -> None:
    script = "\ntwo('ü')\n"
    parts = ("<style>a{}</style><script>one&amp;()</script>", f"<script type=module>{script}</script>")
    policy = allow_inline(SPA_POLICY, f"{parts[0]}<body>{parts[1]}<style>a{{}}</style>")
    assert f"script-src 'self' {hash_of('one&amp;()')} {hash_of(script)};" in policy
    assert f"style-src 'self' {hash_of('a{}')};" in policy
    assert policy.endswith("require-trusted-types-for 'script'; trusted-types lexgate")


def test_line_ends_count_as_browsers_read_them() -> None:
    policy = allow_inline(SPA_POLICY, "<script>a\r\nb\rc</script>")
    assert hash_of("a\nb\nc") in policy


@pytest.mark.parametrize(
    "page",
    [
        "<!-- <script>hidden()</script> -->",
        "<p>text</p>",
        "<button onclick='x()' style='color: red'>x</button>",
        "<textarea>&lt;script&gt;x()&lt;/script&gt;</textarea>",
    ],
)
def test_what_is_no_inline_element_is_not_named(page: str) -> None:
    assert allow_inline(SPA_POLICY, page) == SPA_POLICY
