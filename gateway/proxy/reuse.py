"""Whether what is stored may be reused for a caller, or why it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import NotCached
from gateway.proxy.caching import refuse_stored

if TYPE_CHECKING:
    from gateway.proxy.response_cache import ResponseCache
    from gateway.proxy.shared_call import Asked
    from gateway.proxy.stored_answer import StoredAnswer


def find_reusable(cache: ResponseCache, asked: Asked) -> tuple[StoredAnswer | None, str]:
    """Return a stored answer that will do, or why there is none in the words of RFC 9211 §2.2.

    Raises NotCached if there is none and the caller wants nothing else.
    """
    sharing, opened = asked.sharing, asked.opened
    stored = cache.find(sharing.kept_as, session=opened.session.key)
    refusal = "uri-miss"
    if stored is not None:
        refusal = refuse_stored(sharing.wanted, stored.freshness, cache.age(stored)) or ""
        if not refusal and not _is_searched(stored, asked):
            refusal = "miss"
        if not refusal:
            return stored, ""
    if sharing.wanted.only_if_cached:
        raise NotCached  # RFC 9111 §5.2.1.7
    return None, refusal


def is_reusable(cache: ResponseCache, stored: StoredAnswer | None, asked: Asked) -> bool:
    """Say whether what another process has fetched will do for one of those who wait for it."""
    wanted = asked.sharing.wanted
    if stored is None or refuse_stored(wanted, stored.freshness, cache.age(stored)):
        return False
    return _is_searched(stored, asked)


def _is_searched(stored: StoredAnswer, asked: Asked) -> bool:
    """Say whether the caller's token is not in a stored answer; it may be newer than the one searched for."""
    bearer = asked.opened.bearer
    if stored.searched_for != bearer:
        if not asked.forward.redactor(asked.opened).is_clear(stored.body):
            return False
        stored.searched_for = bearer
    return True
