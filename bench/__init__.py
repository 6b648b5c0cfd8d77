"""The load harness: lexgate and its peers on one pinned core each, before one upstream."""
