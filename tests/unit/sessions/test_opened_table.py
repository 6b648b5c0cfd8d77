"""What is remembered is found by its cookie, bounded, and forgotten by its key or its grant's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.sessions import opened_table
from gateway.sessions.opened_session import OpenedSession, open_for_calls
from gateway.sessions.opened_table import MAX_COOKIE_LENGTH, MAX_REMEMBERED, OpenedTable
from gateway.sessions.session import Grant, Session
from tests.unit.sessions.sign_ins import NOW, build_tokens


def build(
    name: str = "one",
    grant: str | None = None,
    *,
    generation: int = 1,
    created_at: float = NOW,
    lapses_at: float = 60,
) -> OpenedSession:
    """Return a session that somebody just read, of a grant of its own or of the one named."""
    opened = open_for_calls(
        Session(
            key=name.encode(),
            grant_key=(grant or f"grant {name}").encode(),
            subject="Ada",
            claims={},
            created_at=NOW,
            last_seen_at=NOW,
            idle_seconds=1800,
            ends_at=NOW + 36000,
        ),
        Grant(
            key=(grant or f"grant {name}").encode(),
            issuer="https://as.example",
            client_id="client",
            subject="Ada",
            connection_id=None,
            tokens=build_tokens(f"{generation}"),
            generation=generation,
            created_at=created_at,
            ends_at=NOW + 36000,
        ),
    )
    opened.lapses_at = lapses_at
    return opened


def put(table: OpenedTable, opened: OpenedSession, cookie: bytes | None = None) -> OpenedSession:
    """Remember what was read without anything in between."""
    mark = table.begin()
    table.remember(opened, cookie=cookie or b"cookie of " + opened.session.key, mark=mark)
    table.finish()
    return opened


def found(table: OpenedTable, *names: str) -> list[bool]:
    """Say which sessions are found by their cookies."""
    return [f"cookie of {name}".encode() in table.by_cookie for name in names]


def test_it_is_found_by_its_cookie_until_it_is_forgotten_by_its_key() -> None:
    table = OpenedTable()
    one, other = put(table, build("one")), put(table, build("other"))
    assert table.by_cookie[b"cookie of one"] is one
    assert (one.is_live, table.is_in_use) == (True, True)
    table.evict([b"one", b"unknown"])
    assert (one.is_live, other.is_live) == (False, True)
    assert found(table, "one", "other") == [False, True]
    table.evict([b"other"])
    assert not table.is_in_use


@pytest.mark.parametrize("sharers", [1, 2, 5])
def test_all_sessions_of_a_grant_are_forgotten_by_its_key(sharers: int) -> None:
    table = OpenedTable()
    members = [put(table, build(f"{number}", "shared")) for number in range(sharers)]
    other = put(table, build("other"))
    table.evict([b"shared"])
    assert [member.is_live for member in members] == [False] * sharers
    assert other.is_live
    assert put(table, build("0", "shared")).is_live


def test_a_session_of_a_shared_grant_is_forgotten_alone() -> None:
    table = OpenedTable()
    one, other = put(table, build("one", "shared")), put(table, build("other", "shared"))
    table.evict([b"one"])
    assert (one.is_live, other.is_live) == (False, True)
    table.evict([b"shared"])
    assert not other.is_live


@pytest.mark.parametrize("named", [b"one", b"grant one", None])
def test_what_was_named_while_it_was_read_is_not_remembered(named: bytes | None) -> None:
    table = OpenedTable()
    mark, slow = table.begin(), table.begin()
    if named is None:
        table.clear()
    else:
        table.evict([named])
    table.remember(build("one"), cookie=b"cookie of one", mark=mark)
    table.finish()
    late = put(table, build("one"))
    assert late.is_live, "it was read after the change"
    table.evict([b"one"])
    table.remember(build("one"), cookie=b"cookie of one", mark=slow)
    table.finish()
    assert found(table, "one") == [False]


def test_what_others_were_named_for_does_not_keep_a_reader_from_being_remembered() -> None:
    table = OpenedTable()
    mark = table.begin()
    table.evict([b"other", b"grant other"])
    opened = build("one")
    table.remember(opened, cookie=b"cookie of one", mark=mark)
    assert opened.is_live


def test_more_changes_than_are_noted_count_as_changes_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened_table, "_NAMES_KEPT", 10)
    table = OpenedTable()
    mark = table.begin()
    for number in range(11):
        table.evict([f"{number}".encode()])
    table.remember(build("one"), cookie=b"cookie of one", mark=mark)
    table.finish()
    assert found(table, "one") == [False]
    assert put(table, build("one")).is_live


def test_sessions_of_one_grant_share_its_token() -> None:
    table = OpenedTable()
    one, other = put(table, build("one", "shared")), put(table, build("other", "shared"))
    assert one.bearer is other.bearer
    assert one.bearer == b"Bearer access 1"
    assert one.grant is other.grant


@pytest.mark.parametrize(
    ("known", "read"), [((NOW, 2), (NOW, 3)), ((NOW, 7), (NOW + 60, 1))], ids=["refreshed", "gone and back"]
)
def test_older_tokens_give_way_to_newer_and_never_come_back(
    known: tuple[float, int], read: tuple[float, int]
) -> None:
    table = OpenedTable()
    (old_at, old), (new_at, new) = known, read
    others = [
        put(table, build(name, "shared", generation=old, created_at=old_at)) for name in ("other", "another")
    ]
    one = put(table, build("one", "shared", generation=new, created_at=new_at))
    assert [one.is_live, *(other.is_live for other in others)] == [True, False, False]
    late = put(table, build("late", "shared", generation=old, created_at=old_at))
    assert (one.is_live, late.is_live) == (True, False)
    assert table.share(late) < 0


def test_a_session_that_is_opened_anew_keeps_its_other_cookies() -> None:
    table = OpenedTable()
    old = put(table, build("one"), b"a=1")
    new = put(table, build("one"), b"a=2")
    assert (old.is_live, new.is_live) == (False, True)
    assert table.by_cookie == {b"a=1": new, b"a=2": new}
    for number in range(3, 6):
        new = put(table, build("one"), f"a={number}".encode())
    assert set(table.by_cookie) == {b"a=2", b"a=3", b"a=4", b"a=5"}, "four at most, the latest"
    table.evict([b"one"])
    assert table.by_cookie == {}


def test_a_cookie_field_beyond_its_limit_is_not_remembered() -> None:
    table = OpenedTable()
    assert not put(table, build("one"), b"x" * (MAX_COOKIE_LENGTH + 1)).is_live
    assert put(table, build("one"), b"x" * MAX_COOKIE_LENGTH).is_live


def test_no_more_sessions_are_remembered_than_the_limit_and_the_oldest_go_first() -> None:
    table = OpenedTable()
    first = build("template")
    for number in range(MAX_REMEMBERED + 10):
        key = f"{number}".encode()
        session = replace(first.session, key=key, grant_key=key)
        put(table, open_for_calls(session, replace(first.grant, key=key)))
    assert len(table.by_key) == len(table.by_cookie) == MAX_REMEMBERED
    assert found(table, "9", "10", f"{MAX_REMEMBERED + 9}") == [False, True, True]


def test_no_more_bytes_of_cookies_are_remembered_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened_table, "_COOKIE_BYTES", 10_000)
    table = OpenedTable()
    opened = [put(table, build(f"{number}"), f"{number:04000}".encode()) for number in range(3)]
    assert [each.is_live for each in opened] == [False, True, True]


def test_what_has_lapsed_is_dropped_the_oldest_first() -> None:
    table = OpenedTable()
    opened = [put(table, build(f"{at}", lapses_at=at)) for at in (10, 20, 30)]
    table.drop_lapsed(20)
    assert [each.is_live for each in opened] == [False, False, True]
    table.clear()
    table.drop_lapsed(40)
    assert not table.is_in_use


def test_nothing_of_a_session_is_shown_that_is_secret() -> None:
    shown = repr(put(OpenedTable(), build()))
    assert "access" not in shown
    assert "cookie of" not in shown
