"""The fields of every entity, so that `fields(TimeEntry).person_idd` is an error.

What type checkers and editors know of them is in `vocabulary.pyi`, which `make stubs` writes.
"""

from __future__ import annotations

from typing import Any

import jibble_async.entities as entities
from jibble_async.entities import Entity, Timesheet, TimesheetSummary, ValueObject
from jibble_async.query.entity_fields import Vocabulary

__all__ = ["VOCABULARY", "fields"]

_PUBLIC = (item for item in vars(entities).values() if isinstance(item, type))
VOCABULARY: Vocabulary = Vocabulary(
    [
        *(item for item in _PUBLIC if issubclass(item, Entity) and item is not Entity),
        # Asked for by their fields, too, although a row has no id of its own.
        Timesheet,
        TimesheetSummary,
    ]
)
"""The entities that both APIs talk about."""


def fields(entity: type[ValueObject]) -> Any:
    """The fields of an entity, to write filters, selections and orders with.

    Args:
        entity: One of the entity classes; a subclass has the fields of its base.

    Raises:
        ConfigurationError: The class is not one of the vocabulary's.

    Example:
        >>> T = fields(TimeEntry)
        >>> condition = (T.belongs_to_date >= date(2026, 10, 1)) & ~T.note.contains("test")
    """
    return VOCABULARY.fields(entity)


__getattr__ = VOCABULARY.class_named
