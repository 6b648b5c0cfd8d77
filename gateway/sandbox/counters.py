"""What happened in the sandbox, counted for tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """Numbers since the start; `api_calls` holds one entry for each `METHOD /path/{id}` template."""

    token_requests: Counter[str] = field(default_factory=Counter[str])
    """By grant type, whatever the answer."""
    token_answers: Counter[str] = field(default_factory=Counter[str])
    """By grant type, tokens given out alone."""
    token_errors: Counter[str] = field(default_factory=Counter[str])
    """By RFC 6749 error code."""
    api_calls: Counter[str] = field(default_factory=Counter[str])
    api_answers: Counter[str] = field(default_factory=Counter[str])
    """By HTTP status."""
    events: Counter[str] = field(default_factory=Counter[str])
    """sign_ins, denials, revoked_tokens, code_reuse, refresh_reuse, connections, jwks_requests, ..."""

    def document(self) -> dict[str, object]:
        """Return the JSON of `GET /sandbox/counters`."""
        return {
            "token_requests": dict(self.token_requests),
            "token_answers": dict(self.token_answers),
            "token_errors": dict(self.token_errors),
            "api_calls": self.api_calls.total(),
            "api_calls_by_route": dict(self.api_calls),
            "api_answers": dict(self.api_answers),
            "events": dict(self.events),
        }
