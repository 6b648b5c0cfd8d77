"""Signing in at the sandbox, in both pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.stage import REDIRECT_URI, SECRET, VERIFIER, Clock, Person, Stage, returned

if TYPE_CHECKING:
    import httpx

    from gateway.sandbox import Sandbox


def test_a_sign_in_ends_with_tokens_that_open_the_api(anyone: Person, sandbox: Sandbox) -> None:
    tokens = anyone.sign_in()
    profile = anyone.api("GET", "/profile", tokens.access_token).json()
    assert profile["companyName"] == "Nordlicht Leuchten GmbH"
    assert profile["created"]["userEmail"] == "anna.petersen@nordlicht.example"
    assert sandbox.counters.token_answers == {"authorization_code": 1}


def test_the_state_comes_back_and_iss_in_the_openid_picture_alone(anyone: Person, stage: Stage) -> None:
    """RFC 9207 §2: the openid picture names itself, as its metadata promise."""
    answer = anyone.decide(anyone.authorize(state="s & t=ü"))
    assert answer.pop("state") == "s & t=ü"
    assert len(answer.pop("code")) == 128
    assert answer == ({"iss": f"{stage.base_url}/openid"} if anyone.picture == "openid" else {})


def test_the_lexware_picture_gives_opaque_tokens_for_four_hours_and_no_id_token(person: Person) -> None:
    answer = person.sign_in().raw
    assert len(answer["access_token"]) == 1000
    assert len(answer["refresh_token"]) == 128
    assert answer["expires_in"] == 14399
    assert "." not in answer["access_token"]
    assert "id_token" not in answer


def test_left_out_scope_means_all_in_the_lexware_picture(person: Person) -> None:
    assert {"contacts.write", "profile.read"} <= set(person.sign_in().raw["scope"].split())


def test_the_two_users_have_books_of_their_own(person: Person) -> None:
    companies = {
        user: person.api("GET", "/profile", person.sign_in(user).access_token).json()["companyName"]
        for user in ("anna", "jonas")
    }
    assert companies == {"anna": "Nordlicht Leuchten GmbH", "jonas": "Rebenhof Sommer e. K."}


def test_a_second_sign_in_makes_a_second_connection(person: Person) -> None:
    first, second = person.sign_in(), person.sign_in()
    ids = [
        person.api("GET", "/profile", tokens.access_token).json()["connectionId"]
        for tokens in (first, second)
    ]
    assert ids[0] != ids[1]


def test_a_second_sign_in_replaces_the_connection_when_told_to(
    stage: Stage, clock: Clock, http: httpx.Client
) -> None:
    stage.put_on(clock, reconnect="replace")
    person = Person(http)
    first = person.sign_in()
    before = person.api("GET", "/profile", first.access_token).json()["connectionId"]
    second = person.sign_in()
    assert person.api("GET", "/profile", second.access_token).json()["connectionId"] == before
    assert person.api("GET", "/profile", first.access_token).status_code == 401


def test_a_denied_consent_goes_back_as_access_denied(anyone: Person, sandbox: Sandbox) -> None:
    answer = anyone.decide(anyone.authorize(), decision="deny")
    assert (answer["error"], answer["state"]) == ("access_denied", "a state")
    assert "code" not in answer
    assert sandbox.counters.events["denials"] == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "stranger"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": REDIRECT_URI + "/"},
        {"redirect_uri": REDIRECT_URI + "?x=1"},
        {"redirect_uri": REDIRECT_URI.replace("8000", "8001")},
        {"redirect_uri": REDIRECT_URI.replace("http", "HTTP")},
        {"redirect_uri": "https://evil.example/auth/callback"},
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    anyone: Person, changes: dict[str, str | None]
) -> None:
    """RFC 9700 §2.1: exact comparison, and a page instead of a redirect."""
    answer = anyone.authorize(**changes)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "profile.read everything"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "surprise"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_other_mistakes_are_told_to_the_client(
    anyone: Person, changes: dict[str, str | None], error: str
) -> None:
    """RFC 6749 §4.1.2.1 and RFC 7636 §4.2: errors that the redirect URI may learn of."""
    answer = returned(anyone.authorize(**changes))
    assert (answer["error"], answer["state"]) == (error, "a state")


def test_a_repeated_parameter_is_refused(anyone: Person) -> None:
    """RFC 6749 §3.1: parameters occur once; a repeated state or client is not even redirected."""
    url = str(anyone.authorize().request.url)
    assert returned(anyone.http.get(f"{url}&response_type=code"))["error"] == "invalid_request"
    for name in ("state", "client_id", "redirect_uri"):
        assert anyone.http.get(f"{url}&{name}=x").status_code == 400


def test_the_openid_picture_needs_a_scope(openid: Person) -> None:
    assert returned(openid.authorize(scope=None))["error"] == "invalid_scope"


def test_pkce_cannot_be_left_out(person: Person, http: httpx.Client) -> None:
    """RFC 9700 §2.1.1: the lexware picture and public clients demand it."""
    public = Person(http, "openid", client_id="lexgate-public", method="none")
    for one in (person, public):
        answer = returned(one.authorize(code_challenge=None, code_challenge_method=None))
        assert answer["error"] == "invalid_request"


def test_a_verifier_without_a_challenge_is_refused(openid: Person) -> None:
    """RFC 9700 §4.8.2: the challenge may have been stripped from the request on the way."""
    bare: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
    refused = openid.exchange(openid.code(**bare))
    assert refused.json()["error"] == "invalid_grant"
    assert openid.exchange(openid.code(**bare), code_verifier=None).status_code == 200


@pytest.mark.parametrize("verifier", [None, "", "x" * 43, VERIFIER + "x", "ü" * 43, VERIFIER[:42]])
def test_a_wrong_verifier_spends_the_code(anyone: Person, verifier: str | None) -> None:
    """RFC 7636 §4.6."""
    code = anyone.code()
    assert anyone.exchange(code, code_verifier=verifier).json()["error"] == "invalid_grant"
    assert anyone.exchange(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("redirect_uri", [None, "", "http://localhost:8000/other?a=b"])
def test_the_exchange_needs_the_same_redirect_uri(anyone: Person, redirect_uri: str | None) -> None:
    answer = anyone.exchange(anyone.code(), redirect_uri=redirect_uri)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_code_lives_five_minutes(anyone: Person, clock: Clock) -> None:
    code = anyone.code()
    clock.advance(300)
    assert anyone.exchange(code).json()["error"] == "invalid_grant"


def test_a_code_used_twice_revokes_what_it_gave(anyone: Person, sandbox: Sandbox) -> None:
    """RFC 6749 §4.1.2: whoever came second may be the thief, or the first may be."""
    code = anyone.code()
    tokens = anyone.exchange(code).json()
    assert anyone.exchange(code).json()["error"] == "invalid_grant"
    assert anyone.api("GET", "/countries", tokens["access_token"]).status_code == 401
    assert anyone.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert sandbox.counters.events["code_reuse"] == 1


def test_a_code_is_good_for_its_own_client_alone(openid: Person, http: httpx.Client) -> None:
    """RFC 6749 §4.1.3: the code was issued to one client."""
    stranger = Person(http, "openid", client_id="lexgate-public", method="none")
    assert stranger.exchange(openid.code()).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("picture", "client_id", "method", "status"),
    [
        ("lexware", "lexgate", "basic", 200),
        ("lexware", "lexgate", "post", 401),
        ("lexware", "lexgate", "none", 401),
        ("openid", "lexgate", "basic", 200),
        ("openid", "lexgate", "post", 200),
        ("openid", "lexgate", "none", 401),
        ("openid", "lexgate-public", "none", 200),
        ("openid", "lexgate-public", "post", 401),
        ("openid", "lexgate-public", "basic", 401),
    ],
)
def test_clients_authenticate_as_registered(
    http: httpx.Client, person: Person, picture: str, client_id: str, method: str, status: int
) -> None:
    """RFC 6749 §2.3.1: Basic carries form-urlencoded values, and the secret has characters that need it."""
    assert person
    one = Person(http, "lexware" if picture == "lexware" else "openid", client_id, method)
    answer = one.exchange(one.code())
    assert answer.status_code == status
    if status == 401:
        # RFC 6749 §5.2: the answer names the scheme
        assert answer.json()["error"] == "invalid_client"
        assert answer.headers["www-authenticate"].startswith("Basic")


def test_two_authentication_methods_at_once_are_refused(openid: Person) -> None:
    """RFC 6749 §2.3: one method a request."""
    answer = openid.exchange("any", client_secret=SECRET)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    answer = openid.exchange("any", client_id="somebody-else")
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("header", ["Basic", "Basic ###", "Bearer abc", "Basic bGV4Z2F0ZQ==", "Basic /w=="])
def test_a_malformed_authorization_header_is_invalid_client(openid: Person, header: str) -> None:
    answer = openid.http.post(
        "/openid/token", data={"grant_type": "refresh_token"}, headers={"Authorization": header}
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_post_can_start_a_sign_in(openid: Person) -> None:
    url = openid.authorize().request.url
    begun = openid.http.post("/openid/authorize", data=dict(url.params))
    assert "code" in openid.decide(begun)
