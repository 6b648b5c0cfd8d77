"""How the answer of one call is served to all who want it: as it comes, or whole, from what is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.errors import ResourceServerTimeout
from gateway.proxy.answer import PassedAnswer
from gateway.proxy.caching import find_freshness
from gateway.proxy.invalidation import resource_of
from gateway.proxy.peer_look import begin_reading
from gateway.proxy.redaction import build_redactor
from gateway.proxy.shared_answer import BEHIND_BYTES, SharedAnswer
from gateway.proxy.stored_answer import StoredAnswer, build_stored_fields
from gateway.proxy.upstream_answer import broken

if TYPE_CHECKING:
    from gateway.proxy.answer_reader import Reader
    from gateway.proxy.caching import Freshness
    from gateway.proxy.call import CallRequest
    from gateway.proxy.deadlines import CallLimit
    from gateway.proxy.forward import Forward
    from gateway.proxy.response_cache import Reading, ResponseCache
    from gateway.proxy.shared_answer import Keeping
    from gateway.proxy.sharing import Sharing
    from gateway.proxy.upstream_answer import UpstreamAnswer
    from gateway.sessions.opened_session import OpenedSession


class Asked(NamedTuple):
    """A call that may be shared: who makes it, and how."""

    forward: Forward
    request: CallRequest
    opened: OpenedSession
    sharing: Sharing


class SharedCall:
    """It is decided once it is known how its answer is served: whole, as `stored`, or as it comes."""

    def __init__(self, asked: Asked, cache: ResponseCache, keeping: Keeping | None) -> None:
        self.asked = asked
        self.shared = SharedAnswer(asked.request.method, keeping)
        self.stored: StoredAnswer | None = None
        self.is_kept = False
        """Whether the cache took what is `stored`."""
        self.is_decided = False
        self.sole: Reader | None = None
        """The one who gets an answer that cannot be shared; all others ask for themselves."""
        self.tokens: list[bytes] = []
        self.retry_after = 0.0
        self._cache = cache
        self._reading: Reading | None = None
        self._boarded: dict[Reader, Asked] = {}

    @property
    def is_sent(self) -> bool:
        """Whether the resource server has been asked: what changes after that may not be in its answer."""
        return self._reading is not None

    def mark_sent(self) -> None:
        """Take note of the moment before the call is sent for the first time."""
        if self._reading is None:
            self._reading = begin_reading(self._cache, self.asked.opened)
            self.shared.wake()

    async def sent(self, reader: Reader) -> None:
        """Wait until the resource server is asked; raises what broke the call off."""
        while not self.is_sent:
            if self.shared.error is not None:
                raise self.shared.error
            await reader.wait()

    async def decided(self, reader: Reader) -> None:
        """Wait until it is known how the answer is served; raises what broke the call off."""
        while not self.is_decided:
            if self.shared.error is not None:
                raise self.shared.error
            await reader.wait()

    async def _serve(self, answer: UpstreamAnswer, limit: CallLimit) -> None:
        """Decide how the answer is served, and see to it up to its end."""
        headers = [(name.lower(), value) for name, value in answer.headers]
        freshness = None
        if seconds := self.asked.sharing.seconds:
            now = self.asked.forward.clock()
            freshness = find_freshness(answer.status, headers, limit=seconds, now=now)
        most = self._cache.most_bytes
        if freshness is not None and (answer.length is None or answer.length <= most):
            self.shared.keeps = most
        else:
            freshness = None
            self._settle_who_reads(answer, headers, limit)
        self.shared.begin(answer.status, answer.headers, answer.length)
        if freshness is None:
            self._decide()
        await self._pump(answer, limit, freshness)

    def _settle_who_reads(
        self, answer: UpstreamAnswer, headers: list[tuple[bytes, bytes]], limit: CallLimit
    ) -> None:
        """Give to one alone what has no end, or is too much to be kept for slow readers."""
        is_endless = any(
            name == b"content-type" and value.lower().startswith(b"text/event-stream")
            for name, value in headers
        )
        if is_endless:
            limit.unbound()
        if is_endless or (answer.length or 0) > BEHIND_BYTES:
            self.sole = next((reader for reader in self._boarded if reader in self.shared.readers), None)

    async def _pump(self, answer: UpstreamAnswer, limit: CallLimit, freshness: Freshness | None) -> None:
        idle = self.asked.request.matched.route.timeouts.idle
        late = ResourceServerTimeout(log_detail="the answer stopped in its middle")
        shared = self.shared
        while not answer.is_whole:
            limit.begin(idle, late)
            piece = await answer.read()
            if piece:
                shared.feed(piece)
            if freshness is not None and shared.kept_bytes > shared.keeps:
                freshness, shared.keeps = None, 0  # more than the cache takes: on it goes as it comes
                self._decide()
            if freshness is None and not shared.readers:
                raise broken("nobody waits for the answer any more")
            limit.lift()
            await shared.wait_for_room()
        if rest := answer.read_whole():
            shared.feed(rest)
        answer.release()
        if freshness is not None:
            self._keep(freshness)
        shared.finish()
        self._decide()

    def _keep(self, freshness: Freshness) -> None:
        """Make the whole answer of what came, and have it stored."""
        request, sharing = self.asked.request, self.asked.sharing
        reading = self._reading
        if reading is None:
            raise AssertionError
        passed = PassedAnswer(self.shared, build_redactor(self.tokens), request.matched.route)
        body = passed.take_whole(self.shared.read_kept())
        fields, etag = build_stored_fields(passed.fields, passed.content_type, body)
        self.stored = stored = StoredAnswer(
            fields=fields,
            content_type=passed.content_type,
            body=body,
            etag=etag,
            freshness=freshness,
            wall=reading.wall,
            monotonic=reading.monotonic,
            number=reading.number,
            searched_for=self.tokens[-1],
            resource=resource_of(sharing.path),
        )
        self.is_kept = self._cache.store(sharing.kept_as, stored, reading)

    def _decide(self) -> None:
        self.is_decided = True
        self.shared.wake()
