"""Queries as OData query options: `$filter`, `$select`, `$expand` and `$orderby`.

Conjunctions and disjunctions are always in parentheses, so precedence is never left to chance;
only around a whole filter may the caller have fewer or more of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from jibble_async.entities import Entity, ValueObject
from jibble_async.errors import ConfigurationError, NotSupportedError
from jibble_async.odata.literals import literal
from jibble_async.odata.names import spelt, wire_name
from jibble_async.query.clauses import Expand, Ordering
from jibble_async.query.expressions import (
    And,
    Between,
    Call,
    Comparison,
    Constant,
    Expression,
    FunctionName,
    InList,
    Not,
    Operand,
    Or,
    Path,
    Predicate,
    RawFilter,
    Worded,
)
from jibble_async.query.names import Name, target

__all__ = [
    "Grouped",
    "grouped",
    "render_expand",
    "render_filter",
    "render_order_by",
    "render_select",
]

_KEY = "id"
# The functions that OData calls by other names than the vocabulary does.
_FUNCTIONS: dict[FunctionName, str] = {"lower": "tolower", "upper": "toupper", "strip": "trim"}


class Grouped(Worded, frozen=True):
    """A condition in so many pairs of parentheses."""

    pairs: int


def grouped(expression: Expression, pairs: int) -> Expression:
    """A condition in exactly so many pairs of parentheses, which change nothing it means.

    For requests of the current API that have to be equal to others to the letter.

    Args:
        expression: The condition.
        pairs: How many; 0 leaves out those around a whole filter, but none that are needed where
            it is part of another.

    Raises:
        ConfigurationError: Fewer than none.

    Example:
        >>> where = grouped(T.time >= begin, 1)
    """
    if pairs < 0:
        raise ConfigurationError(f"grouped(…, {pairs}): at least 0 is needed")
    return Grouped(expression, pairs)


def render_filter(expression: Expression) -> str:
    """The `$filter` that means `expression`.

    Raises:
        ConfigurationError: A value that has no literal.
        NotSupportedError: An expression that OData has no words for.
    """
    if isinstance(expression, Grouped):
        return f"{'(' * expression.pairs}{_bare(expression.inner)}{')' * expression.pairs}"
    text = _bare(expression)
    return f"({text})" if _is_joined(expression) else text


def render_select(owner: type[ValueObject], names: Iterable[Name]) -> str:
    """The `$select` that asks for these fields of `owner`, and for its key in any case.

    Without the key an entity can't be read, nor a row be told from its repetition.
    """
    names = tuple(names)
    if issubclass(owner, Entity) and all(name.name != _KEY for name in names):
        names = (Name(_KEY, _KEY), *names)
    return ",".join(spelt(owner, name) for name in names)


def render_order_by(orderings: Iterable[Ordering]) -> str:
    """The `$orderby` that sorts so."""
    direction = {None: "", False: " asc", True: " desc"}
    return ",".join(_path(item.path) + direction[item.descending] for item in orderings)


def render_expand(owner: type[ValueObject], expands: Iterable[Expand]) -> str:
    """The `$expand` that brings these along with `owner`."""
    return ",".join(_expand(owner, item) for item in expands)


def _expand(owner: type[ValueObject], item: Expand) -> str:
    options: list[str] = []
    if item.selected:
        options.append(f"$select={render_select(item.entity, item.selected)}")
    if item.condition is not None:
        options.append(f"$filter={render_filter(item.condition)}")
    if item.ordering:
        options.append(f"$orderby={render_order_by(item.ordering)}")
    if item.top is not None:
        options.append(f"$top={item.top}")
    if item.expanded:
        options.append(f"$expand={render_expand(item.entity, item.expanded)}")
    name = spelt(owner, item.name)
    return f"{name}({';'.join(options)})" if options else name


def _bare(expression: Expression) -> str:
    """A condition without parentheses around it."""
    match expression:
        case Comparison(left, operator, right):
            label = str(left)
            return f"{_operand(left, label)} {operator} {_operand(right, label)}"
        case Between(operand, low, high):
            label = str(operand)
            name = _operand(operand, label)
            return f"{name} ge {literal(low, label)} and {name} le {literal(high, label)}"
        case InList(operand, values):
            # Not OData's `in`: nobody has been seen to use it against this API.
            label = str(operand)
            name = _operand(operand, label)
            return " or ".join(f"{name} eq {literal(value, label)}" for value in values)
        case Predicate(call):
            return _operand(call, str(call.operand))
        case Not(inner):
            part = _part(inner)
            return f"not {part}" if _is_enclosed(inner) else f"not ({part})"
        case And(parts):
            return " and ".join(_part(part) for part in parts)
        case Or(parts):
            return " or ".join(_part(part) for part in parts)
        case Grouped(inner):
            return _bare(inner)
        case RawFilter(text):
            return text
        case _:
            raise NotSupportedError(f"the current API has no words for {expression!r}")


def _is_joined(expression: Expression) -> bool:
    match expression:
        case And() | Or() | Between():
            return True
        case InList(_, values):
            return len(values) > 1
        case _:
            return False


def _is_enclosed(expression: Expression) -> bool:
    """Whether a condition has parentheses around it as part of another."""
    if isinstance(expression, Grouped):
        return expression.pairs > 0 or _is_enclosed(expression.inner)
    return _is_joined(expression) or isinstance(expression, RawFilter)


def _part(expression: Expression) -> str:
    """A condition as part of another, which it must not fall apart in."""
    if isinstance(expression, Grouped) and not expression.pairs:
        return _part(expression.inner)
    rendered = render_filter(expression)
    return f"({rendered})" if isinstance(expression, RawFilter) else rendered


def _operand(operand: Operand, label: str) -> str:
    match operand:
        case Path():
            return _path(operand)
        case Constant():
            return literal(operand, label)
        case Call(function, inner, arguments):
            rendered = [_operand(item, label) for item in (inner, *arguments)]
            return f"{_FUNCTIONS.get(function, function)}({','.join(rendered)})"


def _path(path: Path) -> str:
    steps: list[str] = []
    owner: type[ValueObject] | None = path.owner
    for name in path.names:
        if owner is None:
            raise NotSupportedError(f"{path} leads through a plain value")
        steps.append(wire_name(owner, name))
        owner = target(owner, name)
    return "/".join(steps)
