"""Where settings are written: the environment, lexgate.toml, and files for secrets.

A variable wins over the file. In lexgate.toml a setting is written `public_url = "..."`, or with the name of
its variable. LEXGATE_CONFIG names another file than ./lexgate.toml. Relative paths count from the working
directory.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gateway.errors import ConfigurationError
from gateway.settings.routes import UNSTATED, describe_place, find_route_field, propose_route_field
from gateway.settings.table import PREFIX, SECRET_FIELDS, Settings, variable_of
from gateway.settings.webhooks import is_pem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

CONFIG_FILE = "lexgate.toml"

_PATH_FIELDS = ("state_directory", "spa", "ca_file", "webhook_public_key")
_FILE_SUFFIX = "_file"
_KNOWN = frozenset(Settings.model_fields) | {f"{field}{_FILE_SUFFIX}" for field in SECRET_FIELDS}
# Kubernetes puts these into every container beside a Service called "lexgate" or "lexgate-...".
_SERVICE_LINK = re.compile(
    r"LEXGATE_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)?)"
)
_TOML_EXAMPLE = 'write lines such as public_url = "https://app.example.com"'
_SENTENCES = {
    "missing": "is required",
    "string_type": "must be a text",
    "path_type": "must be a path",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
}


def load_settings(environ: Mapping[str, str], directory: Path) -> Settings:
    """Read all settings; `directory` is the working directory.

    Raises ConfigurationError with every problem at once, none of which holds a value.
    """
    problems: list[str] = []
    written = _read_config_file(environ, directory, problems) | _read_environment(
        environ, directory, problems
    )
    unreadable = {field for field, value in written.items() if value is None}
    written = {field: value for field, value in written.items() if value is not None}
    # systemd names its StateDirectory= in STATE_DIRECTORY, several of them separated by colons.
    written.setdefault("state_directory", environ.get("STATE_DIRECTORY", "").split(":")[0] or ".lexgate")
    for field in _PATH_FIELDS:
        if isinstance(path := written.get(field), str) and not is_pem(path):
            written[field] = directory.absolute() / path
    settings = None
    try:
        settings = Settings.model_validate(written)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        problems += [_describe(detail) for detail in details if detail["loc"][0] not in unreadable]
    if settings is None or problems:
        raise ConfigurationError(problems)
    return settings


def _read_environment(environ: Mapping[str, str], directory: Path, problems: list[str]) -> dict[str, Any]:
    entries: dict[str, tuple[str, object]] = {}
    for name, value in environ.items():
        if not name.startswith(PREFIX) or name == f"{PREFIX}CONFIG" or not value.strip():
            continue
        field = name.removeprefix(PREFIX).lower()
        if field in _KNOWN and name == variable_of(field):
            entries[field] = (name, value)
        elif not _SERVICE_LINK.fullmatch(name):
            problems.append(_describe_unknown(name, field, variable_of))
    return _read_secret_files(entries, directory, problems)


def _read_config_file(environ: Mapping[str, str], directory: Path, problems: list[str]) -> dict[str, Any]:
    chosen = environ.get(f"{PREFIX}CONFIG", "").strip()
    path = directory / (chosen or CONFIG_FILE)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if chosen:
            problems.append(
                f"{PREFIX}CONFIG: names a file that does not exist; write the path of a {CONFIG_FILE}"
            )
        return {}
    except OSError as error:
        problems.append(f"{path.name}: cannot be read ({error.strerror}); make it readable for this user")
        return {}
    except ValueError as error:
        # Only the place is told: the line may hold a secret.
        place = re.search(r"at (?:line \d+|end)[^)]*", str(error))
        problems.append(f"{path.name}: is not TOML ({place[0] if place else 'not UTF-8'}); {_TOML_EXAMPLE}")
        return {}
    return _read_secret_files(_read_table(table, path.name, problems), directory, problems)


def _read_table(table: dict[str, Any], file_name: str, problems: list[str]) -> dict[str, tuple[str, object]]:
    entries: dict[str, tuple[str, object]] = {}
    for key, value in table.items():
        field = key.removeprefix(PREFIX).lower() if key.startswith(PREFIX) else key
        if field not in _KNOWN or key not in {field, variable_of(field)}:
            problems.append(_describe_unknown(f"{key} in {file_name}", field, str))
        elif field in entries:
            problems.append(f"{variable_of(field)}: is written twice in {file_name}; leave one of them out")
        elif value != "":
            entries[field] = (variable_of(field), value)
    return entries


def _read_secret_files(
    entries: dict[str, tuple[str, object]], directory: Path, problems: list[str]
) -> dict[str, Any]:
    """Put what is in the files of `..._FILE` settings in their place; None stands for what cannot be read."""
    values: dict[str, Any] = {field: value for field, (_, value) in entries.items()}
    for field in sorted(SECRET_FIELDS):
        path = values.pop(f"{field}{_FILE_SUFFIX}", None)
        if path is None:
            continue
        name = f"{variable_of(field)}_FILE"
        if field in values:
            problems.append(f"{name}: is given together with {variable_of(field)}; leave one of them out")
            continue
        values[field] = _read_secret_file(name, directory / str(path), problems)
    return values


def _read_secret_file(name: str, path: Path, problems: list[str]) -> str | None:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        reason = error.strerror or "no such file"
    except ValueError:
        reason = "not UTF-8"
    problems.append(f"{name}: cannot be read ({reason}); write the path of a file readable for this user")
    return None


def _describe(detail: ErrorDetails) -> str:
    field, *inner = map(str, detail["loc"])
    known: FieldInfo | None = Settings.model_fields[field]
    place = variable_of(field)
    if inner:
        place += f": {describe_place(inner)}"
        known = find_route_field(inner)
        if known is None and detail["type"] == "extra_forbidden":
            return f"{place}: is not a setting; {propose_route_field(inner)}"
    context = detail.get("ctx", {})
    sentence = str(context.get("error", "")) or _SENTENCES.get(detail["type"], "")
    if inner and inner[-1] == "token" and detail["type"] == "missing":
        sentence = UNSTATED
    if detail["type"] == "literal_error":
        sentence = f"must be {context['expected']}"
    example = known.examples[0] if known and known.examples else ""
    remedy = "" if ";" in sentence else f"; write e.g. {example}"
    return f"{place}: {sentence or detail['msg']}{remedy}"


def _describe_unknown(shown: str, field: str, name_of: Callable[[str], str]) -> str:
    close = difflib.get_close_matches(field.lower(), sorted(_KNOWN), n=1)
    remedy = f"did you mean {name_of(close[0])}?" if close else "leave it out"
    return f"{shown}: is not a setting; {remedy}"
