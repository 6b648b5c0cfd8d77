"""A refresher whose every word to the store and the authorization server waits to be let through."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from gateway.errors import AuthorizationServerTimeout, StoreUnavailable
from gateway.observability.audit import Audit
from gateway.observability.metrics import Metrics
from gateway.sessions.keyring import Keyring
from gateway.sessions.refresh import Refresher
from gateway.sessions.refresh_flight import RefreshFlight
from gateway.sessions.refreshed_tokens import build_tokens
from gateway.sessions.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.authorization_server import AuthorizationServer
    from gateway.sessions.session import Grant, Session, Tokens
    from gateway.sessions.store import SessionStore

SECRET = "a secret of the simulated gateways, long enough"
SERVER_SECONDS = 30.0
"""How long the authorization server's client waits for an answer."""
STORE_SECONDS = 4.0
"""After which a store that does not answer is unavailable; what it was asked may still happen."""
_ACTING: ContextVar[Replica] = ContextVar("acting")


@dataclass(eq=False)
class Operation:
    """Something that was asked and not yet answered; `subject` is a grant's key, or a refresh token."""

    replica: Replica
    name: str
    subject: Any
    arguments: tuple[tuple[Any, ...], dict[str, Any]]
    future: asyncio.Future[Any]
    answer: object = None
    """What the authorization server has answered, while the answer is on its way."""
    is_stalled: bool = False

    @property
    def is_refresh(self) -> bool:
        """Say whether it is a token request that refreshes."""
        return self.name == "refresh"

    @property
    def is_of_store(self) -> bool:
        """Say whether the store was asked."""
        return self.name not in {"refresh", "confirm", "exchange"}


@dataclass(eq=False)
class Call:
    """A browser's call that waits for a grant."""

    replica: Replica
    task: asyncio.Task[Grant]
    used: Grant | None
    began: float
    seen: Grant
    """The grant as it was in the store when the call began."""
    was_left: bool = False
    was_hindered: bool = False

    @property
    def grant_key(self) -> bytes:
        """The grant that it is about."""
        return self.seen.key


@dataclass(eq=False)
class SignIn:
    """A sign-in under way: its code may be exchanged, and its session not stored yet."""

    replica: Replica
    task: asyncio.Task[Session]
    name: str
    was_hindered: bool = False


@dataclass(frozen=True)
class RefreshParts:
    """The classes of a refresher, so that wrong ones can take their place."""

    refresher: type[Refresher] = Refresher
    flight: type[RefreshFlight] = RefreshFlight
    vault: type[Vault] = Vault


@dataclass(eq=False)
class Replica:
    """One process: it can die, and then nothing of it goes on."""

    number: int
    pending: list[Operation]
    noted: Callable[[Operation], None]
    """Told of what is asked."""
    dropped: Callable[[Operation], None]
    """Told of what nobody waits for any more."""
    clock: Callable[[], float]
    parts: RefreshParts = field(default_factory=RefreshParts)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set[asyncio.Task[Any]])
    claiming: set[bytes] = field(default_factory=set[bytes])
    """The grants on which a claim of its own may stand."""
    unsettled: set[bytes] = field(default_factory=set[bytes])
    """The grants for which it has tokens that the store did not take; to be revoked if they are gone."""
    is_dead: bool = False

    def __post_init__(self) -> None:
        keyring = Keyring([SECRET])
        store = cast("SessionStore", _Store(self))
        vault = self.vault = self.parts.vault(store, keyring, idle_seconds=36000, max_seconds=360000)
        flight = self.parts.flight(
            vault=vault,
            authorization_server=cast("AuthorizationServer", _Server(self)),
            clock=self.clock,
            metrics=Metrics("0"),
            audit=Audit(),
            keyring=keyring,
        )
        self.refresher = self.parts.refresher(vault=vault, flight=flight, clock=self.clock)

    async def ask(self, name: str, subject: object, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - anything
        """Wait until somebody answers."""
        if self.is_dead:
            raise asyncio.CancelledError
        future = asyncio.get_running_loop().create_future()
        operation = Operation(self, name, subject, (args, kwargs), future)
        self.pending.append(operation)
        self.noted(operation)
        try:
            return await future
        finally:
            if operation in self.pending:
                self.pending.remove(operation)
                self.dropped(operation)

    async def call(self, grant_key: bytes, used: Grant | None, *, may_meet_401: bool) -> Grant:
        """Do what a proxied call does: ask for a grant, or for a newer one than was refused."""
        _ACTING.set(self)
        if used is not None:
            return await self.refresher.replaced_grant(used)
        return await self.refresher.valid_grant(grant_key, may_meet_401=may_meet_401)

    async def sign_in(self, name: str, *, shared: bool) -> Session:
        """Do what a callback does: exchange the code, and begin a session."""
        _ACTING.set(self)
        response = await self.ask("exchange", name)
        return await begin(self.vault, name, build_tokens(response, now=self.clock()), shared=shared)

    def own(self, task: asyncio.Task[Any]) -> None:
        """Note that a task is of this process."""
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def die(self) -> None:
        """End every task of the process where it stands."""
        self.is_dead = True
        for task in tuple(self.tasks):
            task.cancel()


async def begin(vault: Vault, name: str, tokens: Tokens, *, shared: bool) -> Session:
    """Begin a session with the tokens of a sign-in."""
    issuer, client_id = "https://as.example", "client"
    connection_id = name if shared else None
    session_id = vault.new_session_id(
        issuer=issuer, client_id=client_id, subject=name, connection_id=connection_id
    )
    session, _ = await vault.begin(
        session_id=session_id,
        issuer=issuer,
        client_id=client_id,
        subject=name,
        connection_id=connection_id,
        claims={},
        tokens=tokens,
        replaces=None,
        now=tokens.refreshed_at,
    )
    return session


def remember_task(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:  # noqa: ANN401 - the loop's own signature
    """Make a task, and note whose it is: the task factory of the loop."""
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
    replica = _ACTING.get(None)
    if replica is not None:
        replica.own(task)
    return task


class _Store:
    """A SessionStore for one replica."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def operation(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any operation's
            subject = getattr(args[0], "key", args[0])
            try:
                async with asyncio.timeout(STORE_SECONDS):
                    return await self._replica.ask(name, subject, *args, **kwargs)
            except TimeoutError:
                raise StoreUnavailable(log_detail="simulated", retry_after=1) from None

        return operation


class _Server:
    """The authorization server as one replica meets it."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    async def refresh(self, refresh_token: str) -> Any:  # noqa: ANN401 - a token response
        try:
            async with asyncio.timeout(SERVER_SECONDS):
                return await self._replica.ask("refresh", refresh_token)
        except TimeoutError:
            raise AuthorizationServerTimeout from None

    async def confirm_subject(
        self, _response: object, *, subject: str, auth_time: float | None = None
    ) -> None:
        _ = auth_time
        await self._replica.ask("confirm", subject)
