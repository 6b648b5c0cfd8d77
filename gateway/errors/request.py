"""The browser's request is at fault: where it goes, how it is written, or where it comes from."""

from __future__ import annotations

from gateway.errors.gateway_error import GatewayError


class BrowserError(GatewayError):
    """The browser's request is at fault."""

    code = "request_refused"
    status = 400
    title = "The request was refused"


class NavigationRequired(BrowserError):
    """A page that starts a sign-in was requested by something other than a top-level navigation."""

    code = "navigation_required"
    status = 403
    title = "This address is for top-level navigation only"


class CrossSiteRefused(BrowserError):
    """The request did not provably come from the app's own origin."""

    code = "cross_site_refused"
    status = 403
    title = "The request did not come from this app"

    def __init__(self, detail: str = "", *, cause: str) -> None:
        super().__init__(detail, log_detail=cause)
        self.cause = cause
        """Which check refused: a short constant, fit for a metric label."""
        if cause == "csrf_header_missing":
            self.code = cause


class PathRefused(BrowserError):
    """The path could be read in two ways, so it is read in none."""

    code = "path_refused"
    title = "The path is not allowed"


class RouteUnknown(BrowserError):
    """No route leads anywhere from this path."""

    code = "route_unknown"
    status = 404
    title = "There is nothing at this address"


class MethodRefused(BrowserError):
    """The route does not allow the method."""

    code = "method_refused"
    status = 405
    title = "The method is not allowed here"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__()
        self.allowed = allowed


class WebSocketRefused(BrowserError):
    """The route allows no WebSockets, or the resource server refused this one."""

    code = "websocket_refused"
    status = 403
    title = "No WebSocket can be opened here"


class BodyTooLarge(BrowserError):
    """The request body exceeds the route's limit."""

    code = "body_too_large"
    status = 413
    title = "The request body is too large"


class RequestInvalid(BrowserError):
    """A parameter or header is malformed."""

    code = "request_invalid"
    title = "The request is malformed"


class RequestTooSlow(BrowserError):
    """The head of the request, or its body, did not come in time."""

    code = "request_too_slow"
    status = 408
    title = "The request took too long to arrive"


class RequestHeadTooLarge(BrowserError):
    """The request line and header fields are more than the gateway takes (RFC 6585 §5)."""

    code = "request_head_too_large"
    status = 431
    title = "The request head is too large"


class RequestTargetTooLong(BrowserError):
    """The path and query string are longer than the gateway takes (RFC 9110 §15.5.15)."""

    code = "request_target_too_long"
    status = 414
    title = "The address is too long"


class ParameterRepeated(BrowserError):
    """A protocol parameter occurs twice (RFC 6749 §3.1)."""

    code = "parameter_repeated"
    title = "A parameter occurs more than once"
