"""How the shape of a set's rows is said: kinds of values, navigation, enumerations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Row: TypeAlias = dict[str, Any]
Kind: TypeAlias = Literal[
    "guid",
    "text",
    "enum",
    "instant",
    "date",
    "time",
    "duration",
    "bool",
    "number",
    "object",
    "list",
    "any",
]


@dataclass(frozen=True, slots=True)
class Navigation:
    """Where a navigation property leads.

    Args:
        target: The dataset's set that holds the other end.
        local: The property of this row that is compared.
        remote: The property of the other row that it equals.
        many: A collection rather than one row or null.
        through: Where `local` is a list of links: the property of a link that has the other id.
    """

    target: str
    local: str
    remote: str = "id"
    many: bool = False
    through: str | None = None


@dataclass(frozen=True)
class EntityType:
    """The shape of the rows of a set.

    Args:
        name: What the metadata calls it.
        properties: The kind of each property.
        navigations: Where other properties lead.
        objects: What is in properties that are objects.
        members: Of the properties that are enumerations; `object/property` within an object.
        settings: What rows may have besides, for the type is open: shown, and never asked for.
        etag: Whether rows carry a tag on the workspace host.

    Attributes:
        names: Finds a property by its lower-case name.
    """

    name: str
    properties: dict[str, Kind]
    navigations: dict[str, Navigation] = field(default_factory=dict[str, Navigation])
    objects: dict[str, dict[str, Kind]] = field(default_factory=dict[str, dict[str, Kind]])
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    settings: frozenset[str] = frozenset()
    etag: bool = False
    names: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        names = {name.lower(): name for name in (*self.properties, *self.navigations)}
        object.__setattr__(self, "names", names)

    def blank(self) -> Row:
        """A new row with every property: empty lists, false flags, null for the rest."""
        empty: dict[Kind, Any] = {"bool": False}
        return {
            name: [] if kind == "list" else empty.get(kind)
            for name, kind in self.properties.items()
        }
