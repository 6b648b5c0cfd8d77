"""lexoffice in a box: an authorization server and a REST API for demo, tests and front-end developers."""
