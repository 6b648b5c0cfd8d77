"""Two workers on one SQLite file: what lexoffice delivers to one is told to the browsers of both."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx

from tests.flows.cli.crew import sockets_of, workers_of
from tests.flows.cli.stage import serving, settings_before
from tests.support.browser import Browser
from tests.support.event_streams import At, listening, next_event, organization_of
from tests.support.webhooks import LEXOFFICE, PATH, body_of
from tests.support.wire import SOON

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flows.cli.stage import HeldApi, Stage

STREAMS = 4


def deliver(stage: Stage, **changes: object) -> None:
    body = body_of(time.time(), **changes)
    headers = {"Content-Type": "application/json", "X-Lxo-Signature": LEXOFFICE.sign(body)}
    answer = httpx.post(f"{stage.public_url}{PATH}", content=body, headers=headers, trust_env=False)
    assert answer.status_code == 204


def test_what_lexoffice_tells_reaches_the_browsers_of_both_workers(api: HeldApi, tmp_path: Path) -> None:
    settings = settings_before(api, store="", workers="2", webhook_public_key=LEXOFFICE.pem, budget_rate="0")
    with (
        serving(api, settings, tmp_path) as stage,
        Browser(stage.public_url) as browser,
        ExitStack() as stack,
    ):
        browser.sign_in()
        organization = organization_of(browser)
        before = {pid: sockets_of(pid) for pid in workers_of(stage)}
        at = At(stage.public_url)
        streams = [stack.enter_context(listening(at, browser)) for _ in range(STREAMS)]
        assert len(before) == 2
        assert all(sockets_of(pid) > number for pid, number in before.items())

        began = time.monotonic()
        deliver(stage, organizationId=organization, eventType="invoice.changed", resourceId="an-invoice")
        heard = [next_event(stream) for stream in streams]
        assert time.monotonic() - began < SOON
        assert {(event.kind, event.document["resource_id"]) for event in heard} == {
            ("lexoffice", "an-invoice")
        }
        assert len({event.id for event in heard}) == 1

        assert api.app is not None
        connection = api.app.state.sandbox.grants.connections()[-1].id
        began = time.monotonic()
        deliver(stage, organizationId=organization, eventType="token.revoked", resourceId=connection)
        while not all(b"event: session.ended" in stream.received for stream in streams):
            for stream in streams:
                if b"event: session.ended" not in stream.received:
                    next_event(stream)
        assert time.monotonic() - began < SOON
        assert all(b'"reason":"grant_ended"' in stream.received for stream in streams)
        assert browser.fetch("/auth/session").json()["reason"] == "grant_ended"
