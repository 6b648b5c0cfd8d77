"""What an API says of subscriptions is shown to the operator's terminal, and commands it nothing."""

from __future__ import annotations

import pytest

from gateway.subscriptions import Refused, Wanted, perform
from gateway.subscriptions.user_api import ApiAnswer

URL = "https://app.example/webhooks/lexoffice"
HOSTILE = ("\x1b[2J", "\n", "\ud800", "\u202e", "\u2066", "\u2028", "\x9b31m", "\0")


class ScriptedApi:
    """Answers every call alike."""

    def __init__(self, status: int, document: object) -> None:
        self.answer = ApiAnswer(status, document)

    async def call(self, method: str, path: str, content: object = None) -> ApiAnswer:
        _ = method, path, content
        return self.answer

    def is_secret(self, text: str) -> bool:
        return "secret" in text


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_subscription_that_would_command_the_terminal_is_not_shown(text: str) -> None:
    rows = [{"subscriptionId": "1", "eventType": "contact.changed", "callbackUrl": f"{URL}{text}"}]
    api = ScriptedApi(200, {"content": rows})
    assert [line async for line in perform("list", api, Wanted(URL))] == ["no subscriptions"]


@pytest.mark.parametrize("text", [*HOSTILE, "a secret"])
async def test_words_that_would_command_the_terminal_are_not_shown(text: str) -> None:
    api = ScriptedApi(500, {"message": f"a{text}b", "details": [{"field": text, "message": "c"}]})
    with pytest.raises(Refused) as refused:
        _ = [line async for line in perform("list", api, Wanted(URL))]
    assert str(refused.value) == "the subscriptions cannot be read: lexoffice answers 500"


async def test_what_an_api_says_is_shown() -> None:
    with pytest.raises(Refused, match="answers 500 \\(Größe zu klein\\)"):
        _ = [
            line
            async for line in perform("list", ScriptedApi(500, {"message": "Größe zu klein"}), Wanted(URL))
        ]
