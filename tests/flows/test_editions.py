"""The shipped app's files under addresses that name their content: kept for a year, and never the wrong."""

from __future__ import annotations

import gzip
import os
import re
import shutil
from contextlib import contextmanager
from threading import Event, Thread, current_thread
from typing import TYPE_CHECKING

import anyio
import brotli  # type: ignore[import-untyped]
import httpx
import pytest

from gateway.parts import shipped_spa
from gateway.web import edition
from gateway.web.compression import strip_lines
from gateway.web.edition import Editions
from gateway.web.static_site import StaticSite
from tests.support.running import running_app, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Message

FOREVER = "public, max-age=31536000, immutable"
OTHER = "v-0123456789abcdef"
LINK = re.compile(r'(?:href|src)="/([^"]+)"')


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_gateway() as running:
        yield running.public_url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, trust_env=False) as client:
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(shipped_spa(), tmp_path / "spa")


@contextmanager
def site_of(folder: Path) -> Iterator[httpx.Client]:
    with (
        running_app(StaticSite(folder, strips=True)) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def prefix_of(page: str) -> str:
    found = re.search(r'src="/(v-[0-9a-f]{16})/app/main\.js"', page)
    assert found
    return found[1]


def test_all_that_the_apps_page_names_is_there_and_kept_for_a_year(client: httpx.Client) -> None:
    page = client.get("/").text
    prefix = prefix_of(page)
    links = LINK.findall(page)
    assert len(links) > 30
    for link in links:
        answer = client.get(f"/{link}")
        assert answer.status_code == 200
        is_the_apps = link != "auth/client.js"
        assert link.startswith(f"{prefix}/") is is_the_apps
        assert (answer.headers["cache-control"] == FOREVER) is is_the_apps


@pytest.mark.parametrize("accept", ["br", "gzip", "identity"])
def test_the_page_is_the_same_in_every_coding_and_under_every_path_of_the_app(
    client: httpx.Client, accept: str
) -> None:
    fields = {"Accept-Encoding": accept}
    with client.stream("GET", "/vouchers/invoice/17", headers=fields) as answer:
        sent = b"".join(answer.iter_raw())
    page = {"br": brotli.decompress, "gzip": gzip.decompress}.get(accept, bytes)(sent)
    assert page.decode() == client.get("/").text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    known = client.get("/", headers={**fields, "If-None-Match": answer.headers["etag"]})
    assert known.status_code == 304
    asked = client.head("/", headers=fields)
    assert (asked.status_code, asked.headers["content-length"]) == (200, str(len(sent)))


def test_a_page_that_refuses_every_coding_is_sent_plain(client: httpx.Client) -> None:
    # RFC 9110 §12.5.3
    answer = client.get("/", headers={"Accept-Encoding": "*;q=0"})
    assert (answer.status_code, "content-encoding" in answer.headers) == (200, False)


def test_a_date_does_not_say_that_the_page_is_known(client: httpx.Client) -> None:
    # RFC 9110 §13.1.3: its text changes with any of the files, and its file's date does not.
    answer = client.get("/", headers={"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"})
    assert answer.status_code == 200
    assert "last-modified" not in answer.headers


def test_two_gateways_of_one_version_name_the_same_addresses(client: httpx.Client) -> None:
    with running_gateway() as other, httpx.Client(base_url=other.public_url, trust_env=False) as visitor:
        first, second = client.get("/"), visitor.get("/")
    assert (first.text, first.headers["etag"]) == (second.text, second.headers["etag"])


def test_what_can_be_asked_of_a_file_can_be_asked_under_its_edition(client: httpx.Client) -> None:
    address = f"/{prefix_of(client.get('/').text)}/app/main.js"
    plain = client.get("/app/main.js", headers={"Accept-Encoding": "br"})
    answer = client.get(address, headers={"Accept-Encoding": "br"})
    assert answer.content == plain.content == strip_lines((shipped_spa() / "app/main.js").read_bytes())
    for name in ("etag", "vary", "content-encoding", "content-type"):
        assert answer.headers[name] == plain.headers[name]
    known = client.get(address, headers={"Accept-Encoding": "br", "If-None-Match": answer.headers["etag"]})
    assert (known.status_code, known.headers["cache-control"]) == (304, FOREVER)
    # RFC 9110 §14.2
    part = client.get(address, headers={"Range": "bytes=0-11"})
    assert (part.status_code, part.text, part.headers["cache-control"]) == (206, "// @ts-check", "no-cache")
    assert client.head(address).headers["cache-control"] == FOREVER
    assert client.post(address).status_code == 405


def test_a_page_of_another_version_gets_the_files_of_now_but_keeps_none(client: httpx.Client) -> None:
    answer = client.get(f"/{OTHER}/app/views/contacts.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    gone = client.get(f"/{OTHER}/app/views/gone.js")
    assert (gone.status_code, gone.headers["cache-control"]) == (404, "no-store")


@pytest.mark.parametrize(
    "rest", ["vouchers", "app", "app/main", ".env", ".well-known/x", f"{OTHER}/app/main.js"]
)
def test_under_an_edition_are_files_alone(client: httpx.Client, rest: str) -> None:
    for prefix in (OTHER, prefix_of(client.get("/").text)):
        assert client.get(f"/{prefix}/{rest}").status_code == 404


def test_the_page_itself_is_never_kept(client: httpx.Client) -> None:
    prefix = prefix_of(client.get("/").text)
    assert client.get(f"/{prefix}/index.html").headers["cache-control"] == "no-cache"


def test_a_changed_file_has_another_address_in_the_same_moment(folder: Path) -> None:
    with site_of(folder) as site:
        before = prefix_of(site.get("/").text)
        assert site.get(f"/{before}/app/views/contacts.js").headers["cache-control"] == FOREVER
        (folder / "app/views/contacts.js").write_text("export const changed = 1;\n")
        # Of a page from before the change: what it gets now is not what its address stands for.
        assert site.get(f"/{before}/app/views/contacts.js").headers["cache-control"] == "no-cache"
        assert site.get(f"/{before}/app/main.js").headers["cache-control"] == FOREVER
        after = prefix_of(site.get("/").text)
        assert after != before
        answer = site.get(f"/{after}/app/views/contacts.js")
        assert (answer.text, answer.headers["cache-control"]) == ("export const changed = 1;\n", FOREVER)
        assert site.get(f"/{before}/app/main.js").headers["cache-control"] == "no-cache"


def test_a_file_more_or_less_is_another_edition(folder: Path) -> None:
    with site_of(folder) as site:
        first = prefix_of(site.get("/").text)
        (folder / "app/new.js").write_text("export {};\n")
        second = prefix_of(site.get("/").text)
        (folder / "app/new.js").rename(folder / "app/newer.js")
        third = prefix_of(site.get("/").text)
        (folder / "app/newer.js").unlink()
        assert len({first, second, third}) == 3
        assert prefix_of(site.get("/").text) == first, "the same files, the same addresses"


def test_what_is_never_served_is_in_no_edition(folder: Path) -> None:
    with site_of(folder) as site:
        before = prefix_of(site.get("/").text)
        (folder / "app/.main.js.swp").write_text("an editor's")
        assert prefix_of(site.get("/").text) == before


def test_the_page_of_before_is_sent_while_its_files_are_replaced(folder: Path) -> None:
    with site_of(folder) as site:
        before = site.get("/").text
        (folder / "app/gone.js").symlink_to(folder / "nowhere.js")
        assert site.get("/").text == before


def test_the_page_of_before_is_sent_while_it_is_half_written(folder: Path) -> None:
    with site_of(folder) as site:
        before = site.get("/").text
        (folder / "index.html").write_bytes("<title>Entwürfe".encode()[:-4])
        assert site.get("/").text == before


def write_of_old(path: Path, text: str) -> None:
    """Replace a file as `cp -p`, rsync and reproducible builds do: the time is that of the one before."""
    new = path.with_name(f".{path.name}")
    new.write_text(text)
    os.utime(new, (1_000_000_000, 1_000_000_000))
    new.replace(path)


@pytest.mark.parametrize("accept", ["br", "identity"])
def test_a_file_of_the_same_time_and_size_is_another_edition(folder: Path, accept: str) -> None:
    name, fields = "app/views/contacts.js", {"Accept-Encoding": accept}
    texts = [f"export const numbers = [{f'{digit}, ' * 200}];\n" for digit in (1, 2)]
    write_of_old(folder / name, texts[0])
    with site_of(folder) as site:
        before = prefix_of(site.get("/").text)
        first = site.get(f"/{before}/{name}", headers=fields)
        write_of_old(folder / name, texts[1])
        late = site.get(f"/{before}/{name}", headers=fields | {"If-None-Match": first.headers["etag"]})
        assert (late.status_code, late.text, late.headers["cache-control"]) == (200, texts[1], "no-cache")
        after = prefix_of(site.get("/").text)
        assert after != before
        known = site.get(f"/{after}/{name}", headers=fields | {"If-None-Match": first.headers["etag"]})
    # With a tag of time and size it would be 304, and the wrong bytes be kept for a year.
    assert (known.status_code, known.text, known.headers["cache-control"]) == (200, texts[1], FOREVER)


def stripped(path: str, source: bytes) -> bytes:
    return strip_lines(source) if path.endswith((".js", ".css")) else source


def test_a_file_that_is_replaced_while_it_is_answered_is_not_kept_under_the_old_address(folder: Path) -> None:
    path, site = folder / "favicon.svg", StaticSite(folder, strips=True)
    old = path.read_bytes()

    async def answer() -> tuple[bytes, bytes]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                path.write_bytes(old.replace(b"<svg", b"<SVG"))
            sent.append(message)

        async def receive() -> Message:
            await anyio.sleep_forever()
            raise AssertionError

        address = f"/{Editions(folder, stripped).latest.prefix}favicon.svg"
        scope = {"type": "http", "method": "GET", "path": address, "headers": [], "query_string": b""}
        await site(scope, receive, send)
        return dict(sent[0]["headers"])[b"cache-control"], b"".join(each.get("body", b"") for each in sent)

    assert anyio.run(answer) == (FOREVER.encode(), old)


def test_of_two_looks_at_once_the_older_does_not_outlive_the_newer(folder: Path) -> None:
    found_old, found_new = Event(), Event()

    class Slow(Editions):
        def __setattr__(self, name: str, value: object) -> None:
            if name == "latest" and current_thread().name == "older":
                found_old.set()
                assert found_new.wait(10)
            super().__setattr__(name, value)

    path = folder / "app/views/contacts.js"
    editions = Slow(folder, lambda _, source: source)
    path.write_text("export const old = 1;\n")
    older = Thread(target=editions.look, name="older")
    older.start()
    assert found_old.wait(10)
    path.write_text("export const newest = 1;\n")
    newest = editions.look()
    found_new.set()
    older.join()
    assert editions.look().prefix == newest.prefix


@pytest.mark.parametrize("name", ["SPA_POLICY", "WORKER_POLICY"])
def test_files_that_come_with_another_policy_have_other_addresses(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # RFC 9111 §3.1
    def prefix() -> str:
        return Editions(folder, lambda _, source: source).latest.prefix

    before = prefix()
    monkeypatch.setattr(edition, name, "default-src 'none'")
    assert prefix() != before


def test_an_operators_app_keeps_its_addresses(tmp_path: Path) -> None:
    page = '<!doctype html><script src="/app.js"></script>'
    (tmp_path / "index.html").write_text(page)
    (tmp_path / "app.js").write_text("export {};")
    with running_gateway(settings={"LEXGATE_SPA": str(tmp_path)}) as running:
        assert httpx.get(f"{running.public_url}/", trust_env=False).text == page
        missing = httpx.get(f"{running.public_url}/{OTHER}/app.js", trust_env=False)
        assert missing.status_code == 404
