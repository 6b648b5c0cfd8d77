"""What the log tells of an exception: its type, its code, where it came from, and no value it may hold."""

from __future__ import annotations

import traceback
from errno import errorcode
from ssl import SSLError
from typing import TYPE_CHECKING, cast

from gateway.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FRAMES = 12
_CHAIN = 4


def describe_error(error: BaseException) -> dict[str, object]:
    """Return an exception's type, code, frames (innermost last) and causes, without a value or a local.

    The text of a foreign exception may quote a URL, a header or a body, and with it a token: only the
    gateway's own errors, whose `log_detail` is written for the log, are quoted.
    """
    chain = [_describe_one(each) for each in _chain(error)]
    if len(chain) > 1:
        chain[0]["causes"] = chain[1:]
    return chain[0]


def _chain(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    for _ in range(_CHAIN):
        if following is None:
            return
        yield following
        following = _cause(following)


def _cause(error: BaseException) -> BaseException | None:
    if isinstance(error, BaseExceptionGroup):
        return cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _describe_one(error: BaseException) -> dict[str, object]:
    described: dict[str, object] = {"type": type(error).__qualname__}
    if code := _code(error):
        described["code"] = code
    if isinstance(error, GatewayError):
        described["detail"] = str(error)
    described["frames"] = [
        f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ][-_FRAMES:]
    return described


def _code(error: BaseException) -> str | None:
    if isinstance(error, GatewayError):
        return error.code
    if isinstance(error, SSLError):
        reason: object = getattr(error, "reason", None)  # unset where Python itself made the error
        return reason if isinstance(reason, str) else None
    if isinstance(error, OSError):
        return errorcode.get(error.errno or 0)
    return None
