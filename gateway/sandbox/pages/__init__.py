"""The pages that people see: sign-in, consent, sign-out and the sandbox's front page."""
