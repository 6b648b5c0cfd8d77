"""`lexgate webhooks`: has lexoffice tell of changes, in the name of a user who is signed in."""

from gateway.subscriptions.commands import Refused, Wanted, perform
from gateway.subscriptions.user_api import opened_api

__all__ = ["Refused", "Wanted", "opened_api", "perform"]
