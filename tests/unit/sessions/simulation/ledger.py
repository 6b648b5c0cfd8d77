"""What was seen of a history, by which its every step is judged; it shares no code with the gateway.

A refresh token is in *doubt* once its holder died, its request was left without an answer that says what
happened, or the claim on it could not be kept up because the store failed. Only then may it be sent again;
and not even then if the holder lives, and the store did not fail it: it is about to write or to renew.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.unit.sessions.simulation.server import USED_TWICE

if TYPE_CHECKING:
    from gateway.sessions.session import Grant
    from tests.unit.sessions.simulation.replica import Replica
    from tests.unit.sessions.simulation.server import SimulatedServer


DOUBT_SECONDS = 4.5
"""For so long a holder whose lease has lapsed must be waited for while the store answers."""
_READY_SECONDS = 1.0
"""So long after its last trouble with the store a living holder has written, or renewed its lease."""
_HOLDING_SECONDS = 600.0
"""For so long new tokens are kept in hand."""


@dataclass(eq=False)
class Sending:
    """A refresh token on its way to the authorization server, from a replica and for a grant."""

    replica: Replica
    at: float
    outcome: str = "open"
    """open, unspent, unknown, answered or refused."""


@dataclass
class Ledger:
    """The facts, and the assertions about them."""

    server: SimulatedServer
    sendings: dict[str, list[Sending]] = field(default_factory=lambda: defaultdict(list[Sending]))
    doubts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set[str]))
    claims: dict[tuple[Replica, bytes], str] = field(default_factory=dict[tuple["Replica", bytes], str])
    """How the store answered each replica's newest claim on a grant."""
    lapsed: dict[tuple[Replica, bytes], float] = field(default_factory=dict[tuple["Replica", bytes], float])
    """Since when a replica has been shown another's lapsed lease, without a break."""
    hindered: dict[Replica, float] = field(default_factory=dict["Replica", float])
    """When each replica last had trouble with the store."""
    refused: dict[Replica, set[str]] = field(default_factory=lambda: defaultdict(set[str]))
    newest: dict[bytes, Grant] = field(default_factory=dict[bytes, "Grant"])
    """Each grant as it was last seen in the store."""
    ended: dict[bytes, str] = field(default_factory=dict[bytes, str])
    signed_out: set[bytes] = field(default_factory=set[bytes])
    spoiled: set[str] = field(default_factory=set[str])
    """Connections with a sign-in that came to nothing or was hindered: its tokens may be nowhere."""
    troubles: set[str] = field(default_factory=set[str])
    """Whose failures there have been: store or server."""

    broken: list[str] = field(default_factory=list[str])

    def doubt(self, token: str | None, why: str) -> None:
        """Note that nobody can know whether the token was spent."""
        if token is not None:
            self.doubts[token].add(why)

    def note_claim(self, replica: Replica, key: bytes, outcome: str, now: float) -> None:
        """Note what the store has answered to a claim."""
        if outcome.startswith("granted"):
            self.claims[replica, key] = outcome
            replica.claiming.add(key)
            return
        if outcome == "lapsed":
            self.lapsed.setdefault((replica, key), now)
        else:
            self.lapsed.pop((replica, key), None)

    def note_sending(self, token: str, replica: Replica, now: float) -> None:
        """Note that a replica sends a refresh token: never again, unless it is in doubt."""
        keys = [key for key, grant in self.newest.items() if grant.tokens.refresh_token == token]
        since = min((self.lapsed.pop((replica, key), now) for key in keys), default=now)
        for earlier in self.sendings[token]:
            if earlier.outcome != "unspent" and not self.doubts[token]:
                # Raised where the schedule is decided: the gateway would take it for an error of its own.
                self.broken.append(f"{token!r} is sent again, which was sent before ({earlier.outcome})")
            if self._is_in_use(earlier, since=since, now=now):
                self.broken.append(f"{token!r} is sent again, and its holder lives ({earlier.outcome})")
        self.sendings[token].append(Sending(replica, now))

    def _is_in_use(self, earlier: Sending, *, since: float, now: float) -> bool:
        """Say whether a token's earlier holder has, or is about to get, its successor, and can store it."""
        if earlier.replica.is_dead or earlier.outcome not in {"open", "answered"}:
            return False
        if now - earlier.at > _HOLDING_SECONDS:
            return False
        was_waited_for = now - since >= DOUBT_SECONDS
        is_hindered = self.hindered.get(earlier.replica, 0.0) >= now - _READY_SECONDS
        return not (was_waited_for and is_hindered)

    def note_outcome(self, token: str, replica: Replica, outcome: str) -> None:
        """Note what the replica has learnt about the token that it sent."""
        for sending in self.sendings[token]:
            if sending.replica is replica and sending.outcome == "open":
                sending.outcome = outcome
        if outcome == "unknown":
            self.doubt(token, "no answer")
            self.troubles.add("server")
        if outcome == "unspent":
            self.troubles.add("server")
        if outcome == "refused":
            self.refused[replica].add(token)

    def note_grant(self, grant: Grant) -> None:
        """Note how a grant stands in the store: it only goes forward, and keeps its beginning."""
        known = self.newest.get(grant.key)
        if self.ended.pop(grant.key, None) is not None:
            assert known is None or (grant.created_at, grant.generation) != (
                known.created_at,
                known.generation,
            )
        elif known is not None:
            assert grant.generation >= known.generation, f"{grant.generation} after {known.generation}"
            assert grant.created_at == known.created_at, "a refresh moved the grant's beginning"
            assert grant.ends_at >= known.ends_at, "a refresh moved the grant's end"
            if grant.generation == known.generation:
                assert grant.tokens == known.tokens, "two sets of tokens of one generation"
        self.newest[grant.key] = grant

    def note_end(self, replica: Replica, grant_key: bytes, reason: str) -> None:
        """Note that a replica has ended a grant: its stored token was refused, and the reason is right."""
        grant = self.newest[grant_key]
        token = grant.tokens.refresh_token
        assert token in self.refused[replica], f"{reason}, but the token in the store was not refused"
        was_abandoned = self.claims[replica, grant_key] == "granted_abandoned"
        assert (reason == "refresh_lost") == was_abandoned, (
            f"{reason} after {self.claims[replica, grant_key]}"
        )
        assert token is not None
        connection = self.server.connection_of(token)
        if connection.name not in self.spoiled:
            assert token not in connection.replaced, f"{reason}, but a sign-in is bringing new tokens"
        if reason == "refresh_lost":
            assert self.doubts[token], "refresh_lost, but nothing was in doubt"
        else:
            assert token not in connection.spent, "grant_ended, but a refresh was lost"
            if connection.dead == USED_TWICE:
                assert self.was_in_doubt(connection.name), "the gateway itself used a token twice"
        self.ended[grant_key] = reason

    def was_in_doubt(self, connection: str) -> bool:
        """Say whether any token of a connection was ever in doubt."""
        return any(why and token.split()[1] == connection for token, why in self.doubts.items())
