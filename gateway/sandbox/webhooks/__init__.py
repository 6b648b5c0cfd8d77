"""Webhooks: who subscribed to what, and the signed deliveries of it."""
