"""The books behind the sandbox, as a test changes them; the sandbox tells the gateway as lexoffice would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.support.running import Running


class Books:
    """The books of one organization of the sandbox."""

    def __init__(self, running: Running, organization: str = "nordlicht") -> None:
        self._url = f"{running.sandbox_url}/sandbox/changes"
        self._organization = organization

    def change(self, action: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Change the books; see the sandbox's `/sandbox/changes`. Return the voucher."""
        order = {"organization": self._organization, "action": action, **more}
        answer = httpx.post(self._url, json=order)
        assert answer.status_code == 200, answer.text
        voucher: dict[str, Any] = answer.json()
        return voucher
