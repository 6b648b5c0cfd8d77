"""Two sessions of Anna's one connection, one of Jonas's, and an upstream that answers when it is let."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.raw_upstream import OK
from tests.support.wire import SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.app import Gateway
    from gateway.proxy.asking_once import AskingOnce
    from tests.hostile.stage import Stage
    from tests.support.raw_browser import RawBrowser, SignedIn
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Answer, Request

KEPT = "/api/v1/kept/thing"
SHARED = "/api/v1/thing"


@dataclass
class Scene:
    """`anna` and `anna_too` share a grant; the gate holds the upstream's answers back while it is not set."""

    stage: Stage
    gate: threading.Event = field(default_factory=threading.Event)
    answers: int = 0
    """How often the upstream answered; each answer says which it was."""

    @property
    def anna(self) -> SignedIn:
        return self.stage.people[0]

    @property
    def anna_too(self) -> SignedIn:
        return self.stage.people[1]

    @property
    def jonas(self) -> SignedIn:
        return self.stage.people[2]

    @property
    def gateway(self) -> Gateway:
        return self.stage.running.gateway

    @property
    def asking_once(self) -> AskingOnce:
        return self.gateway._asking_once  # noqa: SLF001 - what is under way is seen nowhere else

    def reset(self) -> None:
        """Begin a test with nothing kept."""
        self.stage.reset()
        self.gate.set()
        self.answers = 0
        self.stage.upstream.script = self.answer_numbered
        self.on_loop(self.asking_once.cache.forget_everything)
        self.stage.running.gateway._asking_once.cache._unsettled.clear()  # noqa: SLF001 - of the test before

    def on_loop(self, work: Any) -> Any:  # noqa: ANN401 - any function of the gateway's
        """Call something where it may be called."""

        async def call() -> Any:  # noqa: ANN401 - its result
            return work()

        return self.stage.running.call(call())

    def answer_numbered(self, connection: Connection, request: Request) -> None:
        """Say whose token asked, for what, with which fields, and how many answers came before."""
        self.gate.wait(SECONDS)
        self.answers += 1
        connection.send(ok(self.body_of(request, self.answers)))

    @staticmethod
    def body_of(request: Request, number: int) -> bytes:
        caller = (request.header("authorization") or b"")[-12:].hex().encode()
        hidden = {"authorization", "traceparent", "host"}
        fields = sorted(
            b"%b=%b" % (name.encode(), value) for name, value in request.headers if name.lower() not in hidden
        )
        return b"%d %b %b %b" % (number, caller, request.target, b"; ".join(fields))

    def call(
        self,
        who: SignedIn,
        path: str = KEPT,
        fields: Mapping[str, str] | None = None,
        method: str = "GET",
        body: bytes = b"",
    ) -> Answer:
        """Make one call and return its answer."""
        self.stage.settle()
        own = dict(fields or {}) | ({"Content-Length": str(len(body))} if body else {})
        with self.stage.browser() as browser:
            return browser.ask(who.head(method, path, own) + body, method)

    @contextmanager
    def calling(self, *heads: bytes) -> Iterator[list[RawBrowser]]:
        """Send each head on a connection of its own, one after the other, each once the gateway has it."""
        with ExitStack() as stack:
            browsers: list[RawBrowser] = []
            for head in heads:
                browsers.append(stack.enter_context(self.stage.browser()))
                self.join(browsers[-1], head)
            yield browsers

    def join(self, browser: RawBrowser, head: bytes) -> None:
        """Send a head, and wait until its call waits for an answer."""
        before = self.waiting()
        browser.send(head)
        until(lambda: self.waiting() > before)

    def waiting(self) -> int:
        """Count who waits for calls that are shared."""
        flights = self.asking_once._aloft  # noqa: SLF001 - the same
        return int(self.on_loop(lambda: sum(len(each.shared.readers) for each in flights)))

    def asked(self, count: int) -> None:
        """Wait until the upstream was asked so often."""
        until(lambda: len(self.stage.upstream.requests) >= count)
        assert len(self.stage.upstream.requests) == count

    def targets(self) -> list[bytes]:
        return [request.target for request in self.stage.upstream.requests]


def ok(body: bytes, *fields: str) -> bytes:
    """Build a whole answer."""
    lines = "".join(f"{line}\r\n" for line in fields).encode("latin-1")
    return OK + lines + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def status_of(answer: Answer) -> str:
    """Return the Cache-Status without its ttl."""
    value = (answer.header("cache-status") or b"").decode()
    return "; ".join(
        part for part in value.removeprefix("lexgate; ").split("; ") if not part.startswith("ttl=")
    )
