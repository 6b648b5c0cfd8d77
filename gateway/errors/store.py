"""The session store is at fault; nobody is signed out for it."""

from __future__ import annotations

from gateway.errors.gateway_error import GatewayError


class StoreError(GatewayError):
    """The session store is at fault; nobody is signed out for it."""

    code = "store_error"
    status = 503
    title = "Sessions cannot be read just now"


class StoreUnavailable(StoreError):
    """The store does not answer, or not in time."""

    code = "store_unavailable"


class RecordUnreadable(StoreError):
    """A sealed record cannot be opened with any of the configured secrets."""

    code = "record_unreadable"


class ClockSkewed(StoreError):
    """This machine's clock is far from the store's, so that it would end sessions which live for others."""

    code = "clock_skewed"
