"""Small draws from a seeded generator."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from random import Random

_UMLAUTS = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "ß": "ss", "é": "e", "ç": "c"})


def draw_id(random: Random) -> str:
    """Return a version 4 UUID, the same for the same seed."""
    return str(UUID(int=random.getrandbits(128), version=4))


def ascii_name(name: str) -> str:
    """Return a name's first words as they stand in a host name."""
    plain = re.sub(r"[^a-z0-9 ]", "", name.lower().translate(_UMLAUTS))
    return "-".join(plain.split()[:2])
