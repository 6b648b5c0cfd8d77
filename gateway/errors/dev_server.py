"""The dev server of `--dev` is at fault."""

from __future__ import annotations

from gateway.errors.gateway_error import GatewayError


class DevServerError(GatewayError):
    """The dev server of `--dev` is at fault."""

    code = "dev_server_error"
    status = 502
    title = "The dev server failed"


class DevServerUnreachable(DevServerError):
    """Nothing listens where `--dev` says; the detail says what to start."""

    code = "dev_server_unreachable"
    title = "The dev server is not running"


class DevServerBroken(DevServerError):
    """It broke off, or what it sent is no HTTP answer."""

    code = "dev_server_broken"
    title = "The dev server broke off"
