"""The app is judged by what it weighs and by its worst shift, and said to be what it was."""

from __future__ import annotations

from bench.spa.measure import Loads, api_bytes, kind_bytes, wire_bytes
from bench.spa.report import build_time_table, build_weight_table
from bench.spa.targets import judge
from tests.support.vitals import Sent, Shift, Vitals

PAGE = Sent("/", "Document", 1_000, 400, named_by="")
SCRIPT = Sent("/app/main.js", "Script", 30_800, 30_000, named_by="/")
CLIENT = Sent("/auth/client.js", "Script", 5_700, 4_900, named_by="/")
STYLE = Sent("/styles/base.css", "Stylesheet", 10_800, 10_000, named_by="/")
ANSWER = Sent("/api/v1/profile", "Fetch", 90_000, 80_000, named_by="")


def load(*sent: Sent, moved: float = 0.0, painted: float = 900.0) -> Vitals:
    shifts = (Shift(moved, 500.0, ("main [0 0 1 1] -> [0 9 1 1]",)),) if moved else ()
    return Vitals(painted, painted, 2 * painted, shifts, 10.0, 50.0, (PAGE, *sent))


def cold(*loads: Vitals) -> Loads:
    return Loads("overview", is_cold=True, loads=loads)


def met(*rows: Loads) -> dict[str, bool | None]:
    return {verdict.what: verdict.is_met for verdict in judge(rows)}


def test_a_light_load_that_moves_nothing_meets_its_targets() -> None:
    assert met(cold(load(SCRIPT, CLIENT, STYLE, ANSWER))) == {
        "overview: first load": True,
        "overview: layout shift, first load": True,
        "the client": True,
    }


def test_a_heavy_load_a_heavy_client_and_any_shift_are_told() -> None:
    heavy = Sent("/auth/client.js", "Script", 6_000, 5_001, named_by="/")
    twice = load(SCRIPT, SCRIPT, heavy)
    assert not any(met(cold(twice, twice, load(SCRIPT, heavy, moved=0.1), twice)).values())


def test_another_view_may_weigh_more_where_its_address_is_opened_first() -> None:
    some = Sent("/app/invoice/desk.js", "Script", 20_000, 19_000, named_by="/")
    loads = (load(SCRIPT, CLIENT, STYLE, some),)
    assert met(cold(*loads))["overview: first load"] is False
    assert met(Loads("new invoice", is_cold=True, loads=loads))["new invoice: first load"] is True


def test_the_worst_shift_counts_and_the_median_of_all_else() -> None:
    row = cold(load(moved=0.2, painted=100.0), load(painted=200.0), load(painted=900.0))
    assert row.worst_shift() == 0.2
    assert row.middle(lambda one: one.first_paint) == 200.0
    again = Loads("overview", is_cold=False, loads=row.loads)
    assert met(again) == {"overview: layout shift, load again": False}


def test_the_answers_of_the_api_are_nothing_that_the_app_weighs() -> None:
    one = load(SCRIPT, CLIENT, STYLE, ANSWER)
    assert one.bytes() == 400 + 30_000 + 4_900 + 10_000
    assert wire_bytes(one) == 1_000 + 30_800 + 5_700 + 10_800
    assert (kind_bytes(one, "Script"), kind_bytes(one, "Fetch"), api_bytes(one)) == (34_900, 0, 80_000)


def test_the_tables_have_a_row_for_each_state_of_the_cache() -> None:
    rows = [cold(load(SCRIPT)), Loads("overview", is_cold=False, loads=(load(),))]
    assert build_time_table(rows).splitlines()[2:] == [
        "| overview | empty | 2 | 31.8 KB | 0.90 s | 0.90 s | 1.80 s | 0.01 s | 0.05 s | 0.0000 |",
        "| overview | full | 1 | 1.0 KB | 0.90 s | 0.90 s | 1.80 s | 0.01 s | 0.05 s | 0.0000 |",
    ]
    assert build_weight_table(rows).splitlines()[2:] == [
        "| overview | 2 | 0.4 KB | 30.0 KB | 0.0 KB | 30.4 KB | 31.8 KB | 0.0 KB |"
    ]


def test_a_module_that_another_one_names_is_a_waterfall_but_for_what_is_asked_for_late() -> None:
    inner = Sent("/app/dom.js", "Script", 800, 400, named_by="/app/main.js")
    late = Sent("/app/news.js", "Script", 800, 400, named_by="")
    of_late = Sent("/app/toasts.js", "Script", 800, 400, named_by="/app/news.js")
    assert load(SCRIPT, late, of_late).waterfall == []
    assert load(SCRIPT, inner).waterfall == ["/app/dom.js, named by /app/main.js"]
