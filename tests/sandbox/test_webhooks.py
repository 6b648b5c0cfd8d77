"""Webhooks: what is announced to whom, how it is signed, and what becomes of a delivery."""

from __future__ import annotations

import base64
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from gateway.sandbox.accounts import NORDLICHT, REBENHOF
from gateway.sandbox.books.changes import add_random_invoice, pay, void
from gateway.sandbox.webhooks import callback
from gateway.sandbox.webhooks.event import EVENT_TYPES
from tests.sandbox.test_invoices import INVOICE
from tests.sandbox.test_resources import ARTICLE, CONTACT
from tests.sandbox.test_vouchers import bookkeeping_voucher
from tests.support.wire import Heard, Reply, Wire, reply, running_wire, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from gateway.sandbox import Sandbox
    from tests.sandbox.stage import Clock, Person, Stage

TAKEN = Reply(b"HTTP/1.1 204 No Content\r\n\r\n")


@pytest.fixture
def hook() -> Iterator[Wire]:
    with running_wire() as wire:
        wire.script = lambda _: TAKEN
        yield wire


@pytest.fixture
def eager(stage: Stage, clock: Clock, sandbox: Sandbox) -> Sandbox:
    """Give a sandbox that tries again twice, and soon."""
    assert sandbox
    return stage.put_on(clock, webhook_retries=(0.01, 0.01))


def subscribe_to_everything(sandbox: Sandbox, hook: Wire, organization_id: str = NORDLICHT.id) -> None:
    for event_type in EVENT_TYPES:
        sandbox.webhooks.subscribe(organization_id, event_type, f"{hook.url}/hook")


def settled(sandbox: Sandbox, hook: Wire) -> list[dict[str, Any]]:
    """Wait for the end of all deliveries and return what arrived, without the dates and in any order."""
    until(lambda: all(delivery.is_over for delivery in sandbox.webhooks.deliveries()))
    return [json.loads(heard.body) for heard in hook.heard if heard.method == "POST"]


def types_of(sandbox: Sandbox, hook: Wire) -> list[str]:
    return sorted(event["eventType"] for event in settled(sandbox, hook))


def test_a_delivery_is_signed_over_its_bytes(sandbox: Sandbox, http: httpx.Client, hook: Wire) -> None:
    sandbox.webhooks.subscribe(NORDLICHT.id, "invoice.created", f"{hook.url}/hook")
    voucher = add_random_invoice(sandbox.books[NORDLICHT.id], sandbox.random, now=sandbox.now())
    (event,) = settled(sandbox, hook)
    assert event == {
        "organizationId": NORDLICHT.id,
        "eventType": "invoice.created",
        "resourceId": voucher.id,
        "eventDate": "2026-09-21T16:13:20.000+02:00",
    }
    (heard,) = hook.heard
    assert (heard.method, heard.target, heard.header("content-type")) == (
        "POST",
        b"/hook",
        "application/json",
    )
    assert heard.body == json.dumps(event, separators=(",", ":")).encode()
    pem = http.get("/sandbox/webhook-key.pem").content
    assert pem.decode() == sandbox.webhook_public_key_pem()
    key = load_pem_public_key(pem)
    assert isinstance(key, RSAPublicKey)
    signature = base64.b64decode(heard.header("x-lxo-signature") or "", validate=True)
    key.verify(signature, heard.body, PKCS1v15(), SHA512())
    with pytest.raises(InvalidSignature):
        key.verify(signature, heard.body + b" ", PKCS1v15(), SHA512())


def test_changes_through_the_api_are_announced(person: Person, sandbox: Sandbox, hook: Wire) -> None:
    token = person.sign_in().access_token
    subscribe_to_everything(sandbox, hook)
    contact = person.api("POST", "/contacts", token, json=CONTACT).json()["id"]
    changed = {**person.api("GET", f"/contacts/{contact}", token).json(), "note": "neu"}
    assert person.api("PUT", f"/contacts/{contact}", token, json=changed).status_code == 200
    article = person.api("POST", "/articles", token, json=ARTICLE).json()["id"]
    changed = {**person.api("GET", f"/articles/{article}", token).json(), "title": "Docht"}
    assert person.api("PUT", f"/articles/{article}", token, json=changed).status_code == 200
    assert person.api("DELETE", f"/articles/{article}", token).status_code == 204
    events = settled(sandbox, hook)
    assert sorted((event["eventType"], event["resourceId"]) for event in events) == [
        ("article.changed", article),
        ("article.created", article),
        ("article.deleted", article),
        ("contact.changed", contact),
        ("contact.created", contact),
    ]


