"""Expressions asked of entities in Python: what they mean, whoever renders them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from jibble_async.query.expressions import (
    And,
    Between,
    Call,
    Comparison,
    Constant,
    Expression,
    InList,
    Not,
    Operand,
    Or,
    Path,
    Predicate,
    Worded,
)

_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_TEXT: dict[str, Callable[[str, Any], Any]] = {
    "contains": operator.contains,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def holds(expression: Expression, entity: Any) -> bool:
    """Whether an entity meets a condition."""
    return _truth(expression, entity) is True


def _truth(expression: Expression, entity: Any) -> bool | None:
    """True, False, or None where a text that is not there would have to be searched."""
    match expression:
        case Comparison(left, "eq", right):
            return bool(_value(left, entity) == _value(right, entity))
        case Comparison(left, "ne", right):
            return bool(_value(left, entity) != _value(right, entity))
        case Comparison(left, order, right):
            one, other = _value(left, entity), _value(right, entity)
            return one is not None and other is not None and bool(_ORDER[order](one, other))
        case Between(operand, low, high):
            value = _value(operand, entity)
            return value is not None and bool(low.value <= value <= high.value)  # type: ignore[operator]
        case InList(operand, values):
            return _value(operand, entity) in [each.value for each in values]
        case Predicate(Call(function, operand, (part,))):
            value = _value(operand, entity)
            return None if value is None else bool(_TEXT[function](value, part.value))
        case Worded(inner):
            return _truth(inner, entity)
        case Not(inner):
            truth = _truth(inner, entity)
            return None if truth is None else not truth
        case And(parts):
            return _joined(False, [_truth(part, entity) for part in parts])
        case Or(parts):
            return _joined(True, [_truth(part, entity) for part in parts])
        case _:
            raise AssertionError(f"{expression!r} is not evaluated here")


def _joined(decides: bool, truths: list[bool | None]) -> bool | None:
    if decides in truths:
        return decides
    return None if None in truths else not decides


def _value(operand: Operand, entity: Any) -> Any:
    match operand:
        case Constant(value):
            return value
        case Path(_, names):
            value = entity
            for name in names:
                mapping = isinstance(value, Mapping)
                value = value.get(name) if mapping else getattr(value, name, None)
            return value
        case _:
            raise AssertionError(f"{operand!r} is not evaluated here")
