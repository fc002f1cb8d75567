"""Nested query strings as `qs` 6.5 reads them, which sits in front of the framework.

Brackets nest five deep; what is deeper becomes one key. Array places above 20 make an object.
`[[between][0]]`, the documentation's odd spelling, reads like `[between][0]` (all measured).
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias, cast
from urllib.parse import unquote_plus

Node: TypeAlias = object

_DEPTH = 5
_LAST_PLACE = 20
_PARAMETERS = 1000
_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_PLACE = re.compile(r"0|[1-9]\d*")


class _Hole:
    """A place of an array that nothing was put into."""


_HOLE = _Hole()


def parse(query: str) -> dict[str, Any]:
    """The parameters as texts, lists and objects of them.

    Args:
        query: What follows `?`, or a form's body; percent-encoded or not, `+` for a space.

    Example:
        >>> parse("filter[where][date][between][]=a&filter[where][date][between][]=b")
        {'filter': {'where': {'date': {'between': ['a', 'b']}}}}
    """
    values: dict[str, Node] = {}
    for part in [part for part in query.split("&") if part][:_PARAMETERS]:
        bracket = part.find("]=")
        cut = part.find("=") if bracket < 0 else bracket + 1
        key = unquote_plus(part if cut < 0 else part[:cut])
        value = "" if cut < 0 else unquote_plus(part[cut + 1 :])
        values[key] = _joined(values[key], value) if key in values else value
    found: Node = {}
    for key, node in values.items():
        found = _merge(found, _nest(_path(key), node))
    return cast("dict[str, Any]", _compact(found))


def _array(node: Node) -> list[Node] | None:
    return cast("list[Node]", node) if isinstance(node, list) else None


def _joined(first: Node, second: Node) -> Node:
    return [*(_array(first) or [first]), second]


def _path(key: str) -> list[str]:
    segments = list(_BRACKETS.finditer(key))
    parent = key[: segments[0].start()] if segments else key
    path = [parent] if parent else []
    path += [segment[0] for segment in segments[:_DEPTH]]
    if len(segments) > _DEPTH:
        path.append(f"[{key[segments[_DEPTH].start() :]}]")
    return path


def _nest(path: list[str], leaf: Node) -> Node:
    for root in reversed(path):
        leaf = _within(root, leaf)
    return leaf


def _within(root: str, leaf: Node) -> Node:
    name = root[1:-1] if root.startswith("[") and root.endswith("]") else root
    if root == "[]":
        return _array(leaf) or [leaf]
    if name != root and _PLACE.fullmatch(name) and int(name) <= _LAST_PLACE:
        return [*[_HOLE] * int(name), leaf]
    return {name: leaf}


def _merge(target: Node, source: Node) -> Node:
    if source == "":
        return target
    ours, theirs = _array(target), _array(source)
    if ours is not None and theirs is not None:
        return _merge_arrays(ours, theirs)
    here, there = _object(target), _object(source)
    if here is None:
        return [target, *(theirs or [source])]
    if there is None:
        return _joined(target, source) if ours is not None else {**here, str(source): True}
    for key, value in there.items():
        here[key] = _merge(here[key], value) if key in here else value
    return here


def _merge_arrays(target: list[Node], source: list[Node]) -> list[Node]:
    merged = list(target)
    for place, value in enumerate(source):
        if value is _HOLE:
            continue
        if place >= len(merged):
            merged += [*[_HOLE] * (place - len(merged)), value]
        elif merged[place] is _HOLE:
            merged[place] = value
        elif _object(merged[place]) is not None:
            merged[place] = _merge(merged[place], value)
        else:
            merged.append(value)
    return merged


def _object(node: Node) -> dict[str, Node] | None:
    """A copy of an object's properties, or of an array's by their place; None for a text."""
    array = _array(node)
    if array is not None:
        return {str(place): value for place, value in enumerate(array) if value is not _HOLE}
    return dict(cast("dict[str, Node]", node)) if isinstance(node, dict) else None


def _compact(node: Node) -> Node:
    array, properties = _array(node), _object(node)
    if array is not None:
        return [_compact(value) for value in array if value is not _HOLE]
    if properties is not None:
        return {name: _compact(value) for name, value in properties.items()}
    return node
