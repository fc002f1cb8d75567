"""The old API's resources: their properties in the order of the documented examples.

`activites` and `activities` are both documented for one resource. A time entry can be asked for by
its team, though it does not show it (documented: old-filters).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from jibble_async.sandbox.entity_types import Row

LegacyKind: TypeAlias = Literal["text", "number", "bool", "date", "object", "ref"]


@dataclass(frozen=True)
class Model:
    """One resource.

    Args:
        name: What errors call it.
        id_length: How many letters and digits its ids have.
        properties: The kind of each property, in the order of the wire.
        targets: The resource behind a reference; one without is served nowhere.
        required: What a body of POST must have; None where POST is not allowed.
        optional: What it may have besides.
        changes: What a body of PUT may have.
        deletable: Whether DELETE is documented.
        hidden: Properties that are asked for and not shown.
    """

    name: str
    id_length: int
    properties: dict[str, LegacyKind]
    targets: dict[str, str]
    required: tuple[str, ...] | None
    optional: tuple[str, ...]
    changes: tuple[str, ...]
    deletable: bool = True
    hidden: frozenset[str] = field(default_factory=frozenset[str])

    def shown(self, row: Row) -> Row:
        """The row as the wire has it: references as objects, and no key without a value."""
        return {
            name: {"id": row[name]} if kind == "ref" else row[name]
            for name, kind in self.properties.items()
            if row.get(name) is not None and name not in self.hidden
        }


def _properties(names: str) -> dict[str, Any]:
    """Kinds by name, from `name` for text and `name:kind` for others."""
    parts = (name.partition(":") for name in names.split())
    return {name: kind or "text" for name, _, kind in parts}


_STAMPS = "updated_at:date created_at:date"

MODELS: dict[str, Model] = {
    "clients": Model(
        "Client",
        16,
        _properties("id name team:ref updated_at:date"),
        {"team": "teams"},
        required=("name", "team"),
        optional=(),
        changes=("name",),
    ),
    "activities": Model(
        "Activity",
        10,
        _properties(f"id name description color team:ref {_STAMPS}"),
        {"team": "teams"},
        required=("name", "color", "team"),
        optional=("description",),
        changes=("name", "description", "color"),
    ),
    "teams": Model(
        "Team",
        10,
        _properties(
            "id name workingHours:number firstWeekday:number subscriptionPlanType "
            "firstMonth:number memberSortOrder owner:ref subscriptionPlan:ref updated_at:date"
        ),
        {},
        required=("name",),
        optional=("workingHours",),
        changes=("name",),
    ),
    "teammembers": Model(
        "TeamMember",
        10,
        _properties(f"id firstName lastName email role team:ref user:ref {_STAMPS}"),
        {"team": "teams"},
        required=None,
        optional=(),
        changes=("firstName", "lastName"),
    ),
    "powerups": Model(
        "PowerUp",
        10,
        _properties(f"id team:ref isEnabled:bool powerUpId {_STAMPS}"),
        {"team": "teams"},
        required=("powerUpId", "isEnabled", "team"),
        optional=(),
        changes=("isEnabled",),
        deletable=False,
    ),
    "timeentries": Model(
        "TimeEntry",
        16,
        _properties(
            "id person:ref activity:ref client:ref action:number meta:object customData:object "
            f"date:date notes {_STAMPS} team:ref"
        ),
        {"person": "teammembers", "activity": "activities", "client": "clients"},
        required=("action",),
        optional=("activity", "client", "notes", "date", "person", "customData"),
        changes=("activity", "client", "notes"),
        hidden=frozenset({"team"}),
    ),
}
SPELLINGS: dict[str, str] = {**{name: name for name in MODELS}, "activites": "activities"}
