"""What pydantic is told of entities and open enums; imported where pydantic asks.

Its schemas are plain dicts, so that pydantic itself need not be imported, or be there.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import msgspec

from jibble_async.entities.documentation import field_docs

__all__ = ["described", "described_names", "entity_schema", "enum_schema"]

# The classes whose schemas are in the making: what refers to one of them refers to it by name.
_UNDER_WAY: ContextVar[frozenset[type]] = ContextVar("_UNDER_WAY", default=frozenset())


def entity_schema(kind: type[msgspec.Struct], handler: Any) -> dict[str, Any]:
    """The core schema of an entity's class: an entity, or an object with its fields.

    Fields go in by both of their names, and come out as pydantic's `by_alias` says: by the wire's
    name or by Python's. What opens a kiosk goes in and does not come out.

    Args:
        kind: The class.
        handler: Makes the schemas of the types of fields.
    """
    ref = _ref(kind)
    under_way = _UNDER_WAY.get()
    if kind in under_way:
        return {"type": "definition-ref", "schema_ref": ref}
    token = _UNDER_WAY.set(under_way | {kind})
    try:
        members = {"type": "typed-dict", "fields": _fields(kind, handler)}
    finally:
        _UNDER_WAY.reset(token)
    names = kind.__struct_fields__

    def made(found: dict[str, Any]) -> Any:
        return kind(**found)

    def taken(value: Any, inner: Callable[[Any], dict[str, Any]]) -> Any:
        return value if isinstance(value, kind) else made(inner(value))

    made.__name__ = taken.__name__ = kind.__name__  # which pydantic's errors begin with

    # Around what writes the members, so that `include=` and `exclude=` reach it.
    def taken_apart(value: Any, inner: Callable[[Any], Any]) -> Any:
        return inner({name: getattr(value, name) for name in names})

    return {
        # What is called within would not know any more that it reads JSON, whose days are texts
        # even where pydantic is strict.
        "type": "json-or-python",
        "json_schema": {
            "type": "function-after",
            "function": {"type": "no-info", "function": made},
            "schema": members,
        },
        "python_schema": {
            "type": "function-wrap",
            "function": {"type": "no-info", "function": taken},
            "schema": members,
        },
        "ref": ref,
        "serialization": {
            "type": "function-wrap",
            "function": taken_apart,
            "schema": members,
        },
    }


def _fields(kind: type[msgspec.Struct], handler: Any) -> dict[str, Any]:
    hidden = getattr(kind, "secret_fields", ())
    fields: dict[str, Any] = {}
    for each in msgspec.structs.fields(kind):
        schema = handler.generate_schema(each.type)
        if not each.required:
            schema = {"type": "default", "schema": schema, "default": each.default}
        fields[each.name] = {
            "type": "typed-dict-field",
            "schema": schema,
            "required": each.required,
            "validation_alias": [[each.encode_name], [each.name]],
            "serialization_alias": each.encode_name,
            "serialization_exclude": each.name in hidden,
        }
    return fields


def described(kind: type[msgspec.Struct], schema: Any, handler: Any) -> dict[str, Any]:
    """The JSON schema of an entity's class, with what the code says of it and of each field.

    Args:
        kind: The class.
        schema: Its core schema.
        handler: Makes the JSON schema.
    """
    made: dict[str, Any] = handler.resolve_ref_schema(handler(schema))
    made.update(title=kind.__name__, description=inspect.cleandoc(kind.__doc__ or ""))
    texts, hidden = field_docs(kind), getattr(kind, "secret_fields", ())
    for field in msgspec.structs.fields(kind):
        for name in {field.encode_name, field.name} & made.get("properties", {}).keys():
            about = made["properties"][name]
            if field.name in texts:
                about["description"] = texts[field.name]
            if field.name in hidden:
                about["writeOnly"] = True
    return made


def enum_schema(kind: type[enum.StrEnum]) -> dict[str, Any]:
    """The core schema of an open enum: any text is one of its values.

    Args:
        kind: The enum.
    """
    return {
        "type": "function-after",
        "function": {"type": "no-info", "function": kind},
        "schema": {"type": "str"},
        "ref": _ref(kind),
        "serialization": {"type": "to-string"},
    }


def described_names(kind: type[enum.StrEnum], schema: Any, handler: Any) -> dict[str, Any]:
    """The JSON schema of an open enum: the names that are listed, or another text.

    Args:
        kind: The enum.
        schema: Its core schema.
        handler: Makes the JSON schema.
    """
    made: dict[str, Any] = handler.resolve_ref_schema(handler(schema))
    made.pop("type", None)
    # As OpenAPI says it of enums that may grow; a plain enum would have readers refuse the rest.
    names = {"type": "string", "enum": [each.value for each in kind]}
    made.update(
        title=kind.__name__,
        description=inspect.cleandoc(kind.__doc__ or ""),
        anyOf=[names, {"type": "string"}],
    )
    return made


def _ref(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}:{id(kind)}"
