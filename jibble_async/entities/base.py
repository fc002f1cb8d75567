"""What all entities share: the struct base, open enums and the marks of scalar kinds."""

from __future__ import annotations

import enum
from typing import Annotated, Self, TypeAlias, dataclass_transform

import msgspec

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

    @property
    def is_known(self) -> bool:
        """Whether this value is one of those listed."""
        return self._value_ in type(self)._value2member_map_
