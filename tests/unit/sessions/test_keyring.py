"""What is sealed opens only whole, in its place and with a secret on the ring."""

from __future__ import annotations

import hmac

import pytest

from gateway.errors import RecordUnreadable
from gateway.sessions.keyring import Keyring

OLD = "the old secret, which is thirty-two bytes long"
NEW = "the new secret, which is thirty-two bytes long"
PLAIN = b"token-canary"
PLACE = b"grant 1"


def test_what_is_sealed_opens_again() -> None:
    ring = Keyring([NEW])
    for plain in (b"", PLAIN, bytes(10_000)):
        assert ring.open(ring.seal(plain, aad=PLACE), aad=PLACE) == plain
    assert Keyring([NEW]).open(ring.seal(PLAIN, aad=PLACE), aad=PLACE) == PLAIN


def test_a_sealed_record_has_the_documented_form() -> None:
    sealed = Keyring([NEW]).seal(PLAIN, aad=PLACE)
    again = Keyring([NEW]).seal(PLAIN, aad=PLACE)
    assert len(sealed) == 1 + 4 + 12 + len(PLAIN) + 16
    assert sealed[:1] == b"\x01"
    assert sealed[:5] == again[:5]
    assert sealed[5:17] != again[5:17]
    assert PLAIN not in sealed


def test_every_changed_byte_is_noticed() -> None:
    ring = Keyring([NEW, OLD])
    sealed = ring.seal(PLAIN, aad=PLACE)
    for position in range(len(sealed)):
        for change in (0x01, 0x80, 0xFF):
            tampered = bytearray(sealed)
            tampered[position] ^= change
            with pytest.raises(RecordUnreadable):
                ring.open(bytes(tampered), aad=PLACE)


def test_every_shortening_is_noticed() -> None:
    ring = Keyring([NEW])
    sealed = ring.seal(PLAIN, aad=PLACE)
    for length in range(len(sealed)):
        with pytest.raises(RecordUnreadable):
            ring.open(sealed[:length], aad=PLACE)
    with pytest.raises(RecordUnreadable):
        ring.open(sealed + b"\x00", aad=PLACE)


def test_a_record_opens_in_its_own_place_alone() -> None:
    ring = Keyring([NEW])
    with pytest.raises(RecordUnreadable):
        ring.open(ring.seal(PLAIN, aad=PLACE), aad=b"grant 2")


def test_secrets_are_rotated_with_overlap() -> None:
    before, overlap, after = Keyring([OLD]), Keyring([NEW, OLD]), Keyring([NEW])
    old = before.seal(PLAIN, aad=PLACE)
    assert overlap.open(old, aad=PLACE) == PLAIN
    assert overlap.needs_reseal(old)
    new = overlap.seal(PLAIN, aad=PLACE)
    assert not overlap.needs_reseal(new)
    assert after.open(new, aad=PLACE) == PLAIN
    with pytest.raises(RecordUnreadable):
        after.open(old, aad=PLACE)
    with pytest.raises(RecordUnreadable):
        before.open(new, aad=PLACE)


def test_a_replica_that_knows_the_new_secret_only_second_opens_what_it_sealed() -> None:
    new = Keyring([NEW, OLD]).seal(PLAIN, aad=PLACE)
    assert Keyring([OLD, NEW]).open(new, aad=PLACE) == PLAIN
    assert Keyring([OLD, NEW]).needs_reseal(new)


def test_signing_keys_are_newest_first_and_not_the_secrets() -> None:
    keys = Keyring([NEW, OLD]).signing_keys
    assert keys == (Keyring([NEW]).signing_keys[0], Keyring([OLD]).signing_keys[0])
    assert {len(key) for key in keys} == {32}
    assert len({*keys, NEW.encode(), OLD.encode()}) == 4


def test_every_purpose_has_a_key_of_its_own() -> None:
    """HKDF-SHA256 with the purpose as `info` (RFC 5869 §2), here written out with nothing but HMAC."""
    pseudorandom_key = hmac.digest(bytes(32), NEW.encode(), "sha256")
    signing = hmac.digest(pseudorandom_key, b"lexgate signing\x01", "sha256")
    label = hmac.digest(pseudorandom_key, b"lexgate audit label\x01", "sha256")
    assert Keyring([NEW]).signing_keys == (signing,)
    assert Keyring([NEW]).label(b"key") == hmac.digest(label, b"key", "sha256").hex()[:16]


def test_a_label_names_a_session_without_giving_its_key() -> None:
    ring = Keyring([NEW])
    key = bytes(range(32))
    assert len(ring.label(key)) == 16
    assert ring.label(key) == Keyring([NEW, OLD]).label(key)
    assert ring.label(key) != ring.label(bytes(32))
    assert ring.label(key) != Keyring([OLD]).label(key)
    assert ring.label(key) not in key.hex()


def test_a_keyring_needs_a_secret() -> None:
    with pytest.raises(ValueError, match="needs a secret"):
        Keyring([])


def test_neither_repr_nor_errors_give_a_secret_away() -> None:
    ring = Keyring([NEW, OLD])
    assert repr(ring) == "Keyring(2 secrets)"
    sealed = ring.seal(PLAIN, aad=PLACE)
    for changed in (b"\x02" + sealed[1:], sealed[:-1] + b"x"):
        with pytest.raises(RecordUnreadable) as caught:
            ring.open(changed, aad=PLACE)
        assert not caught.value.detail
        assert "canary" not in f"{caught.value!r} {caught.value.log_detail}"
