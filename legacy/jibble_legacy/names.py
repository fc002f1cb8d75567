"""What the vocabulary's fields are called in the old API's queries.

Source: the documentation's examples of filters, relations and answers; a filter takes the name of
any field of the answer (documented), and a reference is compared with a bare id (documented).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from jibble_async.entities import Activity, Client, Organization, Person, TimeEntry, ValueObject
from jibble_async.errors import ConfigurationError, NotSupportedError
from jibble_async.query.expressions import Path
from jibble_legacy.entities import PowerUp

__all__ = ["field_name", "relation_name"]

V = TypeVar("V")

_UPDATED = {"id": "id", "updated_at": "updated_at"}
_STAMPED = {**_UPDATED, "created_at": "created_at"}
_FIELDS: dict[type[ValueObject], dict[str, str]] = {
    TimeEntry: {
        **_STAMPED,
        "type": "action",
        "time": "date",
        "note": "notes",
        "person_id": "person",
        "activity_id": "activity",
        "client_id": "client",
        "organization_id": "team",
        "meta": "meta",
    },
    Person: {
        **_STAMPED,
        "first_name": "firstName",
        "last_name": "lastName",
        "email": "email",
        "role": "role",
        "organization_id": "team",
        "user_id": "user",
    },
    Activity: {
        **_STAMPED,
        "name": "name",
        "description": "description",
        "organization_id": "team",
    },
    Client: {**_UPDATED, "name": "name", "organization_id": "team"},
    Organization: {
        **_UPDATED,
        "name": "name",
        "working_hours": "workingHours",
        "first_weekday": "firstWeekday",
        "first_month": "firstMonth",
        "member_sort_order": "memberSortOrder",
        "subscription_plan_type": "subscriptionPlanType",
        "subscription_plan_id": "subscriptionPlan",
        "owner_id": "owner",
    },
    PowerUp: {
        **_STAMPED,
        "power_up_id": "powerUpId",
        "is_enabled": "isEnabled",
        "organization_id": "team",
    },
}
_RELATIONS: dict[type[ValueObject], frozenset[str]] = {
    TimeEntry: frozenset({"person", "activity", "client"}),
    Person: frozenset({"team"}),
    Client: frozenset({"team"}),
}
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
        path: The field.

    Raises:
        ConfigurationError: It is a field of something else.
        NotSupportedError: The old API has no such field, or can't ask for it.
    """
    if not issubclass(entity, path.owner):
        raise ConfigurationError(
            f"{path} is not a field of {entity.__name__}: use fields({entity.__name__})"
        )
    first, *inner = path.names
    name = _of(entity, _FIELDS, {}).get(first)
    # A key of `meta` is the only thing within another that the documentation compares.
    if name is None or bool(inner) != (first == "meta"):
        advice = _INSTEAD.get(first, "compare it in Python, with what comes")
        raise NotSupportedError(f"the old API can't filter or sort by {path}: {advice}")
    return ".".join((name, *inner))


def relation_name(entity: type[ValueObject], name: str) -> str:
    """What something that hangs on an entity is called in `filter[include]`.

    Raises:
        NotSupportedError: The old API can't send it along.
    """
    relations = _of(entity, _RELATIONS, frozenset[str]())
    if name not in relations:
        known = f"only {', '.join(sorted(relations))}" if relations else "nothing"
        raise NotSupportedError(
            f"the old API can't expand {entity.__name__}.{name}: it knows {known} there"
        )
    return name


def _of(entity: type[ValueObject], tables: Mapping[type[ValueObject], V], otherwise: V) -> V:
    return next((table for base, table in tables.items() if issubclass(entity, base)), otherwise)
