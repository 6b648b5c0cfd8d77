"""Files are sent in the coding that the browser likes best, each under a tag of its own."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import brotli  # type: ignore[import-untyped]
import httpx
import pytest

from gateway.parts import shipped_spa
from gateway.web.compression import strip_lines
from tests.support.running import running_gateway
from tests.support.wire import send_raw

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = "  // what the app does\nexport const app = 1;\n" * 200
INDEX = f"<!doctype html><title>the app of this test</title>{'<p>text</p>' * 100}"
BUILT = b"what the build has compressed"
OUTSIDE = b"what nobody may read"
NOISE = os.urandom(3_000)
CHROMIUM = "gzip, deflate, br, zstd"
CODINGS = ("br", "gzip", "identity")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("place")
    (place / "outside.br").write_bytes(OUTSIDE)
    folder = place / "spa"
    folder.mkdir()
    (folder / "index.html").write_text(INDEX)
    for name in ("app.js", "built.js", "stale.js", "linked.js", "empty.js", "folder.js", "only-gzip.js"):
        (folder / name).write_text(SCRIPT)
    (folder / "small.js").write_text("export {};")
    (folder / "logo.png").write_bytes(b"\x89PNG" * 500)
    (folder / "noise.txt").write_bytes(NOISE)
    (folder / "inside.js").symlink_to(folder / "app.js")
    for sibling in ("built.js.br", "built.js.gz", "stale.js.br", "logo.png.br", "small.js.br"):
        (folder / sibling).write_bytes(BUILT)
    (folder / "only-gzip.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    os.utime(folder / "stale.js.br", (1, 1))
    (folder / "linked.js.br").symlink_to(place / "outside.br")
    (folder / "empty.js.br").touch()
    (folder / "folder.js.br").mkdir()
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with running_gateway(settings={"LEXGATE_SPA": str(folder)}) as running:
        yield running.public_url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, trust_env=False, headers={"Accept-Encoding": ""}) as client:
        yield client


def get(client: httpx.Client, path: str, accept: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """Return the answer and its bytes as they were sent."""
    fields = {"Accept-Encoding": accept, **{key.replace("_", "-"): value for key, value in headers.items()}}
    with client.stream("GET", path, headers=fields) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize("path", ["/app.js", "/", "/vouchers/17", "/inside.js", "/auth/client.js"])
@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        (CHROMIUM, "br"),
        ("gzip", "gzip"),
        ("br;q=0.1, gzip", "gzip"),
        ("br;q=0, gzip;q=0", None),
        ("*", "br"),
        ("identity;q=0, gzip", "gzip"),
        ("*;q=0", None),
        ("identity;q=0", None),
        ("", None),
        ("deflate", None),
    ],
)
def test_the_coding_is_the_one_that_the_browser_likes_best(
    client: httpx.Client, path: str, accept: str, coding: str | None
) -> None:
    # RFC 9110 §12.5.3: who refuses everything gets the file as it is, as if nothing had been said.
    plain, expected = get(client, path, "")
    answer, sent = get(client, path, accept)
    assert answer.status_code == 200
    assert answer.headers.get("content-encoding") == coding
    assert decoded(sent, coding) == expected
    assert answer.headers["content-length"] == str(len(sent))
    assert answer.headers["content-type"] == plain.headers["content-type"]
    for one in (answer, plain):
        assert "Accept-Encoding" in one.headers.get_list("vary", split_commas=True)
    if coding:
        assert len(sent) < len(expected) / 2


def decoded(sent: bytes, coding: str | None) -> bytes:
    if coding == "br":
        return bytes(brotli.decompress(sent))
    return gzip.decompress(sent) if coding == "gzip" else sent


@pytest.mark.parametrize("path", ["/app.js", "/", "/built.js", "/auth/client.js", "/auth/page.css"])
def test_each_coding_has_a_tag_of_its_own_and_is_known_by_it_alone(client: httpx.Client, path: str) -> None:
    # RFC 9110 §8.8.3: else a browser might put one coding's bytes under another's name.
    tags = {coding: get(client, path, coding)[0].headers["etag"] for coding in CODINGS}
    assert len(set(tags.values())) == 3
    for asked in CODINGS:
        for known, tag in tags.items():
            answer, sent = get(client, path, asked, If_None_Match=tag)
            assert answer.status_code == (304 if asked == known else 200), (asked, known)
            assert answer.headers["etag"] == tags[asked]
            assert "Accept-Encoding" in answer.headers.get_list("vary", split_commas=True)
            if answer.status_code == 304:
                assert sent == b""
                assert "content-encoding" not in answer.headers


def test_a_list_of_tags_a_weak_one_and_a_star_are_understood(client: httpx.Client) -> None:
    # RFC 9110 §13.1.2: the comparison is weak.
    first, _ = get(client, "/app.js", "br")
    for known in (f'"other", W/{first.headers["etag"]}', "*"):
        assert get(client, "/app.js", "br", If_None_Match=known)[0].status_code == 304
    for known in ('"other"', "", "gibberish,"):
        assert get(client, "/app.js", "br", If_None_Match=known)[0].status_code == 200


def test_a_date_is_good_where_there_is_no_tag(client: httpx.Client) -> None:
    modified = get(client, "/app.js", "br")[0].headers["last-modified"]
    old, never = "Thu, 01 Jan 1970 00:00:00 GMT", "yesterday"
    for since, status in ((modified, 304), (old, 200), (never, 200)):
        assert get(client, "/app.js", "br", If_Modified_Since=since)[0].status_code == status
    both, _ = get(client, "/app.js", "br", If_Modified_Since=modified, If_None_Match='"other"')
    assert both.status_code == 200
    plain, _ = get(client, "/logo.png", "br", If_Modified_Since=modified)
    assert plain.status_code == 304


@pytest.mark.parametrize("accept", CODINGS)
@pytest.mark.parametrize("path", ["/app.js", "/", "/built.js", "/auth/client.js"])
def test_head_says_what_get_would(client: httpx.Client, path: str, accept: str) -> None:
    got, sent = get(client, path, accept)
    asked = client.head(path, headers={"Accept-Encoding": accept})
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-length"] == str(len(sent))
    for name in ("content-encoding", "content-type", "etag", "vary", "cache-control"):
        assert asked.headers.get(name) == got.headers.get(name)


@pytest.mark.parametrize("path", ["/app.js", "/built.js"])
def test_head_tells_of_the_whole_whatever_part_is_asked_for(client: httpx.Client, path: str) -> None:
    """RFC 9110 §14.2: a range is ignored with every method but GET."""
    for accept in ("br", "identity"):
        whole = client.head(path, headers={"Accept-Encoding": accept})
        asked = client.head(path, headers={"Accept-Encoding": accept, "Range": "bytes=7-11"})
        assert (asked.status_code, asked.headers.get("content-range")) == (200, None)
        for name in ("content-length", "content-encoding", "etag"):
            assert asked.headers.get(name) == whole.headers.get(name)


def test_a_part_in_an_unknown_unit_is_the_whole(client: httpx.Client) -> None:
    """RFC 9110 §14.2: a range whose unit is not understood is ignored."""
    answer, sent = get(client, "/app.js", "br", Range="lines=1-2")
    assert (answer.status_code, answer.headers["content-encoding"]) == (200, "br")
    assert brotli.decompress(sent).decode() == SCRIPT


def test_a_part_is_one_of_the_file_itself(client: httpx.Client) -> None:
    # RFC 9110 §14.2
    answer, sent = get(client, "/app.js", CHROMIUM, Range="bytes=7-11")
    assert (answer.status_code, sent) == (206, b"at th")
    assert answer.headers["content-range"] == f"bytes 7-11/{len(SCRIPT)}"
    assert "content-encoding" not in answer.headers
    tag = get(client, "/app.js", "br")[0].headers["etag"]
    other, whole = get(client, "/app.js", CHROMIUM, Range="bytes=7-11", If_Range=tag)
    assert (other.status_code, whole.decode()) == (200, SCRIPT)
    refused, coded = get(client, "/app.js", "identity;q=0, gzip", Range="bytes=7-11")
    assert (refused.status_code, gzip.decompress(coded).decode()) == (200, SCRIPT)


def test_what_the_build_has_compressed_is_sent(client: httpx.Client) -> None:
    for coding in ("br", "gzip"):
        answer, sent = get(client, "/built.js", coding)
        assert (answer.headers["content-encoding"], sent) == (coding, BUILT)
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"
    best, sent = get(client, "/only-gzip.js", CHROMIUM)
    assert best.headers["content-encoding"] == "br"
    assert brotli.decompress(sent).decode() == SCRIPT


@pytest.mark.parametrize("path", ["/stale.js", "/linked.js", "/empty.js", "/folder.js"])
def test_what_is_older_empty_no_file_or_outside_the_folder_is_not_sent(
    client: httpx.Client, path: str
) -> None:
    answer, sent = get(client, path, "br")
    assert answer.headers["content-encoding"] == "br"
    assert brotli.decompress(sent).decode() == SCRIPT


def test_a_new_build_is_seen(client: httpx.Client, folder: Path) -> None:
    file = folder / "changing.js"
    for text in (SCRIPT, SCRIPT.replace("1", "2")):
        file.write_text(text)
        assert brotli.decompress(get(client, "/changing.js", "br")[1]).decode() == text
        later = file.stat().st_mtime + 10
        os.utime(file, (later, later))
    built = folder / "changing.js.br"
    built.write_bytes(BUILT)
    file.write_text(SCRIPT)
    now = file.stat().st_mtime_ns
    os.utime(built, ns=(now, now))
    assert get(client, "/changing.js", "br")[1] == BUILT


@pytest.mark.parametrize("path", ["/logo.png", "/small.js", "/noise.txt"])
def test_a_file_that_gains_nothing_is_sent_as_it_is(client: httpx.Client, folder: Path, path: str) -> None:
    answer, sent = get(client, path, CHROMIUM)
    assert (answer.status_code, sent) == (200, (folder / path[1:]).read_bytes())
    assert "content-encoding" not in answer.headers
    assert ("vary" in answer.headers) == (path != "/logo.png")


def test_even_a_small_file_is_compressed_for_who_refuses_it_as_it_is(client: httpx.Client) -> None:
    answer, sent = get(client, "/small.js", "identity;q=0, br")
    assert (answer.headers["content-encoding"], sent) == ("br", BUILT)


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/built.js.br", "application/octet-stream"), ("/built.js.gz", "application/gzip")],
)
def test_what_the_build_has_compressed_is_no_script_by_itself(
    client: httpx.Client, path: str, media_type: str
) -> None:
    answer, sent = get(client, path, CHROMIUM)
    assert (answer.status_code, sent) == (200, BUILT)
    assert answer.headers["content-type"] == media_type
    assert "content-encoding" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/linked.js.br", "/missing.js.br", "/folder.js.br", "/.br", "/app.js/.gz"])
def test_what_is_no_file_of_the_folder_is_not_found(client: httpx.Client, path: str) -> None:
    answer, sent = get(client, path, CHROMIUM)
    assert (answer.status_code, "content-encoding" in answer.headers) == (404, False)
    assert OUTSIDE not in sent


def test_a_folder_is_not_found_beside_its_compressed_name(client: httpx.Client, folder: Path) -> None:
    (folder / "assets").mkdir()
    (folder / "assets.br").write_bytes(BUILT)
    answer, sent = get(client, "/assets", "br")
    assert (answer.status_code, brotli.decompress(sent).decode()) == (200, INDEX)


HIDDEN = (Path(__file__).parents[1] / "data" / "static_refused").read_text().splitlines()


@pytest.mark.parametrize("target", HIDDEN)
def test_no_coding_opens_what_is_closed(url: str, target: str) -> None:
    request = (
        f"GET {target} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n"
        "Accept-Encoding: br, identity;q=0\r\nConnection: close\r\n\r\n"
    )
    received = send_raw(url, request.encode("latin-1"))
    assert re.match(rb"HTTP/1\.1 40[04] ", received)
    assert b"content-encoding: br" not in received.lower()


@pytest.mark.parametrize(
    "fields",
    [
        "Accept-Encoding: " + "br," * 15_000,
        "Accept-Encoding: " + ";" * 900,
        "Accept-Encoding: br;q=0.9999999999999999999999",
        "Accept-Encoding: br;q=\xff",
        "Accept-Encoding: \t,\t;,\xe9,q=1",
        "Accept-Encoding: br;q=0\r\nAccept-Encoding: *;q=0",
        "Accept-Encoding: ../../etc/passwd, .br, /",
        "Accept-Encoding: GET /secret HTTP/1.1",
    ],
)
def test_a_field_that_makes_no_sense_gets_the_file_as_it_is(url: str, fields: str) -> None:
    request = f"GET /app.js HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n{fields}\r\nConnection: close\r\n\r\n"
    head, _, body = send_raw(url, request.encode("latin-1")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"content-encoding" not in head.lower()
    assert body.decode() == SCRIPT


def test_fields_of_several_lines_are_one(url: str) -> None:
    # RFC 9110 §5.3
    request = (
        f"GET /app.js HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n"
        "Accept-Encoding: gzip;q=0.5\r\nAccept-Encoding: br\r\nConnection: close\r\n\r\n"
    )
    assert b"content-encoding: br" in send_raw(url, request.encode()).lower()


def test_errors_and_the_api_are_left_as_they_are(client: httpx.Client) -> None:
    for path in ("/missing.js", "/auth/session", "/auth/unknown", "/api/v1/profile"):
        answer, _ = get(client, path, CHROMIUM)
        assert "content-encoding" not in answer.headers


def test_the_shipped_app_is_sent_without_what_only_people_read_and_an_operators_as_it_is(
    client: httpx.Client,
) -> None:
    shipped = (shipped_spa() / "app/main.js").read_bytes()
    assert b"// @ts-check" in shipped
    with running_gateway() as running, httpx.Client(base_url=running.public_url, trust_env=False) as visitor:
        for accept, coding in (("br", "br"), ("gzip", "gzip")):
            answer, sent = get(visitor, "/app/main.js", accept)
            assert answer.headers["content-encoding"] == coding
            assert decoded(sent, coding) == strip_lines(shipped)
        assert get(visitor, "/app/main.js", "")[1] == shipped
    assert b"// what the app does" in decoded(get(client, "/app.js", "br")[1], "br")
