"""The profile, and the lists that are the same for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from gateway.sandbox.api.call import Call, Operation
from gateway.sandbox.books.dates import local, wire
from gateway.sandbox.books.samples import INCOME, TERMS, category_names
from gateway.sandbox.books.stable import stable_id

if TYPE_CHECKING:
    from gateway.sandbox.books.ledger import Json

_COUNTRIES: tuple[tuple[str, str, str, str], ...] = (
    ("AT", "Österreich", "Austria", "intraCommunity"),
    ("BE", "Belgien", "Belgium", "intraCommunity"),
    ("CH", "Schweiz", "Switzerland", "thirdPartyCountry"),
    ("DE", "Deutschland", "Germany", "de"),
    ("DK", "Dänemark", "Denmark", "intraCommunity"),
    ("ES", "Spanien", "Spain", "intraCommunity"),
    ("FR", "Frankreich", "France", "intraCommunity"),
    ("GB", "Vereinigtes Königreich", "United Kingdom", "thirdPartyCountry"),
    ("IT", "Italien", "Italy", "intraCommunity"),
    ("LU", "Luxemburg", "Luxembourg", "intraCommunity"),
    ("NL", "Niederlande", "Netherlands", "intraCommunity"),
    ("NO", "Norwegen", "Norway", "thirdPartyCountry"),
    ("PL", "Polen", "Poland", "intraCommunity"),
    ("SE", "Schweden", "Sweden", "intraCommunity"),
    ("US", "Vereinigte Staaten", "United States", "thirdPartyCountry"),
)


async def _profile(call: Call) -> Response:
    user, organization = call.connection.user, call.books.organization
    return JSONResponse(
        {
            "organizationId": organization.id,
            "companyName": organization.name,
            "created": {
                "userId": user.id,
                "userName": user.name,
                "userEmail": user.email,
                "date": wire(local(call.connection.auth_time)),
            },
            "connectionId": call.connection.id,
            "features": ["cc"],
            "businessFeatures": ["INVOICING", "INVOICING_PRO", "BOOKKEEPING"],
            "subscriptionStatus": "active",
            "taxType": "net",
            "smallBusiness": False,
        }
    )


async def _countries(_call: Call) -> Response:
    return JSONResponse(
        [
            {"countryCode": code, "countryNameDE": de, "countryNameEN": en, "taxClassification": tax}
            for code, de, en, tax in _COUNTRIES
        ]
    )


async def _payment_conditions(call: Call) -> Response:
    return JSONResponse(
        [
            {
                "id": stable_id(call.books.organization.key, "term", str(days)),
                "organizationDefault": number == 0,
                "paymentTermLabelTemplate": text,
                "paymentTermDuration": days,
            }
            for number, (days, text) in enumerate(TERMS)
        ]
    )


async def _posting_categories(_call: Call) -> Response:
    return JSONResponse([_category(key, name) for key, name in category_names().items()])


def _category(category_id: str, name: str) -> Json:
    is_income = name == INCOME
    return {
        "id": category_id,
        "name": name,
        "type": "income" if is_income else "outgo",
        "contactRequired": False,
        "splitAllowed": True,
        "groupName": "Einnahmen" if is_income else "Ausgaben",
    }


async def _print_layouts(call: Call) -> Response:
    layout_id = stable_id(call.books.organization.key, "layout")
    return JSONResponse([{"id": layout_id, "name": "Standard", "default": True}])


OPERATIONS = (
    Operation("GET", "/v1/profile", "profile.read", _profile),
    Operation("GET", "/v1/countries", None, _countries),
    Operation("GET", "/v1/payment-conditions", None, _payment_conditions),
    Operation("GET", "/v1/posting-categories", None, _posting_categories),
    Operation("GET", "/v1/print-layouts", None, _print_layouts),
)
