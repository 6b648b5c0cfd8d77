"""Ids of things that are not drawn: the same in every sandbox."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5


def stable_id(*names: str) -> str:
    """Return a version 5 UUID of the names."""
    return str(uuid5(NAMESPACE_URL, "urn:lexgate:sandbox:" + ":".join(names)))
