"""What is kept for a connection, over real sockets: by RFC 9111, and told by RFC 9211."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.flows.asking_once.scene import KEPT, Scene, ok, status_of
from tests.sandbox.test_resources import ARTICLE
from tests.support.browser import Browser
from tests.support.running import running_gateway, running_replica
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.running import Running

PROFILE = "/api/v1/profile"
ARTICLES = "/api/v1/articles"


def test_the_sessions_of_a_connection_are_answered_with_the_same_bytes(scene: Scene) -> None:
    first = scene.call(scene.anna)
    assert (first.header("cache-status"), first.header("age")) == (b"lexgate; fwd=uri-miss; stored", None)
    scene.stage.running.clock.advance(40)
    second = scene.call(scene.anna_too)
    assert second.body == first.body
    assert (second.header("cache-status"), second.header("age")) == (b"lexgate; hit; ttl=260", b"40")
    assert second.header("etag") == first.header("etag")
    scene.asked(1)


def test_a_reload_costs_no_body(scene: Scene) -> None:
    """RFC 9110 §13.1.2: a strong ETag of the gateway's own."""
    first = scene.call(scene.anna)
    etag = (first.header("etag") or b"").decode()
    again = scene.call(scene.anna_too, fields={"If-None-Match": f'"other", {etag}'})
    assert (again.status, again.body, again.header("etag")) == (304, b"", first.header("etag"))
    assert again.header("cache-control") == first.header("cache-control") == b"private, no-cache"
    assert again.header("vary") == first.header("vary") == b"Cookie"
    assert scene.call(scene.anna, fields={"If-None-Match": '"other"'}).status == 200
    scene.asked(1)


def test_what_had_to_be_asked_for_may_be_a_304_as_well(scene: Scene) -> None:
    scene.stage.upstream.say(ok(b"{}"), closes=False)
    etag = (scene.call(scene.anna).header("etag") or b"").decode()
    reload = scene.call(scene.anna, fields={"If-None-Match": etag, "Cache-Control": "max-age=0"})
    assert (reload.status, status_of(reload)) == (304, "fwd=request; stored")
    assert scene.stage.upstream.requests[-1].header("if-none-match") is None
    scene.asked(2)


def test_its_time_comes_to_an_end(scene: Scene) -> None:
    scene.call(scene.anna)
    scene.stage.running.clock.advance(301)
    assert status_of(scene.call(scene.anna)) == "fwd=stale; stored"
    scene.asked(2)


def test_the_apis_word_shortens_its_time(scene: Scene) -> None:
    scene.stage.upstream.say(ok(b"{}", "Cache-Control: max-age=60", "Age: 20"), closes=False)
    scene.call(scene.anna)
    found = scene.call(scene.anna)
    assert (found.header("cache-status"), found.header("age")) == (b"lexgate; hit; ttl=39", b"20")
    scene.stage.running.clock.advance(41)
    assert status_of(scene.call(scene.anna, fields={"Cache-Control": "max-stale=5"})) == "hit"
    assert status_of(scene.call(scene.anna)) == "fwd=stale; stored"


@pytest.mark.parametrize(
    ("directive", "status"),
    [
        ("max-age=10", "hit"),
        ("max-age=3", "fwd=request; stored"),
        ("no-cache", "fwd=request; stored"),
        ("min-fresh=290", "hit"),
        ("min-fresh=299", "fwd=request; stored"),
        ("max-stale", "hit"),
        ("only-if-cached", "hit"),
        ("no-store", ""),
    ],
)
def test_the_browsers_directives_are_obeyed(scene: Scene, directive: str, status: str) -> None:
    """RFC 9111 §5.2.1; what happened is told as RFC 9211 §2.2 has it."""
    scene.call(scene.anna)
    scene.stage.running.clock.advance(5)
    assert status_of(scene.call(scene.anna, fields={"Cache-Control": directive})) == status


def test_a_path_can_be_taken_out(scene: Scene) -> None:
    for _ in range(2):
        answer = scene.call(scene.anna, "/api/v1/kept/never/thing")
        assert status_of(answer) == "fwd=bypass"
        assert answer.header("cache-control") == b"no-store"


def test_a_fill_goes_on_when_its_browser_leaves_and_serves_the_next(scene: Scene) -> None:
    """Its turn within the rate limit is spent: a reload is to find the answer."""
    scene.gate.clear()
    with scene.calling(scene.anna.head("GET", KEPT)) as browsers:
        scene.asked(1)
        browsers[0].reset()
        until(lambda: scene.waiting() == 0)
    scene.gate.set()
    until(lambda: not scene.stage.upstream.busy())
    until(lambda: status_of(scene.call(scene.anna)) == "hit")
    scene.asked(1)


