"""The two organizations of the sandbox and the person who signs in to each."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """A customer of lexoffice; `key` names its catalogue in the books."""

    key: str
    id: str
    name: str
    street: str
    zip: str
    city: str
    tax_number: str
    iban: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who can sign in; `id` is the openid picture's `sub`."""

    key: str
    id: str
    name: str
    given_name: str
    family_name: str
    email: str
    organization: Organization

    @property
    def initials(self) -> str:
        """Two letters for the picture on the login page."""
        return self.given_name[0] + self.family_name[0]


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"urn:lexgate:sandbox:{name}"))


NORDLICHT = Organization(
    key="nordlicht",
    id=_id("nordlicht"),
    name="Nordlicht Leuchten GmbH",
    street="Speicherzeile 14",
    zip="20457",
    city="Hamburg",
    tax_number="DE 298 410 773",
    iban="DE02 1203 0000 0000 2020 51",
)
REBENHOF = Organization(
    key="rebenhof",
    id=_id("rebenhof"),
    name="Rebenhof Sommer e. K.",
    street="Am Kirchberg 3",
    zip="67433",
    city="Neustadt an der Weinstraße",
    tax_number="DE 811 907 346",
    iban="DE02 5001 0517 5407 3249 31",
)

USERS: dict[str, User] = {
    "anna": User(
        key="anna",
        id=_id("anna"),
        name="Anna Petersen",
        given_name="Anna",
        family_name="Petersen",
        email="anna.petersen@nordlicht.example",
        organization=NORDLICHT,
    ),
    "jonas": User(
        key="jonas",
        id=_id("jonas"),
        name="Jonas Sommer",
        given_name="Jonas",
        family_name="Sommer",
        email="jonas.sommer@rebenhof.example",
        organization=REBENHOF,
    ),
}
ORGANIZATIONS: tuple[Organization, ...] = (NORDLICHT, REBENHOF)
