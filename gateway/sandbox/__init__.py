"""lexoffice in a box: an authorization server and a REST API for demo, tests and front-end developers."""

from gateway.sandbox.accounts import USERS, User
from gateway.sandbox.box import Sandbox, build_sandbox
from gateway.sandbox.faults import FAULTS, Faults, UnknownFault
from gateway.sandbox.options import SandboxOptions

__all__ = [
    "FAULTS",
    "USERS",
    "Faults",
    "Sandbox",
    "SandboxOptions",
    "UnknownFault",
    "User",
    "build_sandbox",
]
