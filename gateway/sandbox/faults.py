"""Faults to inject: what is wrong with the sandbox just now."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FAULTS: dict[str, str] = {
    "token_slow": "the token endpoint waits `seconds` (5) before it works",
    "token_failing": "the token endpoint answers 500 and does nothing",
    "token_aborting": "the token endpoint does its work, but the connection closes in mid-answer",
    "token_429": "the token endpoint answers 429 with Retry-After: `seconds` (2)",
    "token_invalid_grant": "every refresh is answered invalid_grant; the tokens stay as they are",
    "refresh_lost": "a refresh rotates the tokens, but the connection closes without an answer",
    "access_token_death": "all access tokens die at once, or each one `after` seconds from its issue",
    "connection_revoked": "all connections end at once, or each one `after` seconds from its sign-in",
    "api_slow": "the API waits `seconds` (3) before it works",
    "api_401": "the API answers 401, though the token is good",
    "api_403_echo": "the API answers 403 with the bearer token quoted in the message",
    "api_429": "the API answers 429 and does nothing",
    "api_500": "the API answers 500 and does nothing",
    "api_504": "the API does its work, but answers 504 after `seconds` (30)",
    "api_abort": "the API does its work, but the connection closes in mid-answer",
    "api_dropped": "the API does its work, but the connection closes without an answer",
    "key_roll": "a new signing key, at once; the key set publishes the old one beside it",
    "clock_skew": "iat, exp and auth_time of id_tokens are off by `seconds` (600; negative: in the past)",
}
"""Name and description of every fault; the numbers in brackets are the parameters' defaults."""


class UnknownFault(ValueError):
    """The name is none of FAULTS; the message lists them all."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown fault {name!r}; there are: {', '.join(FAULTS)}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One active fault; `times` is how often it will still strike, None for always."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    times: int | None = None

    def seconds(self, default: float, key: str = "seconds") -> float:
        """Return the number under `key`, or `default`."""
        return float(self.parameters.get(key, default))

    def document(self) -> dict[str, object]:
        """Return the JSON of one fault in `GET /sandbox/faults`."""
        return {"name": self.name, "parameters": dict(self.parameters), "times": self.times}


class Faults:
    """The active faults; those in `immediate` do their work when they are injected.

    API faults take two more parameters: `path`, which the path must start with, and `method`.
    """

    def __init__(self, immediate: Mapping[str, Callable[[], None]]) -> None:
        self._immediate = immediate
        self._active: dict[str, Fault] = {}

    def inject(
        self, name: str, parameters: Mapping[str, Any] | None = None, times: int | None = None
    ) -> None:
        """Switches a fault on, in place of the same one before.

        Raises:
            UnknownFault: there is no such fault.
            ValueError: a parameter that has to be a number is none, or `times` is less than 1.

        """
        if name not in FAULTS:
            raise UnknownFault(name)
        if times is not None and times < 1:
            raise ValueError("times must be a positive number or null")
        fault = Fault(name, dict(parameters or {}), times)
        for key in fault.parameters.keys() & {"seconds", "after"}:
            fault.seconds(0, key)
        if name in self._immediate and "after" not in fault.parameters:
            self._immediate[name]()
            return
        self._active[name] = fault

    def clear(self, name: str | None = None) -> None:
        """Switches one fault off, or all."""
        if name is None:
            self._active.clear()
        else:
            self._active.pop(name, None)

    def active(self) -> tuple[Fault, ...]:
        """Return what is switched on."""
        return tuple(self._active.values())

    def take(self, name: str, *, method: str = "", path: str = "") -> Fault | None:
        """Count one strike of the fault and return it, or None where it does not strike."""
        fault = self._active.get(name)
        if fault is None or not _fits(fault, method, path):
            return None
        if fault.times is not None:
            left = fault.times - 1
            if left:
                self._active[name] = replace(fault, times=left)
            else:
                del self._active[name]
        return fault


def _fits(fault: Fault, method: str, path: str) -> bool:
    wanted = str(fault.parameters.get("method", method))
    return wanted.upper() == method.upper() and path.startswith(str(fault.parameters.get("path", "")))