def test_bookkeeping_vouchers_and_invoices_are_announced(
    person: Person, sandbox: Sandbox, hook: Wire
) -> None:
    token = person.sign_in().access_token
    wanted = bookkeeping_voucher(person, token)
    subscribe_to_everything(sandbox, hook)
    voucher = person.api("POST", "/vouchers", token, json=wanted).json()["id"]
    changed = {**person.api("GET", f"/vouchers/{voucher}", token).json(), "remark": "neu"}
    assert person.api("PUT", f"/vouchers/{voucher}", token, json=changed).status_code == 200
    made = person.api("POST", "/invoices?finalize=true", token, json=INVOICE).json()["id"]
    events = settled(sandbox, hook)
    assert sorted((event["eventType"], event["resourceId"]) for event in events) == [
        ("invoice.created", made),
        ("voucher.changed", voucher),
        ("voucher.created", voucher),
    ]


def test_a_refused_change_announces_nothing(person: Person, sandbox: Sandbox, hook: Wire) -> None:
    token = person.sign_in().access_token
    subscribe_to_everything(sandbox, hook)
    assert person.api("POST", "/contacts", token, json={}).status_code == 406
    assert person.api("DELETE", "/articles/unknown", token).status_code == 404
    assert sandbox.webhooks.deliveries() == ()


def test_payments_and_ends_of_invoices_are_announced(sandbox: Sandbox, hook: Wire) -> None:
    books = sandbox.books[NORDLICHT.id]
    first, second = (add_random_invoice(books, sandbox.random, now=sandbox.now()) for _ in range(2))
    subscribe_to_everything(sandbox, hook)
    pay(books, first.id, amount=1, now=sandbox.now())
    assert types_of(sandbox, hook) == ["payment.changed"]
    hook.heard.clear()
    pay(books, first.id, now=sandbox.now())
    assert types_of(sandbox, hook) == ["invoice.status.changed", "payment.changed"]
    hook.heard.clear()
    void(books, second.id, now=sandbox.now())
    assert types_of(sandbox, hook) == ["invoice.status.changed"]


def test_an_organization_hears_of_its_own_books_alone(sandbox: Sandbox, hook: Wire) -> None:
    subscribe_to_everything(sandbox, hook, REBENHOF.id)
    add_random_invoice(sandbox.books[NORDLICHT.id], sandbox.random, now=sandbox.now())
    assert sandbox.webhooks.deliveries() == ()
    add_random_invoice(sandbox.books[REBENHOF.id], sandbox.random, now=sandbox.now())
    assert [event["organizationId"] for event in settled(sandbox, hook)] == [REBENHOF.id]


def test_the_end_of_a_connection_is_announced(person: Person, sandbox: Sandbox, hook: Wire) -> None:
    token = person.sign_in().access_token
    connection = person.api("GET", "/profile", token).json()["connectionId"]
    subscribe_to_everything(sandbox, hook)
    sandbox.faults.inject("connection_revoked")
    (event,) = settled(sandbox, hook)
    assert (event["eventType"], event["resourceId"]) == ("token.revoked", connection)


def test_a_connection_that_the_client_revokes_itself_is_no_news(
    person: Person, sandbox: Sandbox, hook: Wire
) -> None:
    tokens = person.sign_in()
    subscribe_to_everything(sandbox, hook)
    assert person.revoke(tokens.refresh_token).status_code == 200
    assert sandbox.grants.connections() == ()
    assert sandbox.webhooks.deliveries() == ()


def test_a_connection_that_is_replaced_is_announced(
    stage: Stage, clock: Clock, http: httpx.Client, person: Person, hook: Wire
) -> None:
    assert http
    sandbox = stage.put_on(clock, reconnect="replace")
    first = person.sign_in()
    subscribe_to_everything(sandbox, hook)
    second = person.sign_in_again()
    assert person.api("GET", "/profile", first.access_token).status_code == 401
    connection = person.api("GET", "/profile", second.access_token).json()["connectionId"]
    assert [event["resourceId"] for event in settled(sandbox, hook)] == [connection]


def test_a_delivery_that_fails_is_tried_again(eager: Sandbox, http: httpx.Client, hook: Wire) -> None:
    answers = [reply(500), reply(301, b"", "Location: /elsewhere"), TAKEN]
    hook.script = lambda _: answers.pop(0)
    eager.webhooks.subscribe(NORDLICHT.id, "invoice.created", f"{hook.url}/hook")
    add_random_invoice(eager.books[NORDLICHT.id], eager.random, now=eager.now())
    first, *others = settled(eager, hook)
    assert others == [first, first]
    (told,) = http.get("/sandbox/deliveries").json()["deliveries"]
    assert (told["state"], told["eventType"]) == ("delivered", "invoice.created")
    assert [attempt["outcome"] for attempt in told["attempts"]] == ["500", "301", "204"]
    assert [heard.target for heard in hook.heard] == [b"/hook"] * 3


