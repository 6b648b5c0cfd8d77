"""A sign-in leads back into the app or to its root, and never to another origin."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.browser.return_to import build_return_url, validate_return_to

DATA = Path(__file__).parents[2] / "data"
ORIGIN = "https://app.example"
CALLBACK = f"{ORIGIN}/auth/callback?code=a&state=b"
PIECES = (
    *("/", "//", "\\", "%2f", "%2F", "%5c", "%252f", "%c0%af", "%EF%BC%8F", "\uff0f", "\u2044"),
    *(".", "..", "%2e", "%2E%2e", ";", ":", "@", "%40", "%3a", "?", "#", "%", "%25", "%zz"),
    *(" ", "\t", "\n", "\r", "\x00", "%09", "%0d%0a", "%20", "\u200b", "\ufeff", "\u3000"),
    *(
        "http:",
        "https:",
        "javascript:",
        "evil.example",
        "user",
        "auth",
        "api",
        "app",
        "a",
        "%61uth",
        "=",
        "&",
    ),
)


def read_lines(name: str) -> list[str]:
    """Lines of a corpus without its "# " comments: JSON strings."""
    lines = (DATA / name).read_text(encoding="ascii").splitlines()
    return [line for line in lines if not line.startswith("# ")]


def resolve(reference: str) -> str:
    """Return where a browser goes: it trims, drops tabs and line ends, and reads a backslash as a slash."""
    trimmed = reference.strip("".join(map(chr, range(0x21))))
    for dropped in "\t\n\r":
        trimmed = trimmed.replace(dropped, "")
    return urljoin(CALLBACK, trimmed.replace("\\", "/"))


def stays_on_the_origin(reference: str) -> bool:
    """Whether a reference stays at home as it is, and where something in between decodes its path."""
    path, mark, rest = reference.partition("?")
    for _ in range(4):
        parts = urlsplit(resolve(path + mark + rest))
        if f"{parts.scheme}://{parts.netloc}" != ORIGIN:
            return False
        path = unquote(path)
    return True


@pytest.mark.parametrize("line", read_lines("return_to_refused.txt"))
def test_return_to_is_the_root_for_what_could_lead_elsewhere(line: str) -> None:
    """RFC 9700 §4.11: the sign-in is no open redirector."""
    assert validate_return_to(json.loads(line)) == "/"


@pytest.mark.parametrize("line", read_lines("return_to_allowed.txt"))
def test_return_to_leaves_a_path_of_the_app_unchanged(line: str) -> None:
    # RFC 3986 §3.3, §3.4, §3.5: path, query and fragment may hold all that stands in these lines.
    reference = json.loads(line)
    assert validate_return_to(reference) == reference
    assert stays_on_the_origin(reference)


def test_corpora_hold_no_attempt_twice() -> None:
    refused = [json.loads(line) for line in read_lines("return_to_refused.txt")]
    allowed = [json.loads(line) for line in read_lines("return_to_allowed.txt")]
    assert len(refused) == len(set(refused)) >= 300
    assert len(allowed) == len(set(allowed)) >= 40
    assert not set(refused) & set(allowed)


def test_return_to_is_the_root_where_there_is_none() -> None:
    assert validate_return_to(None) == "/"


def test_return_to_is_bounded_so_that_five_attempts_fit_into_a_request() -> None:
    assert validate_return_to("/" + "a" * 511) == "/" + "a" * 511
    assert validate_return_to("/" + "a" * 512) == "/"
    assert validate_return_to("/%2f" * 1_000_000) == "/"


def test_return_to_takes_no_user_or_port_for_a_path() -> None:
    """RFC 3986 §3.2.1: behind a cut-off prefix the first segment would be an authority."""
    for reference in ("/user@evil.example", "/evil.example:80", "/%40evil.example", "/:@evil.example/"):
        assert validate_return_to(reference) == "/"
    assert validate_return_to("/users/user@example.com") == "/users/user@example.com"


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_return_to_answers_stay_on_the_origin(reference: str) -> None:
    answer = validate_return_to(reference)
    assert answer in {"/", reference}
    assert stays_on_the_origin(answer)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(lambda pieces: "/" + "".join(pieces)))
def test_return_to_answers_stay_on_the_origin_and_out_of_the_gateway(reference: str) -> None:
    answer = validate_return_to(reference)
    assert stays_on_the_origin(answer)
    assert answer.isascii()
    assert answer.isprintable()
    first = unquote(unquote(answer)).split("?")[0].split("#")[0].split("/")[1].lower()
    assert first not in {"auth", "api", "webhooks", ".", ".."}


@given(st.text(max_size=40))
def test_return_to_answers_any_text_without_failing(reference: str) -> None:
    assert stays_on_the_origin(validate_return_to(reference))


SIBLINGS = frozenset({"https://web.example.com", "http://localhost:5173"})


@pytest.mark.parametrize(
    "reference",
    [
        "https://web.example.com",
        "https://web.example.com/",
        "https://web.example.com/invoices/7?tab=a#b",
        "http://localhost:5173/x",
        "/invoices",
    ],
)
def test_return_to_may_lead_to_a_sibling_that_is_on_the_list(reference: str) -> None:
    assert validate_return_to(reference, SIBLINGS) == reference
    if reference.startswith("/"):
        assert build_return_url(reference, "https://app.example.com") == f"https://app.example.com{reference}"
    if not reference.startswith("/"):
        assert build_return_url(reference, "https://app.example.com") == reference
        assert validate_return_to(reference) == "/"


@pytest.mark.parametrize(
    "reference",
    [
        "https://web.example.com.evil.example/",
        "https://web.example.com@evil.example/",
        "https://web.example.com:443/",
        "https://web.example.com:8443/",
        "https://web.example.com?x=/",
        "https://web.example.com#/",
        "https://web.example.com\\.evil.example/",
        "https://web.example.com\\@evil.example/",
        "https://web.example.com//evil.example",
        "https://web.example.com/\\evil.example",
        "https://web.example.com/%2f/evil.example",
        "https://web.example.com/../x",
        "https://web.example.com/\n",
        "https://web.example.com/auth/logout",
        "https://WEB.example.com/",
        "HTTPS://web.example.com/",
        "https:/web.example.com/",
        "https:web.example.com/",
        "//web.example.com/",
        " https://web.example.com/",
        "http://web.example.com/",
        "https://evil.example/https://web.example.com/",
        "javascript://web.example.com/%0aalert(1)",
        "https://",
        "https:///web.example.com",
        "http://localhost:51730/x",
        "http://localhost/x",
        "https://web.example.com/" + "a" * 500,
    ],
)
def test_return_to_leads_to_no_other_origin_than_those_on_the_list(reference: str) -> None:
    assert validate_return_to(reference, SIBLINGS) == "/"


@given(st.lists(st.sampled_from([*PIECES, *SIBLINGS]), max_size=12).map("".join))
def test_return_to_of_siblings_stays_on_one_of_the_origins(reference: str) -> None:
    answer = validate_return_to(reference, SIBLINGS)
    origins = [origin for origin in SIBLINGS if answer.startswith(origin)]
    path = answer.removeprefix(origins[0]) if origins else answer
    assert path == "" or stays_on_the_origin(path)
