"""The measured proxies, each on the same pinned core with a person signed in."""
