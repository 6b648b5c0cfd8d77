"""What the openid picture adds: discovery, keys, id_token, userinfo, silent sign-in and logout."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.sandbox.stage import HOME, Clock, Person, Stage, Tokens, returned

if TYPE_CHECKING:
    from gateway.sandbox import Sandbox


def claims_of(person: Person, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a JWT that the published keys verify."""
    keys = KeySet.import_key_set(person.http.get("/openid/jwks").json())
    decoded = jwt.decode(token, keys, algorithms=["RS256"])
    return dict(decoded.header), dict(decoded.claims)


def test_discovery_names_this_origin_and_no_other(openid: Person, stage: Stage) -> None:
    """RFC 8414 §2 and RFC 9207 §3: the metadata promise what the endpoints keep."""
    metadata = openid.http.get("/openid/.well-known/openid-configuration").json()
    assert metadata["issuer"] == f"{stage.base_url}/openid"
    endpoints = [value for key, value in metadata.items() if key.endswith(("_endpoint", "_uri"))]
    assert len(endpoints) == 6
    assert all(url.startswith(metadata["issuer"] + "/") for url in endpoints)
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert metadata["code_challenge_methods_supported"] == ["S256"]


def test_the_key_set_holds_public_keys_alone(openid: Person) -> None:
    (key,) = openid.http.get("/openid/jwks").json()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}


