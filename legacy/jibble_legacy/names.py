"""What the vocabulary's fields are called in the old API's queries, and what can't be asked."""

from __future__ import annotations

from jibble_async.entities import ValueObject
from jibble_async.errors import NotSupportedError
from jibble_async.query.expressions import Path
from jibble_legacy.columns import TABLES

__all__ = ["field_name", "relation_name"]

_INSTEAD = {
    "belongs_to_date": "give since= and until=, and the client its timezone=",
    "local_time": "use time, which is the same moment",
    "project_id": "an entry has a client here: use client_id of fields(LegacyTimeEntry)",
    "status": "leave it out, since what is deleted here is gone and nothing is archived",
    "full_name": "use first_name and last_name of fields(TeamMember)",
    "custom_data": "look at entry.custom_data of what comes",
}


def field_name(entity: type[ValueObject], path: Path) -> str:
    """What a field is called in `filter[where]` and `filter[order]`.

    Args:
        entity: What the list holds.
        path: The field, which is one of its own.

    Raises:
        NotSupportedError: The old API has no such field, or can't ask for it.
    """
    first, *inner = path.names
    table = TABLES.get(entity)
    column = None if table is None else table.columns.get(first)
    # A key of `meta` is the only thing within another that the documentation compares.
    if table is None or column is None or not column.asked or bool(inner) != (first == "meta"):
        advice = _INSTEAD.get(first, "compare it in Python, with what comes")
        raise NotSupportedError(f"the old API can't filter or sort by {path}: {advice}")
    return ".".join((table.sent(first), *inner))


def relation_name(entity: type[ValueObject], name: str) -> str:
    """What something that hangs on an entity is called in `filter[include]`.

    Raises:
        NotSupportedError: The old API can't send it along.
    """
    table = TABLES.get(entity)
    columns = () if table is None else table.columns.values()
    relations = sorted(column.name for column in columns if column.included)
    if name not in relations:
        known = f"only {', '.join(relations)}" if relations else "nothing"
        raise NotSupportedError(
            f"the old API can't expand {entity.__name__}.{name}: it knows {known} there"
        )
    return name
