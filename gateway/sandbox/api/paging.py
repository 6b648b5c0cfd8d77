"""Pages of a list, as every list of the API answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.api.refusals import ApiRefusal, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.datastructures import QueryParams

Json = dict[str, Any]
_SIZE, _LARGEST, _COUNTED = 25, 250, 10_000


def page_of(rows: Sequence[Json], query: QueryParams, sortable: Mapping[str, str], default: str) -> Json:
    """Return the page that the query asks for.

    `sortable` maps what `sort` may name to a key of the rows; `default` is the sort where there is none.

    Raises:
        ApiRefusal: 400 for a page, size or sort that cannot be.

    """
    number, size = _whole(query, "page", 0), _whole(query, "size", _SIZE)
    if not 1 <= size <= _LARGEST:
        raise _refused("size", f"size must be between 1 and {_LARGEST}")
    name, _, direction = (query.get("sort") or default).partition(",")
    descending = direction.upper() == "DESC"
    if name not in sortable or direction.upper() not in {"", "ASC", "DESC"}:
        raise _refused("sort", f"sort must be one of {', '.join(sortable)}, with ASC or DESC")
    ordered = sorted(rows, key=lambda row: _sort_key(row[sortable[name]]))
    if descending:
        ordered.reverse()  # what is equal as well: of one day's vouchers the newest comes first
    return _document(ordered, number, size, _sort(name, descending=descending))


def _document(ordered: Sequence[Json], number: int, size: int, sort: list[Json]) -> Json:
    total = min(len(ordered), _COUNTED)
    pages = -(-total // size)
    content = ordered[number * size : (number + 1) * size]
    return {
        "content": content,
        "first": number == 0,
        "last": number >= pages - 1,
        "totalPages": pages,
        "totalElements": total,
        "numberOfElements": len(content),
        "size": size,
        "number": number,
        "sort": sort,
    }


def _sort(name: str, *, descending: bool) -> list[Json]:
    return [
        {
            "property": name,
            "direction": "DESC" if descending else "ASC",
            "ignoreCase": False,
            "nullHandling": "NATIVE",
            "ascending": not descending,
        }
    ]


def _sort_key(value: object) -> tuple[bool, str]:
    return value is not None, str(value or "").casefold()


def _whole(query: QueryParams, name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or len(text) > 6:  # noqa: PLR2004 - a million pages
        raise _refused(name, f"{name} must be a whole number")
    return int(text)


def _refused(field: str, message: str) -> ApiRefusal:
    return ApiRefusal(400, message, (Violation(field, "INVALID", message),))
