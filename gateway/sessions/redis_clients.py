"""redis-py's clients for a single Redis, for a master that sentinels name, and for a cluster, made alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio.connection import AbstractConnection

    from gateway.sessions.redis_place import RedisPlace

_POOL = 64


class RedisClient(Protocol):
    """What the store needs of a client; errors are redis-py's own."""

    async def run(self, *command: bytes | str | float) -> Any:  # noqa: ANN401 - whatever Redis answers
        """Return the answer to a command."""
        ...

    async def run_all(self, commands: Sequence[Sequence[bytes | str | float]]) -> list[Any]:
        """Return the answers to commands that may be sent together, and to different servers."""
        ...

    def masters(self) -> frozenset[str]:
        """Return the names of the servers that take writes, as far as is known without asking."""
        ...

    async def connect(self) -> dict[str, AbstractConnection]:
        """Return a new connection to each server that takes writes, after asking which these are."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


def build_client(place: RedisPlace, *, seconds: float) -> RedisClient:
    """Return the client for a place; nothing is connected yet."""
    options = _build_options(place, seconds)
    if place.kind == "cluster":
        return _Cluster(place, options)
    if place.kind == "sentinel":
        return _Watched(place, options)
    return _Single(place, options)


def _build_options(place: RedisPlace, seconds: float) -> dict[str, Any]:
    return {
        "username": place.username,
        "password": place.password,
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        # A write that is repeated behind our back may be done twice: a sign-in would find its own key used.
        "retry": Retry(NoBackoff(), 0),
        # In the third, answers and published messages of one connection come in no order that we could use.
        "protocol": 2,
    }


class _Single:
    """A Redis at one address."""

    def __init__(self, place: RedisPlace, options: dict[str, Any]) -> None:
        host, port = place.addresses[0]
        if place.is_encrypted:
            options |= {"connection_class": SSLConnection, "ssl_ca_certs": place.ca_file}
        self._pool: Any = BlockingConnectionPool(
            max_connections=_POOL, host=host, port=port, db=place.db, **options
        )
        self._client: Any = Redis.from_pool(self._pool)

    async def run(self, *command: bytes | str | float) -> Any:  # noqa: ANN401 - see RedisClient
        return await self._client.execute_command(*command)

    async def run_all(self, commands: Sequence[Sequence[bytes | str | float]]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return list(await pipeline.execute())

    def masters(self) -> frozenset[str]:
        return frozenset({""})

    async def connect(self) -> dict[str, AbstractConnection]:
        connection = self._pool.make_connection()
        await connection.connect()
        return {"": connection}

    async def close(self) -> None:
        await self._client.aclose()


class _Watched(_Single):
    """The master of a service, as sentinels name it whenever a connection is made."""

    def __init__(self, place: RedisPlace, options: dict[str, Any]) -> None:
        own = {name: value for name, value in options.items() if name not in ("username", "password")}
        options |= {"db": place.db, "ssl": place.is_encrypted, "max_connections": _POOL}
        if place.is_encrypted:
            options["ssl_ca_certs"] = own["ssl_ca_certs"] = place.ca_file
            own["ssl"] = True
        sentinels: type[Any] = Sentinel
        self._sentinel = sentinels(place.addresses, sentinel_kwargs=own, **options)
        self._client = self._sentinel.master_for(place.service)
        self._pool = self._client.connection_pool

    async def close(self) -> None:
        await super().close()
        await self._sentinel.aclose()


class _Cluster(_Single):
    """A cluster, whose nodes redis-py asks where things are."""

    def __init__(self, place: RedisPlace, options: dict[str, Any]) -> None:
        if place.is_encrypted:
            options |= {"ssl": True, "ssl_ca_certs": place.ca_file}
        nodes = [ClusterNode(host, port) for host, port in place.addresses]
        self._client = RedisCluster(startup_nodes=nodes, max_connections=_POOL, **options)

    def masters(self) -> frozenset[str]:
        return frozenset(node.name for node in self._client.get_primaries())

    async def connect(self) -> dict[str, AbstractConnection]:
        await self._client.initialize()
        # What is known of the cluster may be from before a failover.
        await self._client.nodes_manager.initialize()
        connections: dict[str, Any] = {}
        try:
            for node in self._client.get_primaries():
                connections[node.name] = node.connection_class(**node.connection_kwargs)
                await connections[node.name].connect()
        except BaseException:
            for connection in connections.values():
                await connection.disconnect(nowait=True)
            raise
        return connections
