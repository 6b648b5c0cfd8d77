"""The files of the SPA: how long they may be kept, where the app's paths lead, and what is never served."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.running import running_gateway
from tests.support.wire import send_raw, statuses

if TYPE_CHECKING:
    from collections.abc import Iterator

INDEX = "<!doctype html><title>the app of this test</title>"
OUTSIDE = "what nobody may read"
FILES = {
    "index.html": INDEX,
    "app.js": "export const app = 1;",
    "app-3f9a2b1c.js": "export const hex = 1;",
    "assets/index-BX3kd92_.js": "export const vite = 1;",
    "assets/index-BX3kd92_.js.map": "{}",
    "main.8f00b204e9800998.css": "body {}",
    "report-20240101.pdf": "%PDF",
    "Report-Quartal1.pdf": "%PDF",
    "session-management2.js": "export const word = 1;",
    "font.woff2": "font",
    "module.mjs": "export {};",
    "logo.svg": "<svg/>",
    "site.webmanifest": "{}",
    "docs/guide.html": "<!doctype html>",
    ".env": OUTSIDE,
    ".git/config": OUTSIDE,
    "assets/.hidden.js": OUTSIDE,
    ".well-known/security.txt": "Contact: mailto:security@example.com",
    "auth/client.js": "not the shipped one",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("place")
    (place / "outside.js").write_text(OUTSIDE)
    folder = place / "spa"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "link.js").symlink_to(place / "outside.js")
    (folder / "up").symlink_to(place)
    (folder / "inside.js").symlink_to(folder / "app.js")
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with running_gateway(settings={"LEXGATE_SPA": str(folder)}) as running:
        yield running.public_url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/app-3f9a2b1c.js",
        "/assets/index-BX3kd92_.js",
        "/assets/index-BX3kd92_.js.map",
        "/main.8f00b204e9800998.css",
        "/app.js?v=1.2.3",
        "/app.js?theme=dark&v=3f9a",
    ],
)
def test_a_file_that_never_changes_is_kept_for_a_year(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?v=1",
        "/index.html",
        "/index.html?v=1",
        "/app.js",
        "/app.js?v=",
        "/app.js?version=1",
        "/report-20240101.pdf",
        "/Report-Quartal1.pdf",
        "/session-management2.js",
        "/vouchers/app-3f9a2b1c",
        "/vouchers?v=2",
    ],
)
def test_a_file_that_may_change_is_asked_for_again(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["etag"]


@pytest.mark.parametrize("path", ["/", "/app.js", "/app-3f9a2b1c.js", "/auth/client.js", "/auth/page.css"])
def test_a_known_file_is_not_sent_again(client: httpx.Client, path: str) -> None:
    first = client.get(path)
    for tag in (first.headers["etag"], f'"other", W/{first.headers["etag"]}'):
        again = client.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("etag", "cache-control"):
            assert again.headers[name] == first.headers[name]
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_changed_file_is_sent_again(client: httpx.Client, folder: Path) -> None:
    tag = client.get("/docs/guide.html").headers["etag"]
    (folder / "docs/guide.html").write_text("<!doctype html><title>new</title>")
    answer = client.get("/docs/guide.html", headers={"If-None-Match": tag})
    assert (answer.status_code, "new" in answer.text) == (200, True)


@pytest.mark.parametrize(
    "path", ["/vouchers", "/vouchers/17?tab=pdf", "/a/b/c/", "/assets", "/index.html/x", "/%C3%A4"]
)
def test_a_path_of_the_app_is_the_app(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "path", ["/missing.js", "/assets/missing-3f9a2b1c.css", "/app.js/x.png", "/.well-known/unknown"]
)
def test_a_missing_file_is_not_the_app(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "route_unknown")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/auth", "/auth/", "/auth/unknown", "/auth/assets/client.js", "/auth/../auth/x"]
)
def test_below_auth_nothing_is_the_app(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "route_unknown")
    page = client.get(path, headers={"Accept": "text/html"})
    assert (page.status_code, "route_unknown" in page.text) == (404, True)


def test_the_client_is_always_the_shipped_one(client: httpx.Client) -> None:
    answer = client.get("/auth/client.js")
    assert FILES["auth/client.js"] not in answer.text
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert client.get("/auth/client.d.ts").headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/module.mjs", "text/javascript; charset=utf-8"),
        ("/main.8f00b204e9800998.css", "text/css; charset=utf-8"),
        ("/font.woff2", "font/woff2"),
        ("/logo.svg", "image/svg+xml"),
        ("/site.webmanifest", "application/manifest+json"),
        ("/assets/index-BX3kd92_.js.map", "application/json"),
    ],
)
def test_a_media_type_does_not_depend_on_the_machine(
    client: httpx.Client, path: str, media_type: str
) -> None:
    assert client.get(path).headers["content-type"] == media_type


def test_one_well_known_folder_is_served(client: httpx.Client) -> None:
    # RFC 8615
    assert client.get("/.well-known/security.txt").text.startswith("Contact:")


def test_a_link_within_the_folder_is_served(client: httpx.Client) -> None:
    assert client.get("/inside.js").text == FILES["app.js"]


HIDDEN = (Path(__file__).parents[1] / "data" / "static_refused").read_text().splitlines()


@pytest.mark.parametrize("target", HIDDEN)
def test_nothing_outside_the_folder_is_served(url: str, target: str) -> None:
    # RFC 9110 §17.3: attacks based on file and path names, byte for byte as no client library would send them
    request = f"GET {target} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nConnection: close\r\n\r\n"
    received = send_raw(url, request.encode("latin-1"))
    assert statuses(received) in ([404], [400])
    assert OUTSIDE.encode() not in received
    assert b"root:" not in received


def test_head_says_what_get_would(client: httpx.Client) -> None:
    for path in ("/", "/app.js", "/vouchers", "/missing.js", "/auth/client.js"):
        got, asked = client.get(path), client.head(path)
        assert (asked.status_code, asked.content) == (got.status_code, b"")
        for name in ("content-length", "content-type", "cache-control", "content-security-policy"):
            assert asked.headers[name] == got.headers[name]


def test_a_part_of_a_file_can_be_asked_for(client: httpx.Client) -> None:
    # RFC 9110 §14.2
    answer = client.get("/app.js", headers={"Range": "bytes=0-5"})
    assert (answer.status_code, answer.text) == (206, "export")
    length = len(FILES["app.js"])
    assert answer.headers["content-range"] == f"bytes 0-5/{length}"
    assert client.get("/app.js", headers={"Range": f"bytes={length}-"}).status_code == 416
    stale = client.get("/app.js", headers={"Range": "bytes=0-5", "If-Range": '"other"'})
    assert (stale.status_code, stale.text) == (200, FILES["app.js"])


def test_an_app_that_went_missing_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "index.html").touch()
    with running_gateway(settings={"LEXGATE_SPA": str(tmp_path)}) as running:
        (tmp_path / "index.html").unlink()
        for path in ("/", "/vouchers"):
            answer = httpx.get(f"{running.public_url}{path}", trust_env=False)
            assert (answer.status_code, answer.json()["code"]) == (404, "route_unknown")


def test_the_inline_script_of_the_apps_page_is_named_in_its_policy_and_in_no_other(
    tmp_path: Path,
) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><script>app()</script>")
    (tmp_path / "report.html").write_text("<!doctype html><script>app()</script>")
    with (
        running_gateway(settings={"LEXGATE_SPA": str(tmp_path)}) as running,
        httpx.Client(base_url=running.public_url, trust_env=False) as client,
    ):
        first = client.get("/")
        assert "script-src 'self' 'sha256-" in first.headers["content-security-policy"]
        kept = client.get("/invoices", headers={"If-None-Match": first.headers["etag"]})
        assert kept.status_code == 304
        assert kept.headers["content-security-policy"] == first.headers["content-security-policy"]
        assert "script-src 'self';" in client.get("/report.html").headers["content-security-policy"]
        (tmp_path / "index.html").write_text("<!doctype html><script>other()</script>")
        changed = client.get("/").headers["content-security-policy"]
        assert changed != first.headers["content-security-policy"]
