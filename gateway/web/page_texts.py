"""What the pages say, in German and English, and which ways on they offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.browser.language import Language

    Text = tuple[str, str, tuple[str, ...]]

_SIGN_IN = ("login", "app")
_APP = ("app", "login")

BUTTONS: Mapping[Language, Mapping[str, str]] = {
    "de": {"login": "Neu anmelden", "app": "Zur App", "reference": "Vorgang"},
    "en": {"login": "Sign in again", "app": "To the app", "reference": "Reference"},
}

SIGNED_IN_TEXTS: Mapping[Language, tuple[str, str]] = {
    "de": ("Sie sind angemeldet", "Dieses Fenster wird nicht mehr gebraucht, Sie können es schließen."),
    "en": ("You are signed in", "This window is not needed any more, you can close it."),
}
"""Title and sentence of the page at which a sign-in in a window of its own ends."""

CLOSE: Mapping[Language, str] = {
    "de": "Sie können dieses Fenster auch schließen: In dem anderen ist die App noch so, wie sie war.",
    "en": "You can also close this window: in the other one the app is still as it was.",
}
"""What an error page says besides, where the sign-in has a window of its own."""
OVER_HTTP: Mapping[Language, str] = {
    "de": "Safari behält über http:// keine Secure-Cookies, auch nicht auf localhost: Nehmen Sie hier einen "
    "anderen Browser, oder https.",
    "en": "Safari keeps no Secure cookies over http://, not even on localhost: use another browser here, "
    "or https.",
}
"""What an error page says besides, where a cookie is missing without TLS, as on a developer's machine."""

FALLBACK: Mapping[Language, Text] = {
    "de": ("Das hat nicht geklappt", "Bitte versuchen Sie es noch einmal.", _APP),
    "en": ("That did not work", "Please try again.", _APP),
}

_DOWN_DE = "Ihre Sitzung ist davon nicht betroffen. Bitte versuchen Sie es gleich noch einmal."
_DOWN_EN = "Your session is not affected. Please try again in a moment."
_BROKEN_DE = "Seine Antwort war nicht zu gebrauchen, deshalb wurde niemand angemeldet."
_BROKEN_EN = "Its answer could not be used, so nobody was signed in."

_GERMAN: dict[str, Text] = {
    "access_denied": (
        "Anmeldung abgebrochen",
        "Sie haben den Zugriff nicht erlaubt. Ohne ihn kann die App nichts für Sie tun.",
        _SIGN_IN,
    ),
    "state_unknown": (
        "Diese Anmeldung gehört nicht hierher",
        "Sie ist schon abgeschlossen, zu alt oder aus einem anderen Browser. Vielleicht gilt sie bereits.",
        _APP,
    ),
    "login_attempt_expired": (
        "Die Anmeldung hat zu lange gedauert",
        "Aus Sicherheitsgründen gilt ein Anmeldeversuch nur zehn Minuten.",
        _SIGN_IN,
    ),
    "authorization_response_spent": (
        "Diese Anmeldung ist schon abgeschlossen",
        "Dieselbe Adresse wurde ein zweites Mal aufgerufen. Sie gilt nur einmal.",
        _APP,
    ),
    "issuer_mismatch": (
        "Die Antwort kam von der falschen Stelle",
        "Sie stammt nicht von dem Anmeldedienst, der gefragt wurde, und wurde verworfen.",
        _SIGN_IN,
    ),
    "parameter_repeated": (
        "Die Antwort war nicht eindeutig",
        "Eine Angabe kam darin doppelt vor, deshalb wurde sie verworfen.",
        _SIGN_IN,
    ),
    "request_invalid": ("Die Anfrage war fehlerhaft", "Eine Angabe darin ist ungültig.", _SIGN_IN),
    "authorization_refused": (
        "Der Anmeldedienst hat abgelehnt",
        "Die Anmeldung konnte dort nicht abgeschlossen werden.",
        _SIGN_IN,
    ),
    "authorization_server_unreachable": ("Der Anmeldedienst ist nicht erreichbar", _DOWN_DE, _SIGN_IN),
    "authorization_server_busy": ("Der Anmeldedienst ist überlastet", _DOWN_DE, _SIGN_IN),
    "authorization_server_timeout": ("Der Anmeldedienst antwortet nicht", _DOWN_DE, _SIGN_IN),
    "token_request_refused": ("Der Anmeldedienst hat abgelehnt", _BROKEN_DE, _SIGN_IN),
    "client_refused": (
        "Der Anmeldedienst lässt diese App nicht zu",
        "Das kann nur beheben, wer die App betreibt. Ihre Sitzung ist davon nicht betroffen.",
        _SIGN_IN,
    ),
    "invalid_grant": (
        "Diese Anmeldung gilt nicht mehr",
        "Der Anmeldedienst kennt sie nicht mehr. Bitte beginnen Sie von vorn.",
        _SIGN_IN,
    ),
    "token_response_invalid": ("Der Anmeldedienst ist gestört", _BROKEN_DE, _SIGN_IN),
    "metadata_invalid": ("Der Anmeldedienst ist gestört", _BROKEN_DE, _SIGN_IN),
    "id_token_invalid": ("Der Anmeldedienst ist gestört", _BROKEN_DE, _SIGN_IN),
    "identity_invalid": (
        "Ihr Profil war nicht zu lesen",
        "Sie wurden deshalb nicht angemeldet. Bitte versuchen Sie es gleich noch einmal.",
        _SIGN_IN,
    ),
    "store_unavailable": ("Die App ist gerade nicht bereit", _DOWN_DE, _APP),
    "record_unreadable": ("Die App ist gerade nicht bereit", _DOWN_DE, _APP),
    "session_required": (
        "Bitte melden Sie sich an",
        "Diese Adresse braucht eine Anmeldung, und es besteht keine mehr.",
        _SIGN_IN,
    ),
    "navigation_required": (
        "Hier beginnt eine Anmeldung",
        "Diese Adresse lässt sich nur in einem eigenen Fenster öffnen.",
        _SIGN_IN,
    ),
    "cross_site_refused": (
        "Diese Anfrage kam nicht aus der App",
        "Eine andere Website hat Sie hierher geschickt. Zum Schutz Ihrer Daten wurde nichts ausgeführt.",
        ("app",),
    ),
    "route_unknown": ("Hier ist nichts", "Unter dieser Adresse gibt es keine Seite.", ("app",)),
    "resource_server_unreachable": ("Die Daten sind nicht erreichbar", _DOWN_DE, ("app",)),
    "resource_server_timeout": ("Die Daten lassen auf sich warten", _DOWN_DE, ("app",)),
    "dev_server_unreachable": (
        "Der Entwicklungsserver läuft nicht",
        "Starten Sie ihn; diese Seite versucht es alle zwei Sekunden und zeigt dann die App.",
        ("app",),
    ),
    "dev_server_broken": (
        "Der Entwicklungsserver hat abgebrochen",
        "Seine eigene Ausgabe sagt mehr.",
        ("app",),
    ),
}

