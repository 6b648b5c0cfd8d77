"""The REST API of lexoffice under /v1."""
