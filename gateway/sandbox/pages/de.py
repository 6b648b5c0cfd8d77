"""What the pages say in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
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
    "home_title": "lexoffice zum Ausprobieren",
    "home_lead": "Ein Anmeldeserver und die REST-Schnittstelle von lexoffice, für Vorführungen, "
    "Tests und die Frontend-Entwicklung. Alles lebt im Speicher und ist weg, wenn der"
    " Prozess endet.",
    "home_people": "Wer sich anmelden kann",
    "home_endpoints": "Wo was zu finden ist",
    "home_faults": "Störungen zum Einschalten",
    "home_inject": 'JSON wie <code>{"name": "api_500", "times": 3}</code> per POST an '
    "<code>/sandbox/faults</code>; GET zeigt sie, DELETE schaltet sie ab.",
}
