"""The routes of lexgate.toml or LEXGATE_ROUTES: what an operator writes, and the routes that come of it."""

from __future__ import annotations

import difflib
import json
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from gateway.proxy.request_target import API_PREFIX, is_below
from gateway.proxy.route import DEFAULT_METHODS, FORBIDDEN_METHODS, Route, Timeouts
from gateway.settings.values import parse_base_url, parse_bytes, parse_methods, parse_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic.fields import FieldInfo

UNSTATED = (
    "must be stated, since the destination is another host than that of LEXGATE_API_URL; write"
    ' token = "none", or token = "user" if that host may have the access token of every user'
)

_NESTED = 2
"""Where the name of a nested key stands: after the route's number and the key of its table."""

_Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


def validate_ca_file(path: Path) -> Path:
    """Return the path of a file with certificates; raises ValueError for any other."""
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError):  # SSLError is an OSError
        raise ValueError("must be the path of a readable file with certificates in PEM format") from None
    return path


CaFile = Annotated[Path, AfterValidator(validate_ca_file)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class TimeoutSettings(_Table):
    """Seconds, as `timeouts = { idle = 120 }`."""

    connect: _Seconds = Field(default=5.0, examples=["connect = 5"])
    first_byte: _Seconds = Field(default=35.0, examples=["first_byte = 35"])
    idle: _Seconds = Field(default=60.0, examples=["idle = 60"])
    total: _Seconds = Field(default=300.0, examples=["total = 300"])


class RouteSettings(_Table):
    """One `[[routes]]` table."""

    prefix: Annotated[str, BeforeValidator(parse_prefix)] = Field(examples=['prefix = "/api/files"'])
    destination: Annotated[str, BeforeValidator(parse_base_url)] = Field(
        examples=['destination = "https://files.example.com"']
    )
    token: Literal["user", "none"] = Field(examples=['token = "none"'])
    methods: Annotated[frozenset[str], BeforeValidator(parse_methods)] = Field(
        default=DEFAULT_METHODS, examples=['methods = ["GET", "HEAD"]']
    )
    body_limit: Annotated[int, BeforeValidator(parse_bytes)] = Field(
        default=10 * 1024 * 1024, examples=["body_limit = 10485760"]
    )
    timeouts: TimeoutSettings = Field(
        default_factory=TimeoutSettings, examples=["timeouts = { connect = 5, idle = 60 }"]
    )
    websocket: Annotated[bool, Field(strict=True)] = Field(default=False, examples=["websocket = true"])
    strip: Annotated[str, BeforeValidator(parse_prefix)] = Field(
        default=API_PREFIX, examples=['strip = "/api"']
    )
    ca_file: CaFile | None = Field(default=None, examples=['ca_file = "/etc/lexgate/ca.pem"'])
    share: Annotated[bool, Field(strict=True)] | None = Field(default=None, examples=["share = true"])
    budget: Annotated[bool, Field(strict=True)] = Field(default=False, examples=["budget = false"])

    @field_validator("methods", mode="after")
    @classmethod
    def _no_echo_and_no_tunnel(cls, value: frozenset[str]) -> frozenset[str]:
        if value & FORBIDDEN_METHODS:
            raise ValueError("must not hold TRACE, TRACK or CONNECT: they echo the token or open a tunnel")
        return value

    @model_validator(mode="after")
    def _strips_of_its_prefix(self) -> RouteSettings:
        if self.prefix != self.strip and not self.prefix.startswith(f"{self.strip}/"):
            raise ValueError(f'strip must be the beginning of the prefix; write e.g. strip = "{API_PREFIX}"')
        return self

    @model_validator(mode="after")
    def _budget_goes_by_token(self) -> RouteSettings:
        if self.budget and self.token == "none":  # noqa: S105 - whose token, not the token
            raise ValueError("budget must be false where no token goes along; write budget = false")
        return self

    def build(self, *, ca_file: Path | None, cached: Iterable[str] = ()) -> Route:
        """Build the route; `ca_file` is for one that names none of its own, `cached` are paths."""
        shares = self.share
        if shares is None:
            shares = self.budget or any(
                is_below(path, self.prefix) or is_below(self.prefix, path) for path in cached
            )
        return Route(
            self.prefix,
            self.destination,
            methods=self.methods,
            body_limit=self.body_limit,
            timeouts=Timeouts(**self.timeouts.model_dump()),
            attaches_token=self.token == "user",  # noqa: S105 - whose token, not the token
            websocket=self.websocket,
            strip=self.strip,
            is_shared=shares,
            is_paced=self.budget,
            ca_file=None if (chosen := self.ca_file or ca_file) is None else str(chosen),
        )


def read_routes(value: object, info: ValidationInfo) -> object:
    """Return the tables with what follows from LEXGATE_API_URL filled in; they are not validated yet.

    The destination is the API unless stated. A token goes to the API's own origin, within its budget; to any
    other host it goes by the operator's word alone, never by a default.
    """
    # Where the API's own URL is wrong, that is the problem to report: any will do to go on with.
    api_url: str = info.data.get("api_url") or "https://api.example.com"
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError("must be JSON: a list of objects, one a route") from None
    if not isinstance(value, (list, tuple)):
        raise ValueError("must be a list of routes")  # noqa: TRY004 - pydantic collects ValueError
    tables = [*cast("list[object]", value)]
    if API_PREFIX not in map(_prefix_of, tables):
        tables.append({"prefix": API_PREFIX})
    has_budget = info.data.get("budget_rate") is not None
    return [_completed(table, api_url, has_budget=has_budget) for table in tables]


def validate_routes(routes: tuple[RouteSettings, ...], info: ValidationInfo) -> tuple[RouteSettings, ...]:
    """Raise ValueError for two routes of one prefix, and for a budget without a rate."""
    if info.data.get("budget_rate") is None and any(route.budget for route in routes):
        raise ValueError("a route says budget = true, but there is no rate; set LEXGATE_BUDGET_RATE")
    prefixes = [route.prefix for route in routes]
    twice = sorted({prefix for prefix in prefixes if prefixes.count(prefix) > 1})
    if twice:
        raise ValueError(f"two routes have the prefix {', '.join(twice)}; leave one of them out")
    return routes


def describe_place(inner: Sequence[str]) -> str:
    """Name the place of a problem: ("1", "timeouts", "idle") is "route 2, timeouts.idle"."""
    names = ".".join(inner[1:])
    return f"route {int(inner[0]) + 1}" + (f", {names}" if names else "")


def find_route_field(inner: Sequence[str]) -> FieldInfo | None:
    """Return the field at the place of a problem, or None."""
    if inner[1:2] == ["timeouts"] and len(inner) > _NESTED:
        return TimeoutSettings.model_fields.get(inner[_NESTED])
    return RouteSettings.model_fields.get(inner[1]) if len(inner) > 1 else None


def propose_route_field(inner: Sequence[str]) -> str:
    """Return what to do about a key that no route has."""
    table = TimeoutSettings if len(inner) > _NESTED else RouteSettings
    close = difflib.get_close_matches(inner[-1], sorted(table.model_fields), n=1)
    return f"did you mean {close[0]}?" if close else "leave it out"


def _completed(table: object, api_url: str, *, has_budget: bool) -> object:
    if not isinstance(table, dict):
        return table
    completed = dict(cast("dict[str, Any]", table))
    completed.setdefault("destination", api_url)
    if _origin_of(completed["destination"]) == _origin_of(api_url):
        completed.setdefault("token", "user")
        completed.setdefault("budget", has_budget and completed["token"] == "user")  # noqa: S105 - whose token
    return completed


def _origin_of(url: object) -> str | None:
    try:
        return "/".join(parse_base_url(url).split("/")[:3])
    except ValueError:
        return None


def _prefix_of(table: object) -> str:
    prefix = cast("dict[str, object]", table).get("prefix") if isinstance(table, dict) else None
    return prefix.strip().rstrip("/") if isinstance(prefix, str) else ""


Routes = Annotated[tuple[RouteSettings, ...], BeforeValidator(read_routes), AfterValidator(validate_routes)]
