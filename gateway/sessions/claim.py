"""Who may spend a grant's refresh token: the decision that every store takes alike (PURE)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Lease:
    """The claim on a grant's present generation; an owner of b"" has let go of it."""

    owner: bytes = field(repr=False)
    until: float
    abandoned: bool
    """Whether an earlier owner's lease ended without a word, so that the token may have been spent."""


def decide_claim(
    lease: Lease | None, *, owner: bytes, until: float, now: float, takes_lapsed: bool = True
) -> tuple[Literal["granted", "granted_abandoned", "held", "lapsed"], Lease]:
    """Say what comes of a claim by `owner` until `until`, and the lease that then stands."""
    if lease is None:
        return "granted", Lease(owner, until, abandoned=False)
    running = lease.until > now
    if running and lease.owner != owner:
        return "held", lease
    if not running and lease.owner not in {owner, b""} and not takes_lapsed:
        return "lapsed", lease
    # An owner who asks again while its lease runs did not learn of the first answer: it is the same claim.
    abandoned = lease.abandoned or not running
    return ("granted_abandoned" if abandoned else "granted"), Lease(owner, until, abandoned)


def decide_release(lease: Lease, *, spent_unknown: bool, now: float) -> Lease | None:
    """Say what stays of a claim that its owner lets go of.

    Nothing if the token is certainly unspent; but an earlier owner's doubt outlives this one's certainty.
    """
    if not spent_unknown and not lease.abandoned:
        return None
    return Lease(b"", now, abandoned=True)
