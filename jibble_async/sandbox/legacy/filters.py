"""`filter` read from a query string: its parts checked and normalised as the framework does.

A page has 30 rows unless the request says otherwise, and 100 at most (documented: old-paging).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec

from jibble_async.sandbox.legacy.errors import bad_filter
from jibble_async.sandbox.legacy.querystring import parse
from jibble_async.sandbox.legacy.scalars import parse_number

if TYPE_CHECKING:
    from jibble_async.sandbox.legacy.rules import LegacyRules

Order: TypeAlias = tuple[tuple[str, bool], ...]

_DEFAULT = 30
_MOST = 100
_ORDER = re.compile(r"(\S+)(?:\s+(\S.*))?")


@dataclass(frozen=True, slots=True)
class Filter:
    """What a request asks of a resource.

    Args:
        where: The conditions, as they were sent.
        order: The properties to sort by, each with whether it descends.
        include: The relations to show in full, each with those of its own.
        fields: Whether each named property is shown; None for all.
        skip: How many rows to pass over.
        limit: The most rows to give.
    """

    where: dict[str, Any]
    order: Order
    include: dict[str, Any]
    fields: dict[str, bool] | None
    skip: int
    limit: int


def read_filter(query: str, rules: LegacyRules) -> Filter:
    """The filter of a request.

    Args:
        query: The raw query string.
        rules: What is understood.

    Raises:
        LegacyRefusal: 400, naming what is not valid.
    """
    found = _whole(parse(query).get("filter"))
    for name in ("fields", "offset"):
        if name in found:
            documented_only(name, rules)
    where: object = found.get("where") or {}
    if not isinstance(where, dict):
        raise bad_filter(f"The where clause {quoted(where)} is not an object")
    return Filter(
        where=cast("dict[str, Any]", where),
        order=tuple(_order(found.get("order"))),
        include=read_relations(found.get("include")),
        fields=_fields(found.get("fields")),
        skip=_skip(found.get("skip") or found.get("offset")),
        limit=_limit(found.get("limit"), rules),
    )


def documented_only(name: str, rules: LegacyRules) -> None:
    """Refuses what only the framework knows, unless the rules allow it.

    Raises:
        LegacyRefusal: 400, naming it.
    """
    if not rules.undocumented:
        raise bad_filter(f"{name} is not documented: LegacyRules(undocumented=True) allows it")


def quoted(value: Any) -> str:
    """A value as messages quote it."""
    return msgspec.json.encode(value).decode()


def sequence(value: object) -> list[Any] | None:
    """The items of an array, or of an object whose keys count from 0; None for anything else."""
    if isinstance(value, list):
        return list(cast("list[object]", value))
    if not isinstance(value, dict):
        return None
    items = cast("dict[str, Any]", value)
    places = [str(place) for place in range(len(items))]
    return [items[place] for place in places] if items.keys() == set(places) else None


def _whole(raw: Any) -> dict[str, Any]:
    if isinstance(raw, str) and raw.startswith("{"):
        try:
            raw = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            raise bad_filter("Value is not an object.") from None
    if raw is None or raw == "":
        return {}
    if not isinstance(raw, dict):
        raise bad_filter("Value is not an object.")
    return cast("dict[str, Any]", raw)


def _order(raw: Any) -> list[tuple[str, bool]]:
    if not raw:
        return []
    items = [raw] if isinstance(raw, str) else sequence(raw)
    if items is None or not all(isinstance(item, str) for item in items):
        raise bad_filter(f"The order {quoted(raw)} is not valid")
    order: list[tuple[str, bool]] = []
    for item in ",".join(items).split(","):
        match = _ORDER.fullmatch(item.strip())
        if match is None:
            raise bad_filter(f"The order {quoted(raw)} is not valid")
        direction = (match[2] or "ASC").upper()
        if direction not in {"ASC", "DESC"}:
            raise bad_filter(f"The order {quoted(item.strip())} has invalid direction")
        order.append((match[1], direction == "DESC"))
    return order


def read_relations(raw: Any) -> dict[str, Any]:
    """The relations that `include` names, each with what it includes itself."""
    if not raw:
        return {}
    if isinstance(raw, str):
        return {raw: None}
    items = sequence(raw)
    if items is None:
        return cast("dict[str, Any]", raw) if isinstance(raw, dict) else {quoted(raw): None}
    return {name: inner for item in items for name, inner in read_relations(item).items()}


def _fields(raw: Any) -> dict[str, bool] | None:
    if not raw:
        return None
    names = [raw] if isinstance(raw, str) else sequence(raw)
    if names is not None:
        return {str(name): True for name in names}
    return {
        name: bool(value) and value not in ("false", "0")
        for name, value in cast("dict[str, Any]", raw).items()
    }


def _skip(raw: Any) -> int:
    skip = _whole_number(raw or 0)
    if skip is None or skip < 0:
        raise bad_filter(f"The offset/skip parameter {quoted(raw)} is not valid")
    return skip


def _limit(raw: Any, rules: LegacyRules) -> int:
    limit = _whole_number(raw or _DEFAULT)
    if limit is None or limit < 1 or (limit > _MOST and rules.over_limit == "refuse"):
        raise bad_filter(f"The limit parameter {quoted(raw)} is not valid")
    return min(limit, _MOST)


def _whole_number(value: Any) -> int | None:
    number = parse_number(value) if isinstance(value, str) else value
    return number if isinstance(number, int) and not isinstance(number, bool) else None
