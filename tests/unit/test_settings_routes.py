"""Routes as an operator writes them: what follows from what, and every mistake told with its remedy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import ConfigurationError
from gateway.proxy.route import DEFAULT_METHODS, Route, Timeouts
from gateway.settings import load_settings
from tests.support.certificate import write_certificate

if TYPE_CHECKING:
    from pathlib import Path

ENVIRON = {
    "LEXGATE_PUBLIC_URL": "https://app.example.com",
    "LEXGATE_SECRETS": "0123456789abcdef" * 2,
    "LEXGATE_CLIENT_ID": "example-client",
    "LEXGATE_CLIENT_SECRET": "example-client-secret",
    "LEXGATE_API_URL": "https://api.example.com/base",
}
FILES = {"prefix": "/api/files", "destination": "https://files.example.com", "token": "none"}


def routes_of(tmp_path: Path, *tables: dict[str, Any], **environ: str) -> dict[str, Route]:
    written = {"LEXGATE_ROUTES": json.dumps(tables)} if tables else {}
    return {route.prefix: route for route in load_settings(ENVIRON | written | environ, tmp_path).route_list}


def problems_of(tmp_path: Path, *tables: object, **environ: str) -> list[str]:
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(ENVIRON | {"LEXGATE_ROUTES": json.dumps(tables)} | environ, tmp_path)
    return refusal.value.problems


def test_the_api_is_the_only_route_unless_others_are_written(tmp_path: Path) -> None:
    routes = routes_of(tmp_path)
    assert routes == {"/api": Route("/api", "https://api.example.com/base", is_paced=True, is_shared=True)}
    assert routes["/api"].attaches_token
    assert not routes["/api"].websocket


def test_routes_are_tables_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "lexgate.toml").write_text("""
session_idle = 60
[[routes]]
prefix = "/api/files/"
destination = "https://files.example.com/v2/"
token = "user"
methods = ["GET", "OPTIONS"]
body_limit = 1000
strip = "/api/files"
websocket = true
timeouts = { first_byte = 1.5, idle = 2 }
[[routes]]
prefix = "/api/v1/reports"
""")
    routes = routes_of(tmp_path)
    assert list(routes) == ["/api/files", "/api/v1/reports", "/api"]
    assert routes["/api/files"] == Route(
        "/api/files",
        "https://files.example.com/v2",
        methods=frozenset({"GET", "OPTIONS"}),
        body_limit=1000,
        strip="/api/files",
        websocket=True,
        timeouts=Timeouts(first_byte=1.5, idle=2),
    )
    assert routes["/api/v1/reports"].destination == "https://api.example.com/base"
    assert routes["/api/v1/reports"].methods == DEFAULT_METHODS


def test_the_environments_routes_win_over_the_files(tmp_path: Path) -> None:
    (tmp_path / "lexgate.toml").write_text('[[routes]]\nprefix = "/api/a"\n')
    assert list(routes_of(tmp_path, FILES)) == ["/api/files", "/api"]


def test_the_route_of_the_api_itself_can_be_written(tmp_path: Path) -> None:
    routes = routes_of(tmp_path, {"prefix": "/api", "body_limit": 5})
    assert list(routes) == ["/api"]
    assert (routes["/api"].body_limit, routes["/api"].attaches_token) == (5, True)


@pytest.mark.parametrize(
    ("destination", "whose"),
    [
        ("https://api.example.com/other", "the API's"),
        ("https://API.example.com:443", "the API's"),
        ("https://api.example.com:8443", "another's"),
        ("https://files.example.com", "another's"),
        ("https://api.example.com.evil.example", "another's"),
    ],
)
def test_a_token_goes_to_the_apis_own_origin_and_elsewhere_only_where_it_is_stated(
    tmp_path: Path, destination: str, whose: str
) -> None:
    table = {"prefix": "/api/x", "destination": destination}
    for token, expected in (("user", True), ("none", False)):
        assert routes_of(tmp_path, {**table, "token": token})["/api/x"].attaches_token is expected
    if whose == "the API's":
        assert routes_of(tmp_path, table)["/api/x"].attaches_token
        return
    (problem,) = problems_of(tmp_path, table)
    assert problem.startswith("LEXGATE_ROUTES: route 1, token: must be stated")
    assert 'write token = "none", or token = "user"' in problem


def test_certificates_are_those_of_the_route_or_else_of_the_setting(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    general = str(write_certificate(tmp_path).certificate)
    own = str(write_certificate(tmp_path / "own").certificate)
    routes = routes_of(tmp_path, {**FILES, "ca_file": own}, LEXGATE_CA_FILE="certificate.pem")
    assert (routes["/api/files"].ca_file, routes["/api"].ca_file) == (own, general)
    assert routes_of(tmp_path)["/api"].ca_file is None


@pytest.mark.parametrize(
    ("changes", "place", "remedy"),
    [
        ({"prefix": "/v1"}, "prefix", 'write e.g. prefix = "/api/files"'),
        ({"prefix": "/api/a%20b"}, "prefix", 'write e.g. prefix = "/api/files"'),
        ({"prefix": "/api/../x"}, "prefix", 'write e.g. prefix = "/api/files"'),
        ({"prefix": None}, "prefix", 'write e.g. prefix = "/api/files"'),
        ({"destination": "http://files.example.com"}, "destination", "https://files.example.com"),
        ({"destination": "https://user@files.example.com"}, "destination", "https://files.example.com"),
        ({"token": "both"}, "token", 'write e.g. token = "none"'),
        ({"methods": []}, "methods", "write e.g. methods ="),
        ({"methods": ["get"]}, "methods", "write e.g. methods ="),
        ({"methods": ["GET", "TRACE"]}, "methods", "write e.g. methods ="),
        ({"methods": ["CONNECT"]}, "methods", "write e.g. methods ="),
        ({"body_limit": -1}, "body_limit", "write e.g. body_limit = 10485760"),
        ({"body_limit": "10 MB"}, "body_limit", "write e.g. body_limit = 10485760"),
        ({"websocket": "yes"}, "websocket", "write e.g. websocket = true"),
        ({"strip": "/other"}, "strip", 'write e.g. strip = "/api"'),
        ({"ca_file": "missing.pem"}, "ca_file", "write e.g. ca_file ="),
        ({"timeouts": {"idle": 0}}, "timeouts.idle", "write e.g. idle = 60"),
        ({"timeouts": {"total": "soon"}}, "timeouts.total", "write e.g. total = 300"),
        ({"timeouts": {"first_bite": 1}}, "timeouts.first_bite", "did you mean first_byte?"),
        ({"timeouts": 5}, "timeouts", "write e.g. timeouts ="),
        ({"destinations": "x"}, "destinations", "did you mean destination?"),
        ({"colour": "red"}, "colour", "leave it out"),
    ],
)
def test_a_mistake_in_a_route_is_told_with_its_place_and_remedy(
    tmp_path: Path, changes: dict[str, Any], place: str, remedy: str
) -> None:
    (problem,) = problems_of(tmp_path, {"prefix": "/api/fine"}, {**FILES, **changes})
    assert problem.startswith(f"LEXGATE_ROUTES: route 2, {place}: ")
    assert remedy in problem
    assert "user@" not in problem


def test_a_route_strips_no_more_than_its_prefix(tmp_path: Path) -> None:
    for strip in ("/api/files/deep", "/api/file"):
        (problem,) = problems_of(tmp_path, {**FILES, "strip": strip})
        assert problem.startswith("LEXGATE_ROUTES: route 1: strip must be the beginning of the prefix; write")


def test_two_routes_of_one_prefix_are_refused(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, FILES, {**FILES, "prefix": "/api/files/"})
    assert problem == "LEXGATE_ROUTES: two routes have the prefix /api/files; leave one of them out"


@pytest.mark.parametrize("written", ["", "{", "5", '{"prefix": "/api"}', '"/api"'])
def test_what_is_no_list_of_routes_is_refused(tmp_path: Path, written: str) -> None:
    environ = ENVIRON | {"LEXGATE_ROUTES": written}
    if not written:
        assert len(load_settings(environ, tmp_path).routes) == 1
        return
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(environ, tmp_path)
    assert refusal.value.problems[0].startswith("LEXGATE_ROUTES: must be ")


def test_a_route_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "/api/files")
    assert problem.startswith("LEXGATE_ROUTES: route 1: ")


def test_all_problems_of_routes_are_reported_with_all_others(tmp_path: Path) -> None:
    tables = ({**FILES, "body_limit": "x", "methods": []}, {"prefix": 5})
    problems = problems_of(tmp_path, *tables, LEXGATE_BIND="x", LEXGATE_API_URL="x")
    assert len(problems) == 5
    assert {problem.split(":")[0] for problem in problems} == {
        "LEXGATE_ROUTES",
        "LEXGATE_BIND",
        "LEXGATE_API_URL",
    }


@pytest.mark.parametrize("field", ["SESSION_CONCURRENCY", "SESSION_WEBSOCKETS", "MAX_CONNECTIONS"])
def test_a_limit_is_a_whole_number_above_0(tmp_path: Path, field: str) -> None:
    settings = load_settings(ENVIRON | {f"LEXGATE_{field}": "7"}, tmp_path)
    assert getattr(settings, field.lower()) == 7
    for wrong in ("0", "-1", "1.5", "many"):
        with pytest.raises(ConfigurationError) as refusal:
            load_settings(ENVIRON | {f"LEXGATE_{field}": wrong}, tmp_path)
        assert refusal.value.problems[0].startswith(
            f"LEXGATE_{field}: must be a whole number above 0; write e.g. "
        )


def test_answers_are_shared_where_there_is_a_budget_or_a_cached_path(tmp_path: Path) -> None:
    v1, other, live = {"prefix": "/api/v1"}, {"prefix": "/api/other"}, {"prefix": "/api/live", "share": False}
    unpaced = {"LEXGATE_BUDGET_RATE": "0"}
    routes = routes_of(tmp_path, v1, other, FILES, live, **unpaced)
    assert {prefix for prefix, route in routes.items() if route.is_shared} == {"/api", "/api/v1"}
    routes = routes_of(tmp_path, v1, other, FILES, live)
    assert {prefix for prefix, route in routes.items() if route.is_shared} == {
        "/api",
        "/api/v1",
        "/api/other",
    }
    assert not any(
        route.is_shared for route in routes_of(tmp_path, **unpaced, LEXGATE_CACHE_BYTES="0").values()
    )
    assert not routes_of(tmp_path, {**FILES, "share": True})["/api/files"].is_shared, (
        "there is nobody to share"
    )


def test_a_call_that_is_shared_is_not_plain(tmp_path: Path) -> None:
    assert not routes_of(tmp_path, LEXGATE_BUDGET_RATE="0")["/api"].goes_in_lane
    assert routes_of(tmp_path, LEXGATE_BUDGET_RATE="0", LEXGATE_CACHE_BYTES="0")["/api"].goes_in_lane


@pytest.mark.parametrize(
    ("environ", "paced"),
    [
        ({}, True),
        ({"LEXGATE_BUDGET_RATE": "0"}, False),
        ({"LEXGATE_BUDGET_RATE": "0.5"}, True),
        ({"LEXGATE_PROVIDER": "openid", "LEXGATE_ISSUER": "https://login.example.com"}, False),
        (
            {
                "LEXGATE_PROVIDER": "openid",
                "LEXGATE_ISSUER": "https://login.example.com",
                "LEXGATE_BUDGET_RATE": "7",
            },
            True,
        ),
    ],
)
def test_calls_to_the_api_keep_to_the_budget_where_there_is_a_rate(
    tmp_path: Path, environ: dict[str, str], *, paced: bool
) -> None:
    routes = routes_of(tmp_path, FILES, {"prefix": "/api/own", "budget": False}, **environ)
    assert routes["/api"].is_paced is paced
    assert not routes["/api/files"].is_paced
    assert not routes["/api/own"].is_paced


def test_another_host_keeps_to_the_budget_by_the_operators_word_alone(tmp_path: Path) -> None:
    other = {**FILES, "token": "user"}
    assert not routes_of(tmp_path, other)["/api/files"].is_paced
    assert routes_of(tmp_path, {**other, "budget": True})["/api/files"].is_paced


def test_a_budget_needs_a_token_and_a_rate(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, {**FILES, "budget": True})
    assert "budget must be false where no token goes along" in problem
    (problem,) = problems_of(tmp_path, {"prefix": "/api/x", "budget": True}, LEXGATE_BUDGET_RATE="0")
    assert problem.startswith("LEXGATE_ROUTES: a route says budget = true, but there is no rate")