_ENGLISH: dict[str, Text] = {
    "access_denied": (
        "Sign-in cancelled",
        "You did not allow access. Without it the app can do nothing for you.",
        _SIGN_IN,
    ),
    "state_unknown": (
        "This sign-in does not belong here",
        "It was begun in another browser, is already complete, or is too old. You may be signed in already.",
        _APP,
    ),
    "login_attempt_expired": (
        "The sign-in took too long",
        "For your security an attempt to sign in holds for ten minutes only.",
        _SIGN_IN,
    ),
    "authorization_response_spent": (
        "This sign-in is already complete",
        "The same address was opened a second time. It counts only once.",
        _APP,
    ),
    "issuer_mismatch": (
        "The answer came from the wrong place",
        "It is not from the sign-in service that was asked, and was discarded.",
        _SIGN_IN,
    ),
    "parameter_repeated": (
        "The answer was ambiguous",
        "Something in it was said twice, so it was discarded.",
        _SIGN_IN,
    ),
    "request_invalid": ("The request was malformed", "Something in it is not valid.", _SIGN_IN),
    "authorization_refused": (
        "The sign-in service refused",
        "The sign-in could not be completed there.",
        _SIGN_IN,
    ),
    "authorization_server_unreachable": ("The sign-in service cannot be reached", _DOWN_EN, _SIGN_IN),
    "authorization_server_busy": ("The sign-in service is busy", _DOWN_EN, _SIGN_IN),
    "authorization_server_timeout": ("The sign-in service does not answer", _DOWN_EN, _SIGN_IN),
    "token_request_refused": ("The sign-in service refused", _BROKEN_EN, _SIGN_IN),
    "client_refused": (
        "The sign-in service does not accept this app",
        "Only whoever runs the app can mend that. Your session is not affected.",
        _SIGN_IN,
    ),
    "invalid_grant": (
        "This sign-in no longer holds",
        "The sign-in service does not know it any more. Please start over.",
        _SIGN_IN,
    ),
    "token_response_invalid": ("The sign-in service is out of order", _BROKEN_EN, _SIGN_IN),
    "metadata_invalid": ("The sign-in service is out of order", _BROKEN_EN, _SIGN_IN),
    "id_token_invalid": ("The sign-in service is out of order", _BROKEN_EN, _SIGN_IN),
    "identity_invalid": (
        "Your profile could not be read",
        "You were not signed in for that reason. Please try again in a moment.",
        _SIGN_IN,
    ),
    "store_unavailable": ("The app is not ready just now", _DOWN_EN, _APP),
    "record_unreadable": ("The app is not ready just now", _DOWN_EN, _APP),
    "session_required": (
        "Please sign in",
        "This address needs you to be signed in, and you no longer are.",
        _SIGN_IN,
    ),
    "navigation_required": (
        "A sign-in begins here",
        "This address can only be opened in a window of its own.",
        _SIGN_IN,
    ),
    "cross_site_refused": (
        "This request did not come from the app",
        "Another website sent you here. To protect your data nothing was done.",
        ("app",),
    ),
    "route_unknown": ("There is nothing here", "No page has this address.", ("app",)),
    "resource_server_unreachable": ("The data cannot be reached", _DOWN_EN, ("app",)),
    "resource_server_timeout": ("The data keep us waiting", _DOWN_EN, ("app",)),
    "dev_server_unreachable": (
        "The dev server is not running",
        "Start it; this page tries every two seconds and then shows the app.",
        ("app",),
    ),
    "dev_server_broken": ("The dev server broke off", "Its own output tells more.", ("app",)),
}

TEXTS: Mapping[Language, Mapping[str, Text]] = {"de": _GERMAN, "en": _ENGLISH}
"""By language and error code: title, sentence, ways on (`login` and `app`, the likelier one first)."""
