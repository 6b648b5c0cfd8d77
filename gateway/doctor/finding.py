"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and what to do if it is not well."""

    state: State
    subject: str
    text: str
    remedy: str = ""

    def render(self) -> str:
        """Return the line."""
        sign = {"ok": "ok    ", "note": "note  ", "failed": "FAILED"}[self.state]
        remedy = f" -> {self.remedy}" if self.remedy else ""
        return f"{sign}  {self.subject}: {self.text}{remedy}"
