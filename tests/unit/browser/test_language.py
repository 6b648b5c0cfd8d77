"""Pages speak the browser's preferred one of two languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.browser.language import choose_language


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("en;q=0.5, de;q=0.7", "de"),
        ("en;q=0.7, de;q=0.5", "en"),
        ("en, de", "en"),
        ("de, en", "de"),
        ("fr", "en"),
        ("fr, de;q=0.1", "de"),
        ("fr;q=1, *;q=0.5, de;q=0.4", "en"),
        ("*", "en"),
        ("*;q=0.1, de", "de"),
        ("de;q=0", "en"),
        ("de;q=0, en;q=0", "en"),
        ("de ; q=0.5", "de"),
        ("de;Q=1, en;q=0.9", "de"),
        ("de;x=1", "de"),
        ("de;q=2", "en"),
        ("de;q=-1", "en"),
        ("de;q=nan", "en"),
        ("de;q=inf", "en"),
        ("de;q=1e-400", "en"),
        ("de;q=", "en"),
        ("de;q=high", "en"),
        ("den", "en"),
        ("x-de", "en"),
        ("de_DE", "en"),
        (";q=1", "en"),
        (",,,de", "de"),
        ("\x00", "en"),
    ],
)
def test_the_language_of_highest_quality_is_chosen(accept_language: str | None, language: str) -> None:
    """RFC 9110 §12.5.4: quality values weigh the languages."""
    assert choose_language(accept_language) == language


def test_a_field_is_read_to_a_limit() -> None:
    assert choose_language("fr," * 1_000 + "de") == "en"
    assert choose_language("de" + "," * 10_000_000) == "de"


@given(st.text(max_size=60))
def test_any_field_chooses_one_of_the_two(accept_language: str) -> None:
    assert choose_language(accept_language) in {"de", "en"}
