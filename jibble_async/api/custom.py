"""Requests that no resource has a method for, checked as far as that can be done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast
from uuid import UUID

import msgspec

from jibble_async.core.operation import JSON, Operation, Safety
from jibble_async.errors import ConfigurationError
from jibble_async.query.values import plain

__all__ = ["Params", "custom_operation", "custom_params", "custom_parts", "json_body"]

Params: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]
"""Query options: a mapping, in which a list repeats the name, or pairs."""

_PATH = r"((?:/api)?/v[0-9]+)/([A-Za-z0-9_.$(),='@:/-]+)"
_COLLECTION = r"[A-Za-z]{2,50}"
_OF_ODATA = frozenset({"$count", "$metadata", "$ref", "$value"})
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
# A GET that starts a job at the server (documented: reports): twice is not the same as once.
_STARTS = "timeattendancereportstartexport"


def custom_operation(
    method: str, service: str, path: str, safety: Safety | None, *, name: str = "request"
) -> Operation:
    """The operation for a method and path.

    Args:
        method: The HTTP method.
        service: Which host.
        path: The path with its `/v1`, without a query.
        safety: What it means to send it twice; None to go by the method.
        name: What it is told and counted as.

    Raises:
        ConfigurationError: A method or path that can't be sent.
    """
    method = method.upper()
    if method not in _METHODS:
        raise ConfigurationError(f"method {method!r}: there are {', '.join(sorted(_METHODS))}")
    parts = re.fullmatch(_PATH, path)
    if parts is None or ".." in path or "//" in path:
        raise ConfigurationError(
            f"path {path!r}: give it with its version and without a query, such as /v1/Schedules"
        )
    if safety is None:
        safety = Safety.READ if method == "GET" else Safety.UNSAFE
        if _STARTS in path.lower():
            safety = Safety.ONCE
    return Operation(service, method, path, safety, name=name, shown=_without_ids(*parts.groups()))


def _without_ids(version: str, rest: str) -> str:
    """A path of the caller's own with `{id}` for all that may be an id.

    Kept are the names of collections: the first part below the version, and what follows an id.
    """
    parts: list[str] = []
    is_name = True
    for part in rest.rstrip("/").split("/"):
        name, key, _ = part.partition("(")
        if part in _OF_ODATA:
            parts.append(part)
        elif is_name and re.fullmatch(_COLLECTION, name) is not None:
            parts.append(f"{name}({{id}})" if key else name)
            is_name = bool(key)
        else:
            parts.append("{id}")
            is_name = True
    return f"{version}/{'/'.join(parts)}"


def custom_params(params: Params) -> tuple[tuple[str, str], ...]:
    """The query options as pairs of texts.

    Raises:
        ConfigurationError: A value that can't be sent, such as None.
    """
    if isinstance(params, str | bytes):
        raise ConfigurationError('params is a text: give a mapping such as {"$top": 5}')
    items = cast(
        "Iterable[tuple[str, Any]]", params.items() if isinstance(params, Mapping) else params
    )
    return tuple((name, _text(name, each)) for name, value in items for each in _each_value(value))


def custom_parts(params: Params, json: Any) -> dict[str, Any]:
    """The parts of a request of the caller's own, as `jibble_async.core.operation.build` has them.

    Args:
        params: Query options.
        json: The body; UNSET for none.

    Raises:
        ConfigurationError: A body or value that can't be sent.
    """
    parts: dict[str, Any] = {"params": custom_params(params)}
    if json is not msgspec.UNSET:
        parts |= {"body": json_body(json, "json="), "content_type": JSON}
    return parts


def json_body(value: Any, label: str) -> bytes:
    """A body, of plain values whatever they were made by.

    Args:
        value: What it holds.
        label: What it is, for the error.

    Raises:
        ConfigurationError: Something in it that JSON can't hold.
    """
    try:
        return msgspec.json.encode(value, enc_hook=_plain)
    except (TypeError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{label} can't be sent: {error}") from None


def _plain(value: Any) -> Any:
    made = plain(value)
    if type(made) is type(value):
        raise TypeError(f"JSON has no {type(value).__name__}")
    return made


def _each_value(value: Any) -> Iterable[Any]:
    several = isinstance(value, Iterable) and not isinstance(value, str | bytes)
    return cast("Iterable[Any]", value if several else (value,))


def _text(name: str, given: Any) -> str:
    value = plain(given)
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float() | UUID():
            return str(value)
        case _:
            raise ConfigurationError(
                f"params: {name} is {type(given).__name__}; give a text, number or bool, or a "
                "list of them, and leave out what has no value"
            )
