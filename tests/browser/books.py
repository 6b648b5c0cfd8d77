"""The books behind the sandbox, as a test changes them; the gateway hears of it as lexoffice would tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from gateway.events.event import Event

if TYPE_CHECKING:
    from tests.support.running import Running


class Books:
    """The books of one organization of the sandbox."""

    def __init__(self, running: Running, organization: str = "nordlicht") -> None:
        self._running = running
        self._organization = organization

    def change(self, action: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Change the books; see the sandbox's `/sandbox/changes`. Return the voucher."""
        order = {"organization": self._organization, "action": action, **more}
        answer = httpx.post(f"{self._running.sandbox_url}/sandbox/changes", json=order)
        assert answer.status_code == 200, answer.text
        voucher: dict[str, Any] = answer.json()
        self.announce("invoice.changed", voucher["id"])
        return voucher

    def announce(self, event_type: str, resource_id: str) -> None:
        """Tell the gateway of an event."""
        organization = self._running.sandbox.books_of(self._organization).organization.id
        event = Event(type=event_type, organization_id=organization, resource_id=resource_id, date="now")
        self._running.call(self._running.gateway._bus.publish(event))  # noqa: SLF001
