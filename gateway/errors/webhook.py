"""What came to the webhook is not to be taken in."""

from __future__ import annotations

from gateway.errors.request import BrowserError


class WebhookSignatureInvalid(BrowserError):
    """What came to the webhook has not exactly one signature, or one that is not lexoffice's."""

    code = "webhook_signature_invalid"
    status = 401
    title = "The signature is invalid"


class WebhookInvalid(BrowserError):
    """What came to the webhook is not the JSON that lexoffice documents."""

    code = "webhook_invalid"
    title = "The delivery is malformed"


class WebhookOutdated(BrowserError):
    """What came to the webhook is signed, but tells of an event too long ago, or of one to come."""

    code = "webhook_outdated"
    title = "The delivery is outdated"


class WebhookBusy(BrowserError):
    """One organization has more delivered than it has room for (RFC 6585 §4); lexoffice repeats it."""

    code = "webhook_busy"
    status = 429
    title = "Too many deliveries of one organization"
