"""What an error page says of a cookie that is missing."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import LoginAttemptExpired, StateUnknown
from gateway.observability.exchange import Exchange, note_exchange
from gateway.observability.tracing import new_trace
from gateway.web.pages import Pages


def page_of(error: Any, public_url: str) -> str:  # noqa: ANN401 - any error of the gateway
    scope: dict[str, Any] = {"type": "http", "headers": [(b"accept-language", b"en")]}
    note_exchange(scope, Exchange(new_trace(), lambda: "127.0.0.1"))
    return Pages(public_url).build_error_page(error, scope=scope, return_to="/")


@pytest.mark.parametrize(
    ("error", "public_url", "is_told"),
    [
        (StateUnknown(), "http://localhost:8000", True),
        (StateUnknown(), "https://app.example.com", False),
        (LoginAttemptExpired(), "http://localhost:8000", False),
    ],
)
def test_of_safari_is_spoken_where_a_cookie_is_missing_and_there_is_no_tls(
    error: Any,  # noqa: ANN401 - as above
    public_url: str,
    is_told: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert ("Safari" in page_of(error, public_url)) is is_told
