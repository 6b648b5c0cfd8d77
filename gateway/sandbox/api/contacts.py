"""Contacts: list with filters, one, create and change."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from starlette.responses import JSONResponse, Response

from gateway.sandbox.api.call import Call, Operation, created, missing
from gateway.sandbox.api.paging import page_of
from gateway.sandbox.api.refusals import ApiRefusal, IssueRefusal, Violation
from gateway.sandbox.books.dates import local, wire
from gateway.sandbox.books.generator import contact_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.sandbox.books.ledger import Json

_SHOWN = ("company", "person", "addresses", "emailAddresses", "phoneNumbers", "note", "xRechnung")
_LEAST = 3
"""Characters that a search for a name or an address needs."""


async def _list(call: Call) -> Response:
    query = call.request.query_params
    rows = [contact for contact in call.books.contacts.values() if _matches(contact, call)]
    named = [{**contact, "_name": contact_name(contact)} for contact in rows]
    page = page_of(named, query, {"name": "_name"}, "name,ASC")
    for contact in page["content"]:
        del contact["_name"]
    return JSONResponse(page)


def _matches(contact: Json, call: Call) -> bool:
    """Whether a contact passes every filter of the query; search strings come HTML-encoded."""
    query = call.request.query_params
    name, email = (_search(query.get(field), field) for field in ("name", "email"))
    numbers = {str(role["number"]) for role in contact["roles"].values()}
    groups: Iterable[list[str]] = contact.get("emailAddresses", {}).values()
    addresses = [address.casefold() for group in groups for address in group]
    return (
        (not name or name in contact_name(contact).casefold())
        and (not email or any(email in address for address in addresses))
        and ("number" not in query or query["number"] in numbers)
        and all(query.get(role) != "true" or role in contact["roles"] for role in ("customer", "vendor"))
    )


def _search(text: str | None, field: str) -> str:
    wanted = unescape(text or "").casefold()
    if text is not None and len(wanted) < _LEAST:
        raise ApiRefusal(
            400,
            f"{field} needs {_LEAST} characters",
            (Violation(field, "SIZE", f"at least {_LEAST} characters"),),
        )
    return wanted


async def _one(call: Call) -> Response:
    return JSONResponse(_found(call))


async def _create(call: Call) -> Response:
    body = await call.json()
    _validate(body, version=0)
    contact = _stored(call, str(uuid4()), body, 1)
    return JSONResponse(_answer(call, contact))  # measured: 200, not 201


async def _change(call: Call) -> Response:
    body, known = await call.json(), _found(call)
    _validate(body, version=known["version"])
    contact = _stored(call, known["id"], body, known["version"] + 1)
    return JSONResponse(_answer(call, contact))


def _found(call: Call) -> Json:
    if call.id not in call.books.contacts:
        raise missing(issues=True)
    return call.books.contacts[call.id]


def _stored(call: Call, contact_id: str, body: Json, version: int) -> Json:
    known = call.books.contacts.get(contact_id, {})
    contact: Json = {
        "id": contact_id,
        "organizationId": call.books.organization.id,
        "version": version,
        "roles": {role: _role(call, known, role) for role in body["roles"]},
        **{key: body[key] for key in _SHOWN if key in body},
        "archived": bool(body.get("archived", False)),
    }
    call.books.keep_contact(contact)
    return contact


def _role(call: Call, known: Json, role: str) -> Json:
    """Return a role keeps its number; a new one is given the next."""
    had = known.get("roles", {}).get(role)
    return cast("Json", had) if had else {"number": call.books.next_number(role)}


def _answer(call: Call, contact: Json) -> Json:
    moment = wire(local(call.now))
    return created(call, "contacts", {**contact, "createdDate": moment, "updatedDate": moment})


def _validate(body: Json, *, version: int) -> None:
    issues: list[Violation] = []
    roles: object = body.get("roles")
    if not isinstance(roles, dict) or not roles or cast("Json", roles).keys() - {"customer", "vendor"}:
        issues.append(Violation("roles", "missing_entity", ""))
    if ("company" in body) == ("person" in body):
        issues.append(Violation("company and person", "invalid_value", ""))
    elif not _text(body, "company", "name") and not _text(body, "person", "lastName"):
        field = "company.name" if "company" in body else "person.lastName"
        issues.append(Violation(field, "missing_entity", ""))
    if body.get("version") != version:  # a stale version is 406 here, as measured
        issues.append(Violation("version", "invalid_value", ""))
    for key, kind in (("addresses", dict), ("emailAddresses", str), ("phoneNumbers", str)):
        issues += [Violation(key, "invalid_value", "")] * (not _are_lists(body.get(key, {}), kind))
    if issues:
        raise IssueRefusal(406, "validation failed", issues)


def _text(body: Json, key: str, name: str) -> str:
    part: object = body.get(key)
    value = cast("Json", part).get(name) if isinstance(part, dict) else None
    return value.strip() if isinstance(value, str) else ""


def _are_lists(value: object, kind: type) -> bool:
    """Whether this is an object whose members are lists of texts, or of objects."""
    if not isinstance(value, dict):
        return False
    lists: list[object] = list(cast("Json", value).values())
    return all(isinstance(one, list) for one in lists) and all(
        isinstance(item, kind) for one in cast("list[list[object]]", lists) for item in one
    )


OPERATIONS = (
    Operation("GET", "/v1/contacts", "contacts.read", _list),
    Operation("GET", "/v1/contacts/{id}", "contacts.read", _one),
    Operation("POST", "/v1/contacts", "contacts.write", _create),
    Operation("PUT", "/v1/contacts/{id}", "contacts.write", _change),
)
