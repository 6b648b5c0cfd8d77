"""The endpoints that a browser sees beside /api."""
