"""The pools of connections to the resource servers; nothing outside this package knows of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.proxy.dialing import build_tls_context, parse_origin
from gateway.proxy.pool import IDLE_ROUNDS, Pool

if TYPE_CHECKING:
    from gateway.proxy.route import Route

IDLE_SECONDS = 15.0
"""How long a connection is kept that nobody uses: below what servers and balancers are known to keep."""


class Upstream:
    """The pools of all destinations: one for each origin and the certificates that it is checked against."""

    def __init__(self) -> None:
        self._pools: dict[str, Pool] = {}
        self._reaping: asyncio.TimerHandle | None = None

    def pool(self, route: Route) -> Pool:
        """Return the pool of a route's origin."""
        name = route.origin if route.ca_file is None else f"{route.origin} {route.ca_file}"
        pool = self._pools.get(name)
        if pool is None:
            origin = parse_origin(route.origin)
            tls = build_tls_context(route.ca_file) if origin.is_tls else None
            pool = self._pools[name] = Pool(origin, tls)
            if self._reaping is None:
                self._reap()
        return pool

    async def close(self) -> None:
        """Close every connection."""
        if self._reaping is not None:
            self._reaping.cancel()
            self._reaping = None
        for pool in self._pools.values():
            pool.close()

    def _reap(self) -> None:
        loop = asyncio.get_running_loop()
        for pool in self._pools.values():
            pool.reap()
        self._reaping = loop.call_later(IDLE_SECONDS / IDLE_ROUNDS, self._reap)
