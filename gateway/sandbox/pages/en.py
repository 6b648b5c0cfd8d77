"""What the pages say in English."""

from __future__ import annotations

TEXTS: dict[str, str] = {
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
    "home_title": "lexoffice in a box",
    "home_lead": "An authorization server and the lexoffice REST API, for demonstrations, tests "
    "and front-end work. Everything lives in memory and is gone when the process "
    "ends.",
    "home_people": "People who can sign in",
    "home_endpoints": "Where everything is",
    "home_faults": "Faults to inject",
    "home_inject": 'POST JSON such as <code>{"name": "api_500", "times": 3}</code> to '
    "<code>/sandbox/faults</code>; GET lists what is on, DELETE clears it.",
}
