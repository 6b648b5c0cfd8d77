"""The webhook's key is read at the start, so that a wrong one is told then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.errors import ConfigurationError
from gateway.settings import load_settings
from tests.support.webhooks import LEXOFFICE
from tests.unit.test_settings import LEXWARE

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

OF_NO_KNOWN_KIND = """-----BEGIN PUBLIC KEY-----
MBowDQYJKoZIhvcNAQEEBQADCQAwBgIBAQIBAw==
-----END PUBLIC KEY-----
"""
"""A key by its form, whose algorithm the library has no name for."""


def pem_of(key: PublicKeyTypes) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def load_key(folder: Path, value: str) -> str | None:
    return load_settings({**LEXWARE, "LEXGATE_WEBHOOK_PUBLIC_KEY": value}, folder).webhook_public_key


def test_without_a_key_there_is_none(tmp_path: Path) -> None:
    assert load_settings(LEXWARE, tmp_path).webhook_public_key is None
    assert load_settings(LEXWARE, tmp_path).webhook_window == 48 * 3600


def test_a_key_is_the_path_of_a_file_or_its_text(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(LEXOFFICE.pem)
    for value in ("key.pem", str(tmp_path / "key.pem"), LEXOFFICE.pem):
        assert (load_key(tmp_path, value) or "").strip() == LEXOFFICE.pem.strip()


def test_anything_else_is_refused_and_not_repeated(tmp_path: Path) -> None:
    weak = pem_of(rsa.generate_private_key(65537, 1024).public_key())  # noqa: S505 - that is the point
    curve = pem_of(ec.generate_private_key(ec.SECP256R1()).public_key())
    (tmp_path / "empty.pem").write_text("")
    (tmp_path / "binary.pem").write_bytes(bytes(range(256)))
    wrong = (
        weak,
        curve,
        OF_NO_KNOWN_KIND,
        "missing.pem",
        "empty.pem",
        "binary.pem",
        ".",
        LEXOFFICE.pem[:-80],
    )
    for value in wrong:
        with pytest.raises(ConfigurationError) as refusal:
            load_key(tmp_path, value)
        assert [problem.split(": ")[0] for problem in refusal.value.problems] == [
            "LEXGATE_WEBHOOK_PUBLIC_KEY"
        ]
        assert "must be the path of a readable file" in refusal.value.problems[0]
        assert value not in refusal.value.problems[0] or value == "."
