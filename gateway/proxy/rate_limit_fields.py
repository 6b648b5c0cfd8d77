"""The header fields in which browsers ask for a place in a budget's queue, and are told about it (PURE).

RateLimit-Policy and RateLimit are those of draft-ietf-httpapi-ratelimit-headers-11.
"""

from __future__ import annotations

import re
from fractions import Fraction

from gateway.errors import BudgetExhausted

DEFAULT_URGENCY = 3
"""RFC 9218 §4.1: 0 is the most urgent, 7 the least."""

_LONGEST = 512
_COARSEST = 3600
_ITEM = r'(?:"(?:[ !#-\[\]-~]|\\["\\])*"|\([^()]*\)|:[A-Za-z0-9+/=]*:|[^\s"(),:;=][^\s"(),;=]*)'
_PARAMETERS = rf"(?: *; *[a-z*][a-z0-9_.*-]*(?:={_ITEM})?)*"
_MEMBER = re.compile(
    rf"[ \t]*([a-z*][a-z0-9_.*-]*)(?:=({_ITEM}))?{_PARAMETERS}[ \t]*(?:,(?=[ \t]*[a-z*])|\Z)"
)


def parse_urgency(priority: bytes | None) -> int:
    """Return the urgency that a Priority field asks for, 3 where it says nothing of it.

    RFC 9218 §4: a value that is out of range or of another type counts as not there, and so does a field
    that is no dictionary of RFC 9651; of members with the same name the last one counts.
    """
    if priority is None or len(priority) > _LONGEST:
        return DEFAULT_URGENCY
    text = priority.decode("latin-1").strip(" ")
    urgency, place = DEFAULT_URGENCY, 0
    while place < len(text):
        member = _MEMBER.match(text, place)
        if member is None:
            return DEFAULT_URGENCY
        if member[1] == "u":
            value = member[2] or ""
            urgency = int(value) if re.fullmatch(r"[0-7]", value, re.ASCII) else DEFAULT_URGENCY
        place = member.end()
    return urgency


def build_policy(rate: float) -> str:
    """Build the RateLimit-Policy field of so many calls a second: in whole calls and whole seconds."""
    share = Fraction(rate).limit_denominator(_COARSEST)
    return f'"{BudgetExhausted.policy_name}";q={share.numerator};w={share.denominator}'


def build_limit(seconds: int) -> str:
    """Build the RateLimit field that says that nothing can be had for so long."""
    return f'"{BudgetExhausted.policy_name}";r=0;t={seconds}'
