"""The challenge is the verifier's, by the standards' own vectors."""

from __future__ import annotations

import re

import pytest

from gateway.oauth.pkce import build_code_challenge, new_code_verifier

# RFC 7636 appendix B, then lexoffice's own.
VECTORS = [
    ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    (
        (
            "oJdaNUDOIK3xpqlkZ79Sa3dLWst2rF5F8EXQVrqWfzckNOPBC67SzNffeTTb54jS"
            "pfuSAnawxLgddxbIqXh4APOrKYqhI8W5fXtIytVSgjLlrnMn0AUB5h2O6VD1sTDJ"
        ),
        "9s_XWOy5h9KO8CQCqzRKr3WEntoEJepUZS9d1IYh_uo",
    ),
]


@pytest.mark.parametrize(("code_verifier", "code_challenge"), VECTORS)
def test_the_challenge_of_a_known_verifier_is_known(code_verifier: str, code_challenge: str) -> None:
    """RFC 7636 §4.2: S256."""
    assert build_code_challenge(code_verifier) == code_challenge


def test_a_verifier_is_long_random_and_of_the_allowed_characters() -> None:
    """RFC 7636 §4.1: 43 to 128 unreserved characters."""
    verifiers = {new_code_verifier() for _ in range(200)}
    assert len(verifiers) == 200
    for verifier in verifiers:
        assert re.fullmatch(r"[A-Za-z0-9._~-]{86}", verifier)