def test_a_refresh_empties_nothing(scene: Scene) -> None:
    scene.call(scene.jonas)
    with scene.stage.browser() as browser:
        scene.stage.running.clock.advance(20)
        refreshed = browser.ask(scene.jonas.head("POST", "/auth/session/refresh"), "POST")
    assert refreshed.status == 200
    assert status_of(scene.call(scene.jonas)) == "hit"


def test_what_happened_is_counted(scene: Scene) -> None:
    def counted(name: str) -> float:
        with Browser(scene.stage.running.admin_url) as operator:
            page = operator.fetch("/metrics").text
        found = [line for line in page.splitlines() if line.startswith(f"{name} ")]
        return float(found[0].rpartition(" ")[2]) if found else 0.0

    hits, misses = (f'lexgate_cache_answers_total{{outcome="{each}"}}' for each in ("hit", "miss"))
    before = counted(hits), counted(misses)
    scene.call(scene.anna)
    scene.call(scene.anna)
    assert (counted(hits), counted(misses)) == (before[0] + 1, before[1] + 1)
    assert counted("lexgate_cache_bytes") > 1000
    joined = counted("lexgate_shared_calls_total")
    scene.gate.clear()
    with scene.calling(*[scene.jonas.head("GET", KEPT)] * 2) as browsers:
        scene.gate.set()
        assert [browser.answer().status for browser in browsers] == [200, 200]
    assert counted("lexgate_shared_calls_total") == joined + 1


@pytest.fixture(scope="module")
def lexware(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Running]]:
    folder: Path = tmp_path_factory.mktemp("store")
    settings = {
        "LEXGATE_CACHE": json.dumps({ARTICLES: 300}),
        "LEXGATE_SCOPE": "profile.read contacts.read articles.read articles.write vouchers.read",
    }
    with (
        running_gateway(settings=settings, store=f"sqlite://{folder}/sessions.db") as first,
        running_replica(first) as second,
    ):
        yield first, second


@pytest.fixture
def browsers(lexware: tuple[Running, Running]) -> Iterator[tuple[Browser, Browser]]:
    """Let one person's browser meet both replicas."""
    first, second = lexware
    with Browser(first.public_url) as one, Browser(first.public_url, via=second.url) as other:
        one.sign_in()
        other.cookies = {host: dict(jar) for host, jar in one.cookies.items()}
        yield one, other


def kept(browser: Browser, path: str) -> bool:
    return "; hit" in browser.fetch(path).headers["cache-status"]


def test_reference_data_is_kept_by_default_and_the_books_are_not(browsers: tuple[Browser, Browser]) -> None:
    one, _ = browsers
    for path in (PROFILE, "/api/v1/countries", "/api/v1/posting-categories", "/api/v1/print-layouts"):
        assert one.fetch(path).status_code == 200
        assert kept(one, path), path
    for path in ("/api/v1/contacts", "/api/v1/voucherlist?voucherType=invoice&voucherStatus=any"):
        one.fetch(path)
        assert not kept(one, path), path


def test_what_one_replica_has_fetched_the_other_finds(browsers: tuple[Browser, Browser]) -> None:
    """RFC 9211 §2.8: a detail says where it was found."""
    one, other = browsers
    first = one.fetch("/api/v1/countries")
    found = other.fetch("/api/v1/countries")
    assert (found.content, found.headers["etag"]) == (first.content, first.headers["etag"])
    told = found.headers["cache-status"]
    assert told == "lexgate; hit; detail=peer" or told.startswith("lexgate; hit; ttl="), told


def test_a_write_through_one_replica_is_seen_through_the_other(browsers: tuple[Browser, Browser]) -> None:
    one, other = browsers
    for browser in browsers:
        browser.fetch(ARTICLES)
        browser.fetch(PROFILE)
        assert kept(browser, ARTICLES)
    made = one.fetch(ARTICLES, "POST", json=ARTICLE)
    assert made.status_code == 201, made.text
    assert made.json()["id"] in one.fetch(ARTICLES).text, "here it is seen at once"
    until(lambda: made.json()["id"] in other.fetch(ARTICLES).text)
    assert kept(one, PROFILE)
    assert kept(other, PROFILE)


def test_signing_out_clears_what_the_browser_has_on_disk(browsers: tuple[Browser, Browser]) -> None:
    one, _ = browsers
    assert one.fetch(PROFILE).headers["cache-control"] == "private, no-cache"
    assert '"cache"' in one.fetch("/auth/logout", "POST").headers["clear-site-data"]
