"""The pages: languages, escaping, headers, and who may answer them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.sandbox import USERS
from tests.sandbox.stage import Clock, Person, Stage, returned

if TYPE_CHECKING:
    import httpx


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,de;q=0.5", "en"),
        ("fr,de;q=0.3,en;q=0.4", "en"),
        ("fr", "en"),
        ("de;q=x,en;q=0.1", "en"),
    ],
)
def test_pages_speak_the_language_of_the_browser(
    http: httpx.Client, person: Person, accepted: str, language: str
) -> None:
    assert person
    page = http.get("/", headers={"Accept-Language": accepted})
    assert page.headers["content-language"] == language
    assert f'<html lang="{language}">' in page.text


def test_ui_locales_come_before_the_browser(anyone: Person) -> None:
    begun = anyone.authorize(ui_locales="fr de-AT")
    page = anyone.http.get(begun.headers["location"], headers={"Accept-Language": "en"})
    assert "<h1>Anmelden</h1>" in page.text


def test_the_login_page_offers_both_people_and_the_hinted_one_first(anyone: Person) -> None:
    begun = anyone.authorize(login_hint=USERS["jonas"].email)
    page = anyone.http.get(begun.headers["location"]).text
    assert 0 < page.index('data-testid="user-jonas"') < page.index('data-testid="user-anna"')


def test_the_consent_page_names_client_connection_and_scopes(person: Person) -> None:
    begun = person.authorize(scope="invoices.read contacts.write", connection_name="<b>Büro & Co.</b>")
    page = begun.headers["location"]
    person.http.post(f"{page}/person", data={"user": "anna"})
    text = person.http.get(page).text
    assert "&lt;b&gt;Büro &amp; Co.&lt;/b&gt;" in text
    assert "<code>invoices.read</code>" in text
    assert "Create and change contacts" in text
    assert "Nordlicht Leuchten GmbH" in text
    assert "files.read" not in text


def test_the_consent_page_may_lead_to_the_client_and_nowhere_else(anyone: Person) -> None:
    """Browsers apply form-action to the redirects of a form as well."""
    policy = anyone.http.get(anyone.authorize().headers["location"]).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://localhost:8000" in policy
    assert "unsafe" not in policy


def test_pages_hold_no_inline_script_or_style(anyone: Person) -> None:
    page = anyone.http.get(anyone.authorize().headers["location"]).text
    assert "<script" not in page
    assert "<style" not in page
    assert " style=" not in page
    style = anyone.http.get("/sandbox/style.css")
    assert style.headers["content-type"].startswith("text/css")


def test_an_answered_page_is_no_longer_valid(anyone: Person) -> None:
    begun = anyone.authorize()
    anyone.decide(begun)
    assert anyone.http.get(begun.headers["location"]).status_code == 400
    again = anyone.http.post(f"{begun.headers['location']}/consent", data={"decision": "allow"})
    assert again.status_code == 400


def test_a_page_waits_ten_minutes(anyone: Person, clock: Clock) -> None:
    begun = anyone.authorize()
    clock.advance(601)
    assert anyone.http.get(begun.headers["location"]).status_code == 400
    assert "/sign-in/" in anyone.authorize().headers["location"]


def test_nobody_agrees_without_being_signed_in(anyone: Person) -> None:
    page = anyone.authorize().headers["location"]
    assert anyone.http.post(f"{page}/consent", data={"decision": "allow"}).status_code == 400


def test_consent_needs_the_fresh_login_that_was_asked_for(openid: Person, clock: Clock) -> None:
    openid.sign_in()
    clock.advance(1)
    page = openid.authorize(prompt="login").headers["location"]
    assert openid.http.post(f"{page}/consent", data={"decision": "allow"}).status_code == 400


@pytest.mark.parametrize("form", ["person", "consent"])
def test_forms_of_other_sites_are_refused(anyone: Person, form: str) -> None:
    anyone.sign_in()
    page = anyone.authorize().headers["location"]
    answer = anyone.http.post(
        f"{page}/{form}",
        data={"user": "anna", "decision": "allow"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 400


def test_an_unknown_person_cannot_sign_in(anyone: Person) -> None:
    page = anyone.authorize().headers["location"]
    assert anyone.http.post(f"{page}/person", data={"user": "eve"}).status_code == 400


def test_the_login_cookie_is_hidden_from_scripts(anyone: Person) -> None:
    page = anyone.authorize().headers["location"]
    cookie = anyone.http.post(f"{page}/person", data={"user": "anna"}).headers["set-cookie"]
    assert cookie.startswith("sandbox-login=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_the_login_cookie_is_secure_on_https(stage: Stage, clock: Clock, http: httpx.Client) -> None:
    stage.put_on(clock, base_url="https://sandbox.example")
    page = Person(http).authorize().headers["location"]
    assert "Secure" in http.post(f"{page}/person", data={"user": "anna"}).headers["set-cookie"]


def test_a_signed_in_person_may_choose_another_account(anyone: Person) -> None:
    anyone.sign_in("anna")
    page = anyone.authorize().headers["location"]
    assert 'data-testid="allow"' in anyone.http.get(page).text
    assert 'data-testid="user-jonas"' in anyone.http.get(f"{page}?choose=1").text


def test_a_redirect_uri_with_a_query_keeps_it(person: Person) -> None:
    begun = person.authorize(redirect_uri="http://localhost:8000/other?a=b", prompt="none")
    assert begun.headers["location"].startswith("http://localhost:8000/other?a=b&error=login_required")


def test_without_state_none_comes_back(person: Person) -> None:
    assert "state" not in returned(person.authorize(state=None, prompt="none"))


def test_the_front_page_explains_the_sandbox(http: httpx.Client, person: Person) -> None:
    assert person
    page = http.get("/").text
    for word in ("Anna Petersen", "Jonas Sommer", "/openid/.well-known/openid-configuration", "api_504"):
        assert word in page
