"""The resource server is at fault."""

from __future__ import annotations

from gateway.errors.gateway_error import GatewayError


class ResourceServerError(GatewayError):
    """The resource server is at fault."""

    code = "resource_server_error"
    status = 502
    title = "The API failed"


class ResourceServerUnreachable(ResourceServerError):
    """No connection was made: the request was not sent."""

    code = "resource_server_unreachable"
    title = "The API cannot be reached"


class ResourceServerTimeout(ResourceServerError):
    """No answer within the route's limit."""

    code = "resource_server_timeout"
    status = 504
    title = "The API did not answer in time"


class ResourceServerBroken(ResourceServerError):
    """The connection was lost after the request was sent: it may have been performed."""

    code = "resource_server_broken"
    title = "The API broke off"


class UpstreamFull(ResourceServerError):
    """As many calls as may be are under way to the resource server, and wait for one another."""

    code = "upstream_full"
    status = 503
    title = "Too many calls to the API are under way"


class ResendRequired(ResourceServerError):
    """The access token died under a body too large to be kept: it was renewed, and nothing was performed."""

    code = "resend_required"
    status = 503
    title = "Send the call again"


class NotCached(ResourceServerError):
    """The request asked for what is stored and nothing else (RFC 9111 §5.2.1.7), and nothing is."""

    code = "not_cached"
    status = 504
    title = "No answer is stored"