def test_the_thread_of_deliveries_ends_with_them(sandbox: Sandbox, hook: Wire) -> None:
    before = set(threading.enumerate())

    def couriers() -> list[str]:
        new = set(threading.enumerate()) - before
        return [thread.name for thread in new if thread.name == "sandbox-webhooks"]

    sandbox.webhooks.subscribe(NORDLICHT.id, "invoice.created", f"{hook.url}/hook")
    hook.script = lambda _: TAKEN if couriers() else reply(500)
    for _ in range(2):
        add_random_invoice(sandbox.books[NORDLICHT.id], sandbox.random, now=sandbox.now())
        assert len(settled(sandbox, hook)) == len(sandbox.webhooks.deliveries())
        until(lambda: couriers() == [])
    assert [delivery.state for delivery in sandbox.webhooks.deliveries()] == ["delivered"] * 2


def test_a_delivery_that_always_fails_is_given_up(eager: Sandbox) -> None:
    eager.webhooks.subscribe(NORDLICHT.id, "invoice.created", "http://127.0.0.1:1/hook")
    add_random_invoice(eager.books[NORDLICHT.id], eager.random, now=eager.now())
    until(lambda: all(delivery.is_over for delivery in eager.webhooks.deliveries()))
    (delivery,) = eager.webhooks.deliveries()
    assert delivery.state == "given_up"
    assert [attempt.outcome for attempt in delivery.attempts] == ["unreachable"] * 3


def test_gone_ends_the_subscription(eager: Sandbox, hook: Wire) -> None:
    hook.script = lambda _: reply(410)
    books = eager.books[NORDLICHT.id]
    eager.webhooks.subscribe(NORDLICHT.id, "invoice.created", f"{hook.url}/hook")
    add_random_invoice(books, eager.random, now=eager.now())
    settled(eager, hook)
    assert [delivery.state for delivery in eager.webhooks.deliveries()] == ["unsubscribed"]
    assert books.subscriptions == {}
    add_random_invoice(books, eager.random, now=eager.now())
    assert len(eager.webhooks.deliveries()) == 1


def test_nothing_is_delivered_to_a_subscription_that_was_deleted(eager: Sandbox, hook: Wire) -> None:
    books = eager.books[NORDLICHT.id]

    def unsubscribe(_: Heard) -> Reply:
        books.subscriptions.clear()
        return reply(503)

    hook.script = unsubscribe
    eager.webhooks.subscribe(NORDLICHT.id, "invoice.created", f"{hook.url}/hook")
    add_random_invoice(books, eager.random, now=eager.now())
    assert len(settled(eager, hook)) == 1
    assert [delivery.state for delivery in eager.webhooks.deliveries()] == ["unsubscribed"]


def test_a_subscriber_that_is_slow_is_not_waited_for(
    eager: Sandbox, hook: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback, "LIMIT_SECONDS", 0.05)
    hook.script = lambda _: Reply(waits=True)
    eager.webhooks.subscribe(NORDLICHT.id, "invoice.created", f"{hook.url}/hook")
    add_random_invoice(eager.books[NORDLICHT.id], eager.random, now=eager.now())
    settled(eager, hook)
    (delivery,) = eager.webhooks.deliveries()
    assert [attempt.outcome for attempt in delivery.attempts] == ["timeout"] * 3


def test_a_callback_url_is_asked_before_it_is_subscribed(
    person: Person, sandbox: Sandbox, hook: Wire
) -> None:
    token = person.sign_in().access_token
    wanted = {"eventType": "contact.created", "callbackUrl": f"{hook.url}/hook"}
    hook.script = lambda _: Reply(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    refused = person.api("POST", "/event-subscriptions", token, json=wanted)
    assert refused.status_code == 406
    (detail,) = refused.json()["details"]
    assert (detail["field"], "404" in detail["message"]) == ("callbackUrl", True)
    nowhere = {**wanted, "callbackUrl": "http://127.0.0.1:1/"}
    assert person.api("POST", "/event-subscriptions", token, json=nowhere).status_code == 406
    assert sandbox.books[NORDLICHT.id].subscriptions == {}
    hook.script = lambda _: TAKEN
    assert person.api("POST", "/event-subscriptions", token, json=wanted).status_code == 201
    assert {heard.method for heard in hook.heard} == {"HEAD"}
    assert person.api("POST", "/contacts", token, json=CONTACT).status_code == 200
    assert types_of(sandbox, hook) == ["contact.created"]


@pytest.mark.parametrize(
    "url", ["http://xn--/", "http://127.0.0.1:1/\ud800", "http://a b/", "http://a:99999/"]
)
async def test_a_url_that_nobody_can_call_is_unreachable(url: str) -> None:
    assert await callback.check_callback(url) == "unreachable"


def test_the_oldest_deliveries_are_forgotten(
    eager: Sandbox, monkeypatch: pytest.MonkeyPatch, hook: Wire
) -> None:
    monkeypatch.setattr("gateway.sandbox.webhooks.webhooks._KEPT", 2)
    eager.webhooks.subscribe(NORDLICHT.id, "contact.deleted", f"{hook.url}/hook")
    for resource_id in "abc":
        eager.webhooks.announce(NORDLICHT.id, "contact.deleted", resource_id)
        settled(eager, hook)
    assert [delivery.event.resource_id for delivery in eager.webhooks.deliveries()] == ["c", "b"]
