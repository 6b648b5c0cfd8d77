"""A coarse name for the device a session was begun on, for its own user's list of sessions."""

from __future__ import annotations

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def describe_device(user_agent: str | None) -> str:
    """Return browser and system, such as "Firefox, Windows"; no version, and "" where neither is known."""
    text = (user_agent or "")[:1000]
    found = [next((name for sign, name in signs if sign in text), "") for signs in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in found if name)
