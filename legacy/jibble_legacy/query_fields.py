"""The fields of what only the old API knows, beside those of the common vocabulary."""

from __future__ import annotations

import re
from typing import Any, overload

from jibble_async.entities import Activity, Client, Organization, Person, TimeEntry, ValueObject
from jibble_async.errors import ConfigurationError
from jibble_async.query import vocabulary
from jibble_async.query.expressions import Kind, Path
from jibble_async.query.fields import (
    BooleanField,
    DateTimeField,
    Fields,
    IdField,
    NumberField,
    TextField,
)
from jibble_async.query.vocabulary import (
    ActivityFields,
    ClientFields,
    OrganizationFields,
    PersonFields,
    TimeEntryFields,
)
from jibble_legacy.entities import LegacyTimeEntry, PowerUp, Team, TeamClient, TeamMember

__all__ = [
    "KeyedField",
    "LegacyTimeEntryFields",
    "PowerUpFields",
    "TeamClientFields",
    "TeamFields",
    "TeamMemberFields",
    "fields",
]

_KEY = r"[A-Za-z0-9_]+"


class KeyedField:
    """An object without a fixed set of keys."""

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path: Path = path

    def key(self, name: str) -> TextField:
        """What is under a key, as a text: the server compares nothing else in there (inferred).

        Args:
            name: The key, of letters, digits and underscores.

        Raises:
            ConfigurationError: It can't stand in a filter.

        Example:
            >>> condition = fields(LegacyTimeEntry).meta.key("appVer") == "1.37.0"
        """
        if re.fullmatch(_KEY, name) is None:
            raise ConfigurationError(f"{name!r} can't be filtered by: letters, digits and _ only")
        return TextField(Path(self.path.owner, (*self.path.names, name), Kind.TEXT))


class TeamFields(OrganizationFields, entity=Team):
    """The fields of a team."""

    working_hours: NumberField
    first_weekday: NumberField
    first_month: NumberField
    member_sort_order: TextField
    subscription_plan_type: TextField
    subscription_plan_id: IdField
    owner_id: IdField


class TeamMemberFields(PersonFields, entity=TeamMember):
    """The fields of a team member."""

    first_name: TextField
    last_name: TextField
    team: TeamFields


class TeamClientFields(ClientFields, entity=TeamClient):
    """The fields of a client."""

    team: TeamFields


class LegacyTimeEntryFields(TimeEntryFields, entity=LegacyTimeEntry):
    """The fields of a time entry of the old API."""

    client_id: IdField
    client: ClientFields
    meta: KeyedField
    custom_data: KeyedField


class PowerUpFields(Fields, entity=PowerUp):
    """The fields of a power-up."""

    id: IdField
    power_up_id: TextField
    is_enabled: BooleanField
    organization_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField


@overload
def fields(entity: type[Team]) -> TeamFields: ...
@overload
def fields(entity: type[TeamMember]) -> TeamMemberFields: ...
@overload
def fields(entity: type[TeamClient]) -> TeamClientFields: ...
@overload
def fields(entity: type[LegacyTimeEntry]) -> LegacyTimeEntryFields: ...
@overload
def fields(entity: type[PowerUp]) -> PowerUpFields: ...
@overload
def fields(entity: type[Organization]) -> OrganizationFields: ...
@overload
def fields(entity: type[Person]) -> PersonFields: ...
@overload
def fields(entity: type[Client]) -> ClientFields: ...
@overload
def fields(entity: type[TimeEntry]) -> TimeEntryFields: ...
@overload
def fields(entity: type[Activity]) -> ActivityFields: ...
def fields(entity: type[ValueObject]) -> Any:
    """The fields of an entity, those that only the old API knows included.

    An expression in the fields of the common vocabulary does as well for a list of this API:
    `jibble_async.fields(TimeEntry)` for entries.

    Args:
        entity: One of the entity classes of either package.

    Raises:
        ConfigurationError: The class is of neither.

    Example:
        >>> E = fields(LegacyTimeEntry)
        >>> condition = (E.client_id == client.id) & (E.time >= monday)
    """
    untyped: Any = vocabulary.fields
    return _FIELDS[entity] if entity in _FIELDS else untyped(entity)


_FIELDS: dict[type[ValueObject], Fields] = {
    declaration.entity: declaration()
    for declaration in (
        TeamFields,
        TeamMemberFields,
        TeamClientFields,
        LegacyTimeEntryFields,
        PowerUpFields,
    )
}
