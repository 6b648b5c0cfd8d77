"""lexgate: a backend for frontend for lexoffice and any other OAuth 2.0 protected financial API."""

__version__ = "0.1.0"
