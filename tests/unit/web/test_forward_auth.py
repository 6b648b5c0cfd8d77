"""How a proxy is told who signed in, and which paths ask for it."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from gateway.web.forward_auth import is_forward_auth, write_subject


@pytest.mark.parametrize(
    ("subject", "written"),
    [
        ("0195-ab@example.com", b"0195-ab@example.com"),
        ("auth0|7", b"auth0|7"),
        ("a b", b"a%20b"),
        ("50%20", b"50%2520"),
        ("Jörg", b"J%C3%B6rg"),
        ("a\r\nSet-Cookie: b\0\x7f", b"a%0D%0ASet-Cookie:%20b%00%7F"),
    ],
)
def test_a_subject_is_one_visible_word_that_can_be_read_back(subject: str, written: bytes) -> None:
    assert write_subject(subject) == written
    assert unquote(written.decode()) == subject


@pytest.mark.parametrize(
    ("path", "asks"),
    [
        ("/auth/forward", True),
        ("/auth/forward/", True),
        ("/auth/forward/reports/7", True),
        ("/auth/forwards", False),
        ("/auth/Forward", False),
        ("/auth", False),
    ],
)
def test_the_path_and_what_is_below_it_ask(path: str, asks: bool) -> None:  # noqa: FBT001 - a table
    assert is_forward_auth(path) is asks
