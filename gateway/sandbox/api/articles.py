"""Articles: list, one, create, change and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from uuid import uuid4

from starlette.responses import JSONResponse, Response

from gateway.sandbox.api.call import Call, Operation, created, missing
from gateway.sandbox.api.paging import page_of
from gateway.sandbox.api.refusals import ApiRefusal, Violation
from gateway.sandbox.books.dates import local, wire

if TYPE_CHECKING:
    from gateway.sandbox.books.ledger import Json

_TEXTS = ("title", "description", "articleNumber", "gtin", "note", "unitName")


async def _list(call: Call) -> Response:
    query = call.request.query_params
    rows = [
        article
        for article in call.books.articles.values()
        if all(query.get(key, article[key]) == article[key] for key in ("articleNumber", "gtin", "type"))
    ]
    return JSONResponse(
        page_of(rows, query, {"title": "title", "articleNumber": "articleNumber"}, "title,ASC")
    )


async def _one(call: Call) -> Response:
    return JSONResponse(_found(call))


async def _create(call: Call) -> Response:
    body = await call.json()
    _validate(body)
    article = _stored(call, str(uuid4()), body, 1)
    answer = created(call, "articles", article)
    return JSONResponse(answer, status_code=201, headers={"Location": answer["resourceUri"]})


async def _change(call: Call) -> Response:
    body, known = await call.json(), _found(call)
    _validate(body)
    if body.get("version") != known["version"]:
        raise ApiRefusal(409, "The article was changed in the meantime")
    return JSONResponse(created(call, "articles", _stored(call, known["id"], body, known["version"] + 1)))


async def _delete(call: Call) -> Response:
    call.books.delete_article(_found(call)["id"])
    return Response(status_code=204)


def _found(call: Call) -> Json:
    if call.id not in call.books.articles:
        raise missing()
    return call.books.articles[call.id]


def _stored(call: Call, article_id: str, body: Json, version: int) -> Json:
    moment = wire(local(call.now))
    known = call.books.articles.get(article_id, {})
    article: Json = {
        "id": article_id,
        "organizationId": call.books.organization.id,
        "createdDate": known.get("createdDate", moment),
        "updatedDate": moment,
        "archived": False,
        **{key: body.get(key, "") for key in _TEXTS},
        "type": body["type"],
        "price": _price(body["price"]),
        "version": version,
    }
    call.books.keep_article(article)
    return article


def _price(price: Json) -> Json:
    """Both prices, the other one computed from the leading one."""
    rate, leading = price["taxRate"], price["leadingPrice"]
    factor = 1 + rate / 100
    net = price["netPrice"] if leading == "NET" else round(price["grossPrice"] / factor, 2)
    gross = price["grossPrice"] if leading == "GROSS" else round(price["netPrice"] * factor, 2)
    return {"netPrice": net, "grossPrice": gross, "leadingPrice": leading, "taxRate": rate}


def _validate(body: Json) -> None:
    violations = [
        Violation(key, "NOTEMPTY", "must not be empty") for key in ("title", "unitName") if not body.get(key)
    ]
    violations += [
        Violation(key, "TYPE", "must be a text") for key in _TEXTS if not isinstance(body.get(key, ""), str)
    ]
    if body.get("type") not in ("PRODUCT", "SERVICE"):
        violations.append(Violation("type", "INVALID", "must be PRODUCT or SERVICE"))
    if not _is_price(body.get("price")):
        violations.append(Violation("price", "INVALID", "leadingPrice, its price and taxRate are needed"))
    if violations:
        raise ApiRefusal(406, "Validation failed", violations)


def _is_price(value: object) -> bool:
    price = cast("Json", value) if isinstance(value, dict) else {}
    leading = {"NET": "netPrice", "GROSS": "grossPrice"}.get(str(price.get("leadingPrice")), "")
    return is_number(price.get(leading)) and price.get("taxRate") in (0, 7, 19)


def is_number(value: object) -> bool:
    """Whether JSON's value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


OPERATIONS = (
    Operation("GET", "/v1/articles", "articles.read", _list),
    Operation("GET", "/v1/articles/{id}", "articles.read", _one),
    Operation("POST", "/v1/articles", "articles.write", _create),
    Operation("PUT", "/v1/articles/{id}", "articles.write", _change),
    Operation("DELETE", "/v1/articles/{id}", "articles.write", _delete),
)
