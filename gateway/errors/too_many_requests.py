"""One session asks for more at once, or sooner, than it may have (RFC 6585 §4)."""

from __future__ import annotations

from typing import ClassVar

from gateway.errors.request import BrowserError


class SessionBusy(BrowserError):
    """The session has as many calls or WebSockets open as it may (RFC 6585 §4)."""

    code = "session_busy"
    status = 429
    title = "Too many calls at once"


class BudgetExhausted(BrowserError):
    """The call's turn within the API's rate limit would come later than its caller would wait.

    `policy` and `limit` are the RateLimit-Policy and RateLimit fields that go with the answer.
    """

    code = "budget_exhausted"
    status = 429
    title = "Too many calls are waiting for the API"
    problem_type = "https://iana.org/assignments/http-problem-types#quota-exceeded"
    policy_name: ClassVar[str] = "default"

    def __init__(self, *, retry_after: int, policy: str, limit: str) -> None:
        super().__init__(retry_after=retry_after)
        self.policy = policy
        self.limit = limit


class TooManyStreams(BrowserError):
    """The session has as many streams of events open as it may (RFC 6585 §4)."""

    code = "too_many_streams"
    status = 429
    title = "Too many streams of events at once"
