"""What Chromium tells of a page's load: its paints, what moved, what scripts took, what was transferred."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

OBSERVER = """(() => {
  const told = { shifts: [], largest: 0, tasks: [] };
  const marked = (node) => [node.localName, ...node.classList].join(".") + (node.id && `#${node.id}`);
  const nameOf = (node) =>
    node instanceof Element ? marked(node) : node ? `${nameOf(node.parentNode)} (text)` : "(gone)";
  const placed = (rect) => [rect.x, rect.y, rect.width, rect.height].map(Math.round).join(" ");
  const observe = (type, note) =>
    new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
  observe("layout-shift", (entry) => {
    if (entry.hadRecentInput) return;
    const moved = entry.sources.map((source) =>
      `${nameOf(source.node)} [${placed(source.previousRect)}] -> [${placed(source.currentRect)}]`);
    told.shifts.push({ value: entry.value, at: entry.startTime, moved });
  });
  observe("largest-contentful-paint", (entry) => { told.largest = entry.startTime; });
  observe("longtask", (entry) => told.tasks.push([entry.startTime, entry.duration]));
  globalThis.vitals = () => ({ ...told, paints: Object.fromEntries(
    performance.getEntriesByType("paint").map((entry) => [entry.name, entry.startTime])) });
})()"""
"""Put into a page before its own scripts; `vitals()` then tells what was seen."""

_QUIET_MS = 600
_STEP_MS = 25
_LONGEST_MS = 90_000
_STREAM = "/auth/events"


@dataclass(frozen=True, slots=True)
class Shift:
    """One layout shift: its score, when it was (ms), and what moved where (x y width height)."""

    value: float
    at: float
    moved: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.value:.4f} at {self.at:.0f} ms: {'; '.join(self.moved)}"


@dataclass(frozen=True, slots=True)
class Sent:
    """One answer from the network: path, Chromium's word for its kind, bytes on the wire and of the body."""

    path: str
    kind: str
    wire_bytes: int
    body_bytes: int
    named_by: str
    """The document or module in whose text it stands, by its path; empty where a script asked as it ran."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What one load of a page came to; times in milliseconds from its navigation on."""

    first_paint: float
    first_contentful_paint: float
    largest_contentful_paint: float
    shifts: tuple[Shift, ...]
    blocking: float
    """What tasks took beyond 50 ms each."""
    script: float
    sent: tuple[Sent, ...]

    @property
    def shift(self) -> float:
        """All that moved, not only the worst five seconds of it."""
        return sum(shift.value for shift in self.shifts)

    @property
    def waterfall(self) -> list[str]:
        """What the browser learned of by reading a module, but for what scripts ask for when they need it."""
        late: set[str] = set()
        found: list[str] = []
        for one in self.sent:
            if one.kind == "Script" and (not one.named_by or one.named_by in late):
                late.add(one.path)
            elif one.kind == "Script" and one.named_by.endswith(".js"):
                found.append(f"{one.path}, named by {one.named_by}")
        return found

    def bytes(self, pattern: str = "") -> int:
        """Return the bytes of the coded bodies whose path matches, but for the API's answers."""
        return sum(one.body_bytes for one in self.sent if _is_app(one.path) and re.search(pattern, one.path))


@dataclass(eq=False)  # without slots: playwright marks whatever hears its events
class Watch:
    """Watches the loads of one page; to be made before it is opened."""

    page: Page
    session: CDPSession = field(init=False)
    _pending: set[str] = field(default_factory=set)
    _found: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.page.add_init_script(OBSERVER)
        self.session = self.page.context.new_cdp_session(self.page)
        for name in ("Network.enable", "Performance.enable"):
            self.session.send(name)
        self.session.on("Network.requestWillBeSent", self._on_sent)
        self.session.on("Network.responseReceived", self._on_response)
        self.session.on("Network.requestServedFromCache", self._on_cached)
        self.session.on("Network.dataReceived", self._on_data)
        self.session.on("Network.loadingFinished", self._on_finished)
        self.session.on("Network.loadingFailed", lambda told: self._pending.discard(told["requestId"]))

    def load(self, path: str, *, is_cold: bool = True) -> Vitals:
        """Open the page anew, from an empty cache or not, and wait until it asks for nothing more."""
        self.page.goto("about:blank")
        if is_cold:
            self.session.send("Network.clearBrowserCache")
        self._found.clear()
        self._pending.clear()
        before = self._script_seconds()
        self.page.goto(path, wait_until="load")
        self._wait_until_quiet()
        return self._read(self._script_seconds() - before)

    def _wait_until_quiet(self) -> None:
        quiet = waited = 0
        while quiet < _QUIET_MS:
            self.page.wait_for_timeout(_STEP_MS)
            waited += _STEP_MS
            quiet = 0 if self._pending else quiet + _STEP_MS
            if waited > _LONGEST_MS:
                raise AssertionError(f"still loading: {[self._found[one]['path'] for one in self._pending]}")

    def _read(self, script_seconds: float) -> Vitals:
        told = self.page.evaluate("vitals()")
        return Vitals(
            first_paint=told["paints"].get("first-paint", 0.0),
            first_contentful_paint=told["paints"].get("first-contentful-paint", 0.0),
            largest_contentful_paint=told["largest"],
            shifts=tuple(Shift(one["value"], one["at"], tuple(one["moved"])) for one in told["shifts"]),
            blocking=sum(duration - 50 for _, duration in told["tasks"]),
            script=script_seconds * 1e3,
            sent=tuple(
                Sent(one["path"], one["kind"], one["wire"], one["body"], one["by"])
                for one in self._found.values()
                if not one["cached"]
            ),
        )

    def _script_seconds(self) -> float:
        metrics = self.session.send("Performance.getMetrics")["metrics"]
        return float(sum(one["value"] for one in metrics if one["name"] == "ScriptDuration"))

    def _on_sent(self, told: dict[str, Any]) -> None:
        url = urlsplit(told["request"]["url"])
        if url.scheme.startswith("http") and url.path != _STREAM:
            if told.get("loaderId"):  # the end of a worker's script is told to the worker alone
                self._pending.add(told["requestId"])
            by = urlsplit(told["initiator"].get("url", "")).path
            one = {
                "path": url.path,
                "kind": told.get("type", "Other"),
                "by": by,
                "wire": 0,
                "body": 0,
                "head": 0,
                "cached": False,
            }
            self._found[told["requestId"]] = one

    def _on_response(self, told: dict[str, Any]) -> None:
        if told["requestId"] in self._found:
            one, response = self._found[told["requestId"]], told["response"]
            one["head"] = response.get("encodedDataLength", 0)
            one["cached"] = one["cached"] or response.get("fromDiskCache", False)

    def _on_cached(self, told: dict[str, Any]) -> None:
        if told["requestId"] in self._found:
            self._found[told["requestId"]]["cached"] = True

    def _on_data(self, told: dict[str, Any]) -> None:
        if told["requestId"] in self._found:
            self._found[told["requestId"]]["body"] += told.get("encodedDataLength", 0)

    def _on_finished(self, told: dict[str, Any]) -> None:
        self._pending.discard(told["requestId"])
        if told["requestId"] in self._found:
            one = self._found[told["requestId"]]
            one["wire"] = int(told["encodedDataLength"])
            one["body"] = max(0, one["wire"] - one["head"])


def _is_app(path: str) -> bool:
    return not path.startswith("/api/")