def test_the_id_token_says_who_signed_in(
    openid: Person, sandbox: Sandbox, stage: Stage, clock: Clock
) -> None:
    answer = openid.sign_in().raw
    header, claims = claims_of(openid, answer["id_token"])
    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    digest = hashlib.sha256(answer["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert (claims["aud"], claims["azp"], claims["nonce"]) == ("lexgate", "lexgate", "n-1")
    assert claims["iss"] == f"{stage.base_url}/openid"
    assert (claims["iat"], claims["auth_time"]) == (int(clock.now), int(clock.now))
    assert claims["exp"] > claims["iat"]
    assert (claims["name"], claims["email"]) == ("Anna Petersen", "anna.petersen@nordlicht.example")
    (connection,) = sandbox.grants.connections()
    assert (claims["sub"], claims["sid"]) == (connection.user.id, connection.sid)


def test_the_access_token_is_a_jwt_of_its_own_type(openid: Person, stage: Stage) -> None:
    answer = openid.sign_in().raw
    header, claims = claims_of(openid, answer["access_token"])
    assert header["typ"] == "at+jwt"
    assert (claims["aud"], claims["scope"]) == (stage.base_url, answer["scope"])
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 3600


def test_a_refreshed_id_token_has_the_same_subject_and_no_nonce(openid: Person, clock: Clock) -> None:
    first = openid.sign_in()
    clock.advance(100)
    second = Tokens(openid.refresh(first.refresh_token).json())
    before, after = (claims_of(openid, tokens.raw["id_token"])[1] for tokens in (first, second))
    assert after["sub"] == before["sub"]
    assert after["auth_time"] == before["auth_time"]
    assert after["iat"] == before["iat"] + 100
    assert "nonce" not in after


def test_without_the_openid_scope_there_is_no_id_token(openid: Person) -> None:
    assert "id_token" not in openid.sign_in(scope="invoice.read").raw


def test_claims_follow_the_scopes(openid: Person) -> None:
    bare = claims_of(openid, openid.sign_in(scope="openid").raw["id_token"])[1]
    email = claims_of(openid, openid.sign_in_again(scope="openid email").raw["id_token"])[1]
    assert {"name", "email"}.isdisjoint(bare)
    assert "email" in email
    assert "name" not in email


def test_userinfo_tells_the_same_person(openid: Person) -> None:
    answer = openid.sign_in()
    claims = claims_of(openid, answer.raw["id_token"])[1]
    bearer = {"Authorization": f"Bearer {answer.access_token}"}
    told = openid.http.get("/openid/userinfo", headers=bearer).json()
    assert told.items() <= claims.items()
    assert told["organization"] == "Nordlicht Leuchten GmbH"
    assert openid.http.get("/openid/userinfo").status_code == 401


def test_a_token_of_the_other_picture_opens_no_userinfo(person: Person) -> None:
    bearer = {"Authorization": f"Bearer {person.sign_in().access_token}"}
    assert person.http.get("/openid/userinfo", headers=bearer).status_code == 401


def test_a_code_of_the_other_picture_is_refused(openid: Person, person: Person) -> None:
    """RFC 6749 §4.1.3: the same client_id, but another registration."""
    assert person.exchange(openid.code()).json()["error"] == "invalid_grant"
    assert person.refresh(openid.sign_in_again().refresh_token).json()["error"] == "invalid_grant"


def test_prompt_none_succeeds_for_a_person_who_agreed_before(openid: Person) -> None:
    assert returned(openid.authorize(prompt="none"))["error"] == "login_required"
    openid.sign_in()
    assert openid.exchange(returned(openid.authorize(prompt="none"))["code"]).status_code == 200
    answer = returned(openid.authorize(prompt="none", scope="openid contacts.write"))
    assert answer["error"] == "consent_required"


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
def test_prompt_login_asks_again(openid: Person, clock: Clock, prompt: str) -> None:
    openid.sign_in()
    clock.advance(10)
    page = openid.http.get(openid.authorize(prompt=prompt).headers["location"])
    assert 'data-testid="user-anna"' in page.text


def test_max_age_asks_again_when_the_login_is_older(openid: Person, clock: Clock) -> None:
    openid.sign_in()
    clock.advance(61)
    assert returned(openid.authorize(prompt="none", max_age="60"))["error"] == "login_required"
    assert "code" in returned(openid.authorize(prompt="none", max_age="61"))
    page = openid.http.get(openid.authorize(max_age="60").headers["location"])
    assert 'data-testid="user-anna"' in page.text


def logout_url(**query: str) -> str:
    return f"/openid/logout?{urlencode(query)}"


def test_logout_with_the_id_token_goes_straight_back(openid: Person) -> None:
    hint = openid.sign_in().raw["id_token"]
    answer = openid.http.get(logout_url(id_token_hint=hint, post_logout_redirect_uri=HOME, state="x y"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{HOME}?state=x+y")
    assert returned(openid.authorize(prompt="none"))["error"] == "login_required"


def test_logout_without_proof_asks_first(openid: Person) -> None:
    openid.sign_in()
    parameters = {"client_id": "lexgate", "post_logout_redirect_uri": HOME}
    page = openid.http.get(logout_url(**parameters))
    assert (page.status_code, 'data-testid="sign-out"' in page.text) == (200, True)
    assert "code" in returned(openid.authorize(prompt="none"))
    answer = openid.http.post("/openid/logout", data={**parameters, "confirmed": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, HOME)
    assert returned(openid.authorize(prompt="none"))["error"] == "login_required"


@pytest.mark.parametrize("uri", ["https://evil.example/", HOME + "x", "//evil.example", ""])
def test_logout_sends_nobody_to_an_unregistered_address(openid: Person, uri: str) -> None:
    hint = openid.sign_in().raw["id_token"]
    answer = openid.http.get(logout_url(id_token_hint=hint, post_logout_redirect_uri=uri))
    assert answer.status_code == 200
    assert "location" not in answer.headers


def test_logout_before_anybody_signed_in_is_harmless(openid: Person) -> None:
    page = openid.http.get(
        logout_url(id_token_hint="x.y.z", client_id="lexgate", post_logout_redirect_uri=HOME)
    )
    assert (page.status_code, page.headers["location"]) == (303, HOME)


def test_logout_believes_no_foreign_hint(openid: Person) -> None:
    hint = openid.sign_in().raw["id_token"]
    forged = hint[: hint.rindex(".")] + "." + "A" * 342
    for bad in (forged, "x", "a.b.c"):
        page = openid.http.get(logout_url(id_token_hint=bad, post_logout_redirect_uri=HOME))
        assert 'data-testid="sign-out"' in page.text
