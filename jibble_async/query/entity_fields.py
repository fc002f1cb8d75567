"""The fields of an entity, made from its own annotations when they are first asked for.

What checkers and editors know of them stands in the stubs that `make stubs` writes.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast

from jibble_async.entities import Entity, Guid, OpenEnum, ValueObject
from jibble_async.errors import ConfigurationError
from jibble_async.query.clauses import Expand, Expandable, Selectable, expansions
from jibble_async.query.expressions import Comparison, Expression, Kind, Path
from jibble_async.query.fields import (
    BooleanField,
    CollectionField,
    DateField,
    DateTimeField,
    DurationField,
    EnumField,
    IdField,
    KeyedField,
    NumberField,
    TextField,
    TimeField,
)
from jibble_async.query.names import annotation, encoded, unknown_field
from jibble_async.query.values import constant

__all__ = ["Fields", "Vocabulary", "field_class", "fields_class"]

_SCALARS: dict[Any, type[Any]] = {
    str: TextField,
    bool: BooleanField,
    int: NumberField,
    float: NumberField,
    date: DateField,
    datetime: DateTimeField,
    time: TimeField,
    timedelta: DurationField,
    list: CollectionField,
    dict: KeyedField,
}


class Fields:
    """The fields of one entity; each is made when it is first asked for.

    As a part of another entity's fields (`T.person`) it can be expanded, with options of its own.
    """

    entity: ClassVar[type[ValueObject]]

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    # Hidden from type checkers, to which it would make every name a field.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # Underscored names are asked for by copy and pickle, before there is a _path.
            if name.startswith("_") or name not in encoded(self.entity):
                raise unknown_field(self.entity, name)
            field = self._make(name, field_class(annotation(self.entity, name)))
            self.__dict__[name] = field
            return field

    def __reduce__(self) -> Any:
        return _fields, (self.entity, self._path)

    def __repr__(self) -> str:
        return f"<fields of {self._path or self.entity.__name__}>"

    @property
    def path(self) -> Path:
        """Where this hangs on another entity.

        Raises:
            ConfigurationError: It is an entity by itself.
        """
        if self._path is None:
            raise ConfigurationError(f"{self.entity.__name__} itself is not a field: name one")
        return self._path

    def select(self, *fields: Selectable) -> Expand:
        """Expand this, with these fields only."""
        return self._expand().select(*fields)

    def expand(self, *items: Expandable) -> Expand:
        """Expand this, with what hangs on it in turn."""
        return self._expand().expand(*items)

    def where(self, condition: Expression) -> Expand:
        """Expand this, with a condition written in the fields of its own entity."""
        return self._expand().where(condition)

    def is_null(self) -> Comparison:
        """There is nothing there."""
        return Comparison(self.path, "eq", constant(Kind.OBJECT, None, str(self.path)))

    def is_not_null(self) -> Comparison:
        """There is something there."""
        return Comparison(self.path, "ne", constant(Kind.OBJECT, None, str(self.path)))

    def _expand(self) -> Expand:
        return expansions(self.path.owner, (self,))[0]

    def _make(self, name: str, made: type[Any]) -> Any:
        owner = self.entity if self._path is None else self._path.owner
        names = (*(() if self._path is None else self._path.names), name)
        return made(Path(owner, names, getattr(made, "kind", Kind.OBJECT)))


def field_class(kind: Any) -> type[Any]:
    """The class of the fields that hold values of a type.

    Args:
        kind: The type, or one that may also be None.
    """
    if typing.get_origin(kind) in {typing.Union, types.UnionType}:
        (kind,) = (each for each in typing.get_args(kind) if each is not types.NoneType)
    if kind == Guid:
        return IdField
    plain = typing.get_origin(kind) or kind
    if plain in _SCALARS:
        return _SCALARS[plain]
    return EnumField if issubclass(plain, OpenEnum) else fields_class(plain)


@functools.cache
def fields_class(entity: type[ValueObject]) -> type[Fields]:
    """The class of an entity's fields: a subclass of that of its base."""
    (base,) = entity.__bases__
    parent = Fields if base in {Entity, ValueObject} else fields_class(base)
    made: Any = type(f"{entity.__name__}Fields", (parent,), {"entity": entity})
    return cast("type[Fields]", made)


@functools.cache
def _fields(entity: type[ValueObject], path: Path | None) -> Fields:
    return fields_class(entity)(path)


class Vocabulary:
    """The entities whose fields can be named.

    Args:
        roots: The classes of what is listed; what hangs on them is found.
    """

    def __init__(self, roots: Iterable[type[ValueObject]]) -> None:
        self.roots: dict[type[ValueObject], None] = dict.fromkeys(roots)

    @functools.cached_property
    def owners(self) -> dict[str, type[ValueObject]]:
        """Everything that has fields to be named, by what the class of its fields is called."""
        found: dict[str, type[ValueObject]] = {}
        waiting = list(self.roots)
        while waiting:
            owner = waiting.pop()
            found[fields_class(owner).__name__] = owner
            made = {field_class(annotation(owner, name)) for name in encoded(owner)}
            hanging = {each.entity for each in made if issubclass(each, Fields)}
            waiting += hanging.difference(found.values())
        return dict(sorted(found.items()))

    def class_named(self, name: str) -> type[Fields]:
        """The class of an entity's fields, such as `TimeEntryFields`.

        Args:
            name: What it is called.

        Raises:
            AttributeError: Nothing here is called so.
        """
        # Modules are asked for other names by Python itself; finding all reads every annotation.
        if name.endswith("Fields") and name in self.owners:
            return fields_class(self.owners[name])
        raise AttributeError(f"no entity's fields are called {name!r}")

    def fields(self, entity: Any) -> Any:
        """The fields of an entity.

        Args:
            entity: A class; a subclass has the fields of the nearest base that is known.

        Raises:
            ConfigurationError: Neither it nor a base is known.
        """
        for base in getattr(entity, "__mro__", ()):
            # What hangs on something is looked for last: finding it reads every annotation.
            if base in self.roots or base in self.owners.values():
                return _fields(base, None)
        known = ", ".join(sorted(owner.__name__ for owner in self.owners.values()))
        raise ConfigurationError(f"fields() knows {known}, not {entity!r}")
