"""The fields of what only the old API knows, beside those of the common vocabulary.

What type checkers and editors know of them is in `query_fields.pyi`, which `make stubs` writes.
"""

from __future__ import annotations

from typing import Any

from jibble_async.entities import ValueObject
from jibble_async.query import vocabulary
from jibble_async.query.entity_fields import Vocabulary
from jibble_legacy.entities import LegacyTimeEntry, PowerUp, Team, TeamClient, TeamMember

__all__ = ["VOCABULARY", "fields"]

VOCABULARY: Vocabulary = Vocabulary(
    [*vocabulary.VOCABULARY.roots, LegacyTimeEntry, PowerUp, Team, TeamClient, TeamMember]
)
"""The entities of both packages."""


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
    return VOCABULARY.fields(entity)


__getattr__ = VOCABULARY.class_named
