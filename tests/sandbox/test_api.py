"""The API's edge: authentication, error shapes, rate limit, scopes, paging, and the small resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.stage import SCOPE, Clock, Person, Stage

if TYPE_CHECKING:
    import httpx

    from gateway.sandbox import Sandbox


@pytest.fixture
def token(person: Person) -> str:
    return person.sign_in().access_token


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic x"])
def test_without_a_living_token_there_is_401(http: httpx.Client, person: Person, header: str | None) -> None:
    assert person
    answer = http.get("/v1/profile", headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/unknown"),
        ("GET", ""),
        ("DELETE", "/contacts/1"),
        ("POST", "/profile"),
        ("PATCH", "/articles/1"),
        ("OPTIONS", "/profile"),
        ("GET", "/contacts/1/2"),
        ("GET", "/contacts/"),
    ],
)
def test_a_wrong_url_or_method_is_a_403_that_quotes_the_token(
    person: Person, token: str, method: str, path: str
) -> None:
    answer = person.api(method, path, token)
    assert answer.status_code == 403
    assert token in answer.json()["message"]
    assert list(answer.json()) == ["message"]


def test_without_a_token_the_edge_quotes_nothing(http: httpx.Client, person: Person) -> None:
    assert person
    answer = http.get("/v1/unknown")
    assert (answer.status_code, answer.json()) == (403, {"message": "Missing Authentication Token"})


def test_the_long_error_shape_names_path_and_trace(person: Person, token: str) -> None:
    answer = person.api("POST", "/invoices", token, json={})
    assert answer.status_code == 406
    body = answer.json()
    assert set(body) == {"timestamp", "status", "error", "path", "traceId", "message", "details"}
    assert (body["status"], body["error"], body["path"]) == (406, "Not Acceptable", "/v1/invoices")
    assert all(set(detail) == {"violation", "field", "message"} for detail in body["details"])


def test_contacts_answer_with_a_list_of_issues(person: Person, token: str) -> None:
    answer = person.api("POST", "/contacts", token, json={})
    issues = answer.json()["IssueList"]
    assert answer.status_code == 406
    assert {issue["source"] for issue in issues} == {"roles", "company and person", "version"}
    assert all(set(issue) == {"i18nKey", "source", "type", "additionalData", "args"} for issue in issues)


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/contacts/x", "IssueList"),
        ("/vouchers/x", "IssueList"),
        ("/files/x", "IssueList"),
        ("/articles/x", "traceId"),
        ("/invoices/x", "traceId"),
        ("/invoices/x/file", "traceId"),
        ("/credit-notes/x", "traceId"),
        ("/payments/x", "traceId"),
        ("/event-subscriptions/x", "traceId"),
    ],
)
def test_what_is_not_there_is_404(person: Person, token: str, path: str, shape: str) -> None:
    answer = person.api("GET", path, token)
    assert (answer.status_code, shape in answer.json()) == (404, True)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"\xff", b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 100_000]
)
def test_malformed_json_is_400(person: Person, token: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    for path in ("/contacts", "/articles", "/invoices", "/event-subscriptions"):
        assert person.api("POST", path, token, content=body, headers=headers).status_code == 400


def test_another_content_type_is_415(person: Person, token: str) -> None:
    assert person.api("POST", "/contacts", token, content=b"<a/>").status_code == 415
    assert person.api("POST", "/files", token, json={}).status_code == 415


def test_five_calls_at_once_and_two_a_second(stage: Stage, clock: Clock, http: httpx.Client) -> None:
    stage.put_on(clock, rate=2.0, burst=5)
    person = Person(http)
    token = person.sign_in().access_token
    statuses = [person.api("GET", "/countries", token).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    clock.advance(0.5)
    assert [person.api("GET", "/countries", token).status_code for _ in range(2)] == [200, 429]
    clock.advance(60)
    assert [person.api("GET", "/countries", token).status_code for _ in range(6)] == [200] * 5 + [429]


def test_a_limited_call_says_so_and_nothing_more(stage: Stage, clock: Clock, http: httpx.Client) -> None:
    stage.put_on(clock, rate=1, burst=1)
    person = Person(http)
    token = person.sign_in().access_token
    person.api("GET", "/countries", token)
    answer = person.api("GET", "/countries", token)
    assert (answer.status_code, answer.json()) == (429, {"message": "Rate limit exceeded"})
    assert not [name for name in answer.headers if "retry" in name or "limit" in name]


def test_each_connection_has_a_limit_of_its_own(stage: Stage, clock: Clock, http: httpx.Client) -> None:
    stage.put_on(clock, rate=1, burst=1)
    person = Person(http)
    first, second = person.sign_in().access_token, person.sign_in().access_token
    assert person.api("GET", "/countries", first).status_code == 200
    assert person.api("GET", "/countries", second).status_code == 200
    assert person.api("GET", "/countries", first).status_code == 429


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("contacts.read", "GET", "/contacts", 200),
        ("contacts.read", "POST", "/contacts", 403),
        ("contacts.read", "GET", "/profile", 403),
        ("contacts.read", "GET", "/countries", 200),
        ("invoices.read", "GET", "/voucherlist?voucherType=any&voucherStatus=any", 403),
        ("voucherlist.read", "GET", "/voucherlist?voucherType=any&voucherStatus=any", 200),
        ("files.write", "GET", "/files/x", 403),
    ],
)
def test_scopes_are_enforced(person: Person, scope: str, method: str, path: str, status: int) -> None:
    token = person.sign_in(scope=scope).access_token
    answer = person.api(method, path, token)
    assert answer.status_code == status
    assert status != 403 or "scope" in answer.json()["message"]


def test_the_openid_scopes_open_what_the_papers_app_reads(openid: Person) -> None:
    token = openid.sign_in(scope=SCOPE).access_token
    for path in ("/profile", "/contacts", "/voucherlist?voucherType=any&voucherStatus=any"):
        assert openid.api("GET", path, token).status_code == 200
    assert openid.api("GET", "/articles", token).status_code == 403


def test_no_answer_carries_cors_headers(person: Person, token: str) -> None:
    headers = {"Origin": "http://localhost:8000"}
    for path in ("/profile", "/unknown"):
        answer = person.api("GET", path, token, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_profile_names_the_connection(person: Person, token: str, sandbox: Sandbox) -> None:
    profile = person.api("GET", "/profile", token).json()
    (connection,) = sandbox.grants.connections()
    assert profile["connectionId"] == connection.id
    assert set(profile["created"]) == {"userId", "userName", "userEmail", "date"}


@pytest.mark.parametrize("path", ["countries", "payment-conditions", "posting-categories", "print-layouts"])
def test_small_lists_are_bare_arrays(person: Person, token: str, path: str) -> None:
    rows = person.api("GET", f"/{path}", token).json()
    assert isinstance(rows, list)
    assert rows


def test_pages_add_up_to_the_whole(person: Person, token: str) -> None:
    path = "/voucherlist?voucherType=any&voucherStatus=any&size=7&page="
    pages = [person.api("GET", f"{path}{number}", token).json() for number in range(16)]
    ids = [row["id"] for page in pages for row in page["content"]]
    assert len(ids) == len(set(ids)) == pages[0]["totalElements"] == 110
    assert [page["first"] for page in pages] == [True] + [False] * 15
    assert [page["last"] for page in pages] == [False] * 15 + [True]
    assert (pages[15]["numberOfElements"], pages[15]["totalPages"], pages[15]["number"]) == (5, 16, 15)
    beyond = person.api("GET", f"{path}99", token).json()
    assert (beyond["content"], beyond["last"]) == ([], True)


def test_the_page_size_is_25_and_at_most_250(person: Person, token: str) -> None:
    path = "/voucherlist?voucherType=any&voucherStatus=any"
    assert person.api("GET", path, token).json()["size"] == 25
    assert person.api("GET", f"{path}&size=250", token).json()["numberOfElements"] == 110


@pytest.mark.parametrize(
    "query", ["size=251", "size=0", "size=x", "page=-1", "page=²", "page=9999999", "sort=x", "sort=name,UP"]
)
def test_an_impossible_page_is_400(person: Person, token: str, query: str) -> None:
    assert person.api("GET", f"/contacts?{query}", token).status_code == 400


def test_head_is_answered_like_get(person: Person, token: str) -> None:
    answer = person.api("HEAD", "/profile", token)
    assert (answer.status_code, answer.content) == (200, b"")


def test_calls_are_counted_by_route(person: Person, token: str, sandbox: Sandbox) -> None:
    person.api("GET", "/contacts/x", token)
    person.api("GET", "/contacts/y", token)
    assert sandbox.counters.api_calls == {"GET /v1/contacts/{id}": 2}
    assert sandbox.counters.api_answers == {"404": 2}
