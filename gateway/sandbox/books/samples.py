"""Names and prices that the generator draws from, all made up."""

from __future__ import annotations

from functools import cache

from gateway.sandbox.books.stable import stable_id

TOWNS: tuple[tuple[str, str], ...] = (
    ("10115", "Berlin"),
    ("20095", "Hamburg"),
    ("22767", "Hamburg"),
    ("28195", "Bremen"),
    ("30159", "Hannover"),
    ("40213", "Düsseldorf"),
    ("48143", "Münster"),
    ("50667", "Köln"),
    ("55116", "Mainz"),
    ("60311", "Frankfurt am Main"),
    ("69117", "Heidelberg"),
    ("70173", "Stuttgart"),
    ("76133", "Karlsruhe"),
    ("80331", "München"),
    ("90403", "Nürnberg"),
    ("01067", "Dresden"),
    ("04109", "Leipzig"),
    ("99084", "Erfurt"),
)
STREETS: tuple[str, ...] = (
    "Ahornweg",
    "Bahnhofstraße",
    "Brunnengasse",
    "Färberstraße",
    "Gartenstraße",
    "Hafenstraße",
    "Lindenallee",
    "Marktplatz",
    "Mühlenweg",
    "Rosenstraße",
    "Schillerstraße",
    "Weberplatz",
)
FIRST_NAMES: tuple[str, ...] = (
    "Clara",
    "Emil",
    "Frieda",
    "Jürgen",
    "Käthe",
    "Lukas",
    "Mira",
    "Sören",
    "Ute",
    "Yusuf",
)
LAST_NAMES: tuple[str, ...] = (
    "Albrecht",
    "Behrens",
    "Çelik",
    "Dörfler",
    "Eberhardt",
    "Großmann",
    "Jäger",
    "Köhler",
    "Nowak",
    "Wünsche",
)
CUSTOMERS: dict[str, tuple[str, ...]] = {
    "nordlicht": (
        "Hotel Alsterblick GmbH",
        "Kaffeerösterei Morgenstern OHG",
        "Architekturbüro Falk & Reuter PartGmbB",
        "Zahnarztpraxis Dr. Lindner",
        "Möbelhaus Eichberg GmbH & Co. KG",
        "Stadtbibliothek Ahrensfelde",
        "Bäckerei Körner e. K.",
        "Galerie Weißraum",
        "Fahrradwerk Deichmann GmbH",
        "Yogastudio Sonnengruß UG (haftungsbeschränkt)",
        "Restaurant Zur Alten Werft",
        "Steuerkanzlei Brandt & Söhne",
        "Messebau Hanse GmbH",
        "Blumen Überall GmbH",
        "Buchhandlung Seitenweise",
        "Kulturverein Speicher 9 e. V.",
    ),
    "rebenhof": (
        "Gasthaus Zum Goldenen Hirsch",
        "Feinkost Mandel GmbH",
        "Weinbar Korkenzieher GbR",
        "Hotel Pfälzer Hof GmbH & Co. KG",
        "Vinothek Süd GmbH",
        "Catering Löffelweise GmbH",
        "Biomarkt Grünzeug eG",
        "Schlosskonzerte Hambach gGmbH",
        "Restaurant Österreicher",
        "Präsente & Körbe Händler GmbH",
        "Landgasthof Weiß",
        "Golfclub Rheinaue e. V.",
        "Eventagentur Lichtblick GmbH",
        "Getränke Küster KG",
        "Theatercafé Souffleur",
        "Kreuzfahrten Neckarstern AG",
    ),
}
VENDORS: dict[str, tuple[str, ...]] = {
    "nordlicht": (
        "Glashütte Thalbach GmbH",
        "Elektrogroßhandel Voltmann AG",
        "Stadtwerke Elbtal GmbH",
        "Spedition Krüger & Co.",
        "Metallbau Schwarz GmbH",
        "Bürobedarf Tintenfass GmbH",
    ),
    "rebenhof": (
        "Flaschenhandel Rheinglas GmbH",
        "Korkimport Évora GmbH",
        "Winzergenossenschaft Haardt eG",
        "Druckerei Etikett & Co. KG",
        "Energie Vorderpfalz GmbH",
        "Kühltransporte Nordheim GmbH",
    ),
}
CATALOGUES: dict[str, tuple[tuple[str, str, str, int, int], ...]] = {
    "nordlicht": (
        ("Pendelleuchte „Fjord“", "PRODUCT", "Stück", 28900, 19),
        ("Tischleuchte „Lotse“", "PRODUCT", "Stück", 14900, 19),
        ("Stehleuchte „Mole“", "PRODUCT", "Stück", 41900, 19),
        ("Wandleuchte „Kai“", "PRODUCT", "Stück", 9900, 19),
        ("LED-Leuchtmittel 8 W, dimmbar", "PRODUCT", "Stück", 1290, 19),
        ("Lichtplanung beim Kunden", "SERVICE", "Stunde", 9500, 19),
        ("Montage durch Elektrofachkraft", "SERVICE", "Stunde", 7200, 19),
        ("Wartung Beleuchtungsanlage", "SERVICE", "Pauschale", 35000, 19),
        ("Fachbuch „Licht und Raum“", "PRODUCT", "Stück", 4206, 7),
    ),
    "rebenhof": (
        ("Riesling trocken 0,75 l", "PRODUCT", "Flasche", 756, 19),
        ("Grauburgunder Ortswein 0,75 l", "PRODUCT", "Flasche", 924, 19),
        ("Spätburgunder Reserve 0,75 l", "PRODUCT", "Flasche", 1840, 19),
        ("Winzersekt brut 0,75 l", "PRODUCT", "Flasche", 1176, 19),
        ("Traubensaft rot 1 l", "PRODUCT", "Flasche", 336, 19),
        ("Weinprobe mit sechs Weinen", "SERVICE", "Person", 2437, 19),
        ("Käseplatte Pfälzer Art", "PRODUCT", "Platte", 3271, 7),
        ("Geschenkkarton für drei Flaschen", "PRODUCT", "Stück", 420, 19),
        ("Lieferung frei Haus", "SERVICE", "Pauschale", 1500, 19),
    ),
}
PURCHASES: tuple[tuple[str, int, int], ...] = (
    ("Wareneingang laut Lieferschein", 184000, 19),
    ("Strom und Gas", 42300, 19),
    ("Fracht und Verpackung", 26500, 19),
    ("Büromaterial", 8940, 19),
    ("Fachzeitschriften", 5400, 7),
    ("Telefon und Internet", 6990, 19),
    ("Reparatur und Instandhaltung", 61200, 19),
)
TERMS: tuple[tuple[int, str], ...] = (
    (14, "Zahlbar innerhalb von 14 Tagen ohne Abzug"),
    (30, "Zahlbar innerhalb von 30 Tagen ohne Abzug"),
    (7, "Zahlbar innerhalb von 7 Tagen ohne Abzug"),
)
INCOME = "Einnahmen"


@cache
def category_names() -> dict[str, str]:
    """Return the posting categories by id: one for what comes in, and one for each thing that is bought."""
    return {stable_id("category", name): name for name in (INCOME, *(name for name, _, _ in PURCHASES))}


def category_of(name: str) -> str:
    """Return the id of the category that a line is posted to; what is sold is income."""
    category_id = stable_id("category", name)
    return category_id if category_id in category_names() else stable_id("category", INCOME)
