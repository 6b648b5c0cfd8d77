"""What the pages say, in English and German, and which of the two a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "note": "A sandbox with made-up people and books, not connected to the real lexoffice.",
        "sign_in": "Sign in",
        "continue_to": "to continue to {client}",
        "choose": "Choose a person",
        "consent": "Allow access?",
        "asks": "{client} asks for access to the books of {organization}.",
        "connection": "Connection",
        "wants": "It will be able to",
        "allow": "Allow",
        "deny": "Deny",
        "other": "Use another account",
        "goes_to": "Afterwards you return to {origin}.",
        "refused": "This sign-in cannot go on",
        "refused_client": "The app that sent you here is not registered with this authorization server.",
        "refused_redirect_uri": "The app asked to be answered at an address that is not registered for it.",
        "refused_repeated": "The app's request holds a parameter twice.",
        "refused_stale": "This page is no longer valid: it took too long, or it was answered already.",
        "refused_way_on": "For your safety nobody was sent anywhere. Go back to the app and start again.",
        "sign_out": "Sign out?",
        "sign_out_text": "You are about to sign out of the lexoffice sandbox.",
        "sign_out_button": "Sign out",
        "signed_out": "You are signed out",
        "signed_out_text": "You can close this tab now.",
    },
    "de": {
        "note": "Eine Sandbox mit erfundenen Personen und Büchern, ohne Verbindung zum echten lexoffice.",
        "sign_in": "Anmelden",
        "continue_to": "und weiter zu {client}",
        "choose": "Person auswählen",
        "consent": "Zugriff erlauben?",
        "asks": "{client} möchte auf die Bücher von {organization} zugreifen.",
        "connection": "Verbindung",
        "wants": "Die App darf dann",
        "allow": "Erlauben",
        "deny": "Ablehnen",
        "other": "Anderes Konto verwenden",
        "goes_to": "Danach kehren Sie zurück zu {origin}.",
        "refused": "Diese Anmeldung kann nicht weitergehen",
        "refused_client": "Die App, von der Sie kommen, ist hier nicht registriert.",
        "refused_redirect_uri": "Die Antwortadresse, die die App nennt, ist nicht für sie registriert.",
        "refused_repeated": "Die Anfrage der App enthält einen Parameter doppelt.",
        "refused_stale": "Diese Seite gilt nicht mehr: Sie ist zu alt oder schon beantwortet.",
        "refused_way_on": "Zur Sicherheit wurde niemand weitergeleitet. Beginnen Sie in der App von vorn.",
        "sign_out": "Abmelden?",
        "sign_out_text": "Sie melden sich von der lexoffice-Sandbox ab.",
        "sign_out_button": "Abmelden",
        "signed_out": "Sie sind abgemeldet",
        "signed_out_text": "Sie können diesen Tab jetzt schließen.",
    },
}


def language_of(request: Request, ui_locales: str = "") -> str:
    """`de` or `en`: the first of `ui_locales`, then of Accept-Language by weight, that is one of them."""
    wanted = ui_locales.split() + _accepted(request.headers.get("accept-language", ""))
    for tag in wanted:
        if (language := tag.partition("-")[0].lower()) in TEXTS:
            return language
    return "en"


def _accepted(header: str) -> list[str]:
    weighted: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, parameter = part.strip().partition(";")
        weighted.append((-_weight(parameter), tag.strip()))
    return [tag for _, tag in sorted(weighted, key=lambda pair: pair[0])]


def _weight(parameter: str) -> float:
    try:
        return float(parameter.strip().removeprefix("q=")) if parameter else 1.0
    except ValueError:
        return 0.0
