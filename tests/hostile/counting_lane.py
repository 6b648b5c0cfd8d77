"""The lane itself, which counts what it takes, answers and hands over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.proxy.lane import Lane

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.proxy.browser_connection import Remembered
    from gateway.proxy.lane_call import LaneBrowser, LaneCall, LaneRequest


class CountingLane(Lane):
    """`taken` calls were begun; `answered` and `handed_over` tell how they ended, unless the browser left.

    While it is not `is_open`, all calls take the long way.
    """

    taken = answered = handed_over = 0
    is_open = True

    def begin(self, browser: LaneBrowser, request: LaneRequest) -> LaneCall | None:
        call = super().begin(_CountingBrowser(self, browser), request) if self.is_open else None
        self.taken += call is not None
        return call

    def reset(self) -> None:
        """Begin to count."""
        self.taken = self.answered = self.handed_over = 0
        self.is_open = True


class _CountingBrowser:
    """A LaneBrowser."""

    def __init__(self, lane: CountingLane, browser: LaneBrowser) -> None:
        self._lane = lane
        self._browser = browser

    @property
    def when_left(self) -> Callable[[], None] | None:
        return self._browser.when_left

    @when_left.setter
    def when_left(self, callback: Callable[[], None] | None) -> None:
        self._browser.when_left = callback

    @property
    def remembered(self) -> Remembered | None:
        return self._browser.remembered

    @remembered.setter
    def remembered(self, remembered: Remembered | None) -> None:
        self._browser.remembered = remembered

    def answer_lane(self, call: LaneCall, status: int, fields: bytes, body: bytes) -> None:
        self._lane.answered += 1
        self._browser.answer_lane(call, status, fields, body)

    def hand_over(self, call: LaneCall) -> None:
        self._lane.handed_over += 1
        self._browser.hand_over(call)
