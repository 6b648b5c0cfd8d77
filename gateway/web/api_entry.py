"""Outermost of /api: what AccessLog, Guard and Problems do elsewhere, without a look at each message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.web.access_log import told

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.web.access_log import AccessLog
    from gateway.web.guard import Guard
    from gateway.web.problems import Problems


class ApiEntry:
    """Plain ASGI around an application that writes into the request's Exchange what it answers.

    That application also puts the guard's fields into its answers; only errors take the longer way.
    """

    def __init__(self, app: ASGIApp, *, access_log: AccessLog, guard: Guard, problems: Problems) -> None:
        self._app = app
        self._access_log = access_log
        self._guard = guard
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call; nothing escapes it."""
        exchange = self._access_log.begin(scope)
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - every error becomes an answer, here and nowhere else
            await self._problems.answer(error, scope, receive, self._guard.guarded(told(exchange, send)))
        finally:
            self._access_log.finish(scope, exchange)


class WebSocketEntry(ApiEntry):
    """The same around an application of WebSockets; each of their messages is counted."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket; nothing escapes it."""
        exchange = self._access_log.begin(scope)
        sending = self._guard.guarded(told(exchange, send))
        try:
            await self._app(scope, receive, sending)
        except OSError:
            return  # as ASGI tells that the browser has left
        except Exception as error:  # noqa: BLE001 - every error becomes an answer, here and nowhere else
            await self._problems.answer(error, scope, receive, sending)
        finally:
            self._access_log.finish(scope, exchange)
