"""Redis with replicas: a master that sentinels watch, and a cluster; either can lose a master."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tests.contract.redis_servers import (
    cluster_address,
    has_replicated,
    poll_until,
    start_cluster,
    start_server,
)

if TYPE_CHECKING:
    from tests.contract.redis_servers import RedisServer

MASTERS = 3


@dataclass
class Replicated:
    """The servers; the first of `masters` is the one to lose."""

    url: str
    servers: list[RedisServer]
    masters: list[RedisServer]

    def lose_master(self) -> None:
        """Kill a master once its replica has everything: what was not replicated is lost by Redis' design."""
        poll_until(lambda: has_replicated(self.masters[0]))
        self.masters[0].stop()


def start_watched() -> Replicated:
    """Start a master, its replica and three sentinels."""
    master = start_server()
    replica = start_server(f"replicaof 127.0.0.1 {master.port}")
    sentinels = [
        start_server(
            f"sentinel monitor sessions 127.0.0.1 {master.port} 2",
            "sentinel down-after-milliseconds sessions 1000",
            "sentinel failover-timeout sessions 5000",
            sentinel=True,
        )
        for _ in range(3)
    ]
    for sentinel in sentinels:
        for seen in ("num-slaves\n1", "num-other-sentinels\n2"):
            poll_until(partial(_tells, sentinel, seen))
    url = "redis+sentinel://" + ",".join(f"127.0.0.1:{one.port}" for one in sentinels) + "/sessions"
    return Replicated(url, [master, replica, *sentinels], [master])


def start_replicated() -> Replicated:
    """Start a cluster of three masters, each with a replica."""
    servers = start_cluster(MASTERS, replicas=1, silence_ms=500)
    return Replicated(cluster_address(servers), servers, servers[:MASTERS])


def _tells(sentinel: RedisServer, what: str) -> bool:
    return what in sentinel.ask("sentinel", "master", "sessions")
