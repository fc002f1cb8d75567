"""What all entities share: the struct base, open enums and the marks of scalar kinds."""

from __future__ import annotations

import enum
from typing import Annotated, Any, ClassVar, Self, TypeAlias, dataclass_transform

import msgspec

from jibble_async.entities.dicts import DictForm, Names, as_dict
from jibble_async.html_tables import html_table

__all__ = ["Entity", "Guid", "OpenEnum", "ValueObject"]

GUID_MARK = "guid"

Guid: TypeAlias = Annotated[str, msgspec.Meta(extra={"kind": GUID_MARK})]
"""A GUID as text. Text, because building UUID objects doubles the cost of reading a row."""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class ValueObject(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel", repr_omit_defaults=True
):
    """A part of an entity that has no identity of its own.

    Instances can't be changed. Fields that the server sends and the vocabulary does not have are
    ignored. The collector need not look at them (`gc=False`): entities never form cycles.
    """

    # Fields that open something: in no repr, and nowhere else unless they are asked for.
    secret_fields: ClassVar[tuple[str, ...]] = ()

    def to_dict(
        self, *, names: Names = "python", secrets: bool = False, exclude_none: bool = False
    ) -> dict[str, Any]:
        """A dict of this, and of what hangs on it.

        Enums are plain texts; dates, times and lengths of time are Python's own.

        Args:
            names: By which names fields go: `python` (`belongs_to_date`), or `wire`
                (`belongsToDate`).
            secrets: Keep what opens a kiosk, such as a person's PIN.
            exclude_none: Leave out what is None.

        Raises:
            ConfigurationError: There are no such names.

        Example:
            >>> entry.to_dict(exclude_none=True)
            {'id': '…', 'type': 'In', 'belongs_to_date': datetime.date(2026, 7, 1)}
        """
        return as_dict(self, DictForm(names=names, secrets=secrets, exclude_none=exclude_none))

    def to_json(
        self, *, names: Names = "python", secrets: bool = False, exclude_none: bool = False
    ) -> str:
        """The same as JSON: dates, times and lengths of time in ISO 8601.

        By the names of the wire it can be read again:
        `msgspec.json.decode(text, type=TimeEntry)`.

        Args:
            names: By which names fields go, `python` or `wire`.
            secrets: Keep what opens a kiosk, such as a person's PIN.
            exclude_none: Leave out what is None.

        Raises:
            ConfigurationError: There are no such names.
        """
        form = DictForm(names=names, secrets=secrets, exclude_none=exclude_none, as_text=True)
        return msgspec.json.encode(as_dict(self, form)).decode()

    def _repr_html_(self) -> str:
        """What a notebook shows: the fields that have a value."""
        members = as_dict(self, DictForm(exclude_none=True))
        return html_table(
            ("field", "value"), members.items(), caption=type(self).__name__, most=len(members)
        )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from jibble_async.entities.pydantic_schema import entity_schema  # for who has pydantic

        return entity_schema(cls, handler)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        from jibble_async.entities.pydantic_schema import described

        return described(cls, schema, handler)


class Entity(ValueObject):
    """Something that Jibble knows by an id.

    Every field but `id` may be None: the server has no value, or it was not selected.
    """

    id: Guid
    """What Jibble knows it by."""


class OpenEnum(enum.StrEnum):
    """A set of names that the server may extend.

    A value that is not listed becomes a member of its own: it compares and hashes as its text,
    is written back unchanged, and is not in `list(...)`.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from jibble_async.entities.pydantic_schema import enum_schema

        return enum_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        from jibble_async.entities.pydantic_schema import described_names

        return described_names(cls, schema, handler)

    @property
    def is_known(self) -> bool:
        """Whether this value is one of those listed."""
        return self._value_ in type(self)._value2member_map_
