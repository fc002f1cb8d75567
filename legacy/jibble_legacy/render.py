"""Queries as the old API's filters: `filter[where]`, `filter[include]` and `filter[order]`.

A condition is several fields, each with one operator, all of which must hold. The documented
operators are equality, `neq`, `gt`, `gte`, `lt`, `lte`, `between` and `like`. The server was built
on LoopBack (inferred), which drops a second operator on a field without a word (measured there):
two bounds become `between`, and whatever else would need one is refused. So is what would not mean
the same there: an absent value fails every operator but `neq`.

One relation to include, and one field to sort by, are documented. Several are written as LoopBack
takes them (measured there).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeAlias
from urllib.parse import unquote

from jibble_async.entities import TimeEntry, ValueObject
from jibble_async.errors import ConfigurationError, NotSupportedError
from jibble_async.query.clauses import Expand, Query
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
    Operator,
    Or,
    Path,
    Predicate,
    RawFilter,
    Worded,
)
from jibble_legacy.bounds import Bounds
from jibble_legacy.literals import ACTIONS, action, containing, ending, literal, starting
from jibble_legacy.names import field_name, relation_name

__all__ = ["render_options", "render_where"]

Pair: TypeAlias = tuple[str, str]
_Test: TypeAlias = tuple[Literal["", "[neq]", "[like]"], str] | Bounds

_PREFIX = "filter[where]["
_SYMBOLS: dict[Operator, str] = {
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
}  # fmt: skip
_PATTERNS: dict[FunctionName, Callable[[str], str]] = {
    "contains": containing,
    "startswith": starting,
    "endswith": ending,
}


def render_where(entity: type[ValueObject], expression: Expression) -> tuple[Pair, ...]:
    """The query options that mean `expression`.

    Args:
        entity: What the list holds.
        expression: The condition.

    Raises:
        ConfigurationError: A value that can't be sent.
        NotSupportedError: The old API can't say it.
    """
    raw: list[Pair] = []
    tests: dict[str, tuple[Path, _Test]] = {}
    for part in _parts(expression):
        if isinstance(part, RawFilter):
            raw += _raw_pairs(part.text)
            continue
        path = _field(part)
        name, test = field_name(entity, path), _test(part, str(path))
        known = tests.get(name)
        tests[name] = (path, test if known is None else _both(path, known[1], test))
    for name, _ in raw:
        field = name.removeprefix(_PREFIX).partition("]")[0]
        if field in tests:
            raise NotSupportedError(_once(tests[field][0]))
    pairs = [
        (f"{_PREFIX}{name}]{operator}", value)
        for name, (path, test) in tests.items()
        for operator, value in (test.render(path) if isinstance(test, Bounds) else [test])
    ]
    return (*pairs, *raw)


def render_options(query: Query) -> tuple[tuple[str, str], ...]:
    """The query options for what a query expands and sorts by.

    Raises:
        NotSupportedError: The old API has no words for it.
    """
    if query.select:
        names = ", ".join(name.name for name in query.select)
        raise NotSupportedError(
            f"the old API always sends whole objects: leave out select= (of {names})"
        )
    include = [_relation(query, item) for item in query.expand]
    order = [
        f"{field_name(query.entity, item.path)} {'DESC' if item.descending else 'ASC'}"
        for item in query.order_by
    ]
    return (*_numbered("filter[include]", include), *_numbered("filter[order]", order))


def _parts(expression: Expression) -> Iterator[Expression]:
    """The conditions that must all hold, without a negation where one has another operator."""
    match expression:
        case And(parts):
            for part in parts:
                yield from _parts(part)
        case Worded(inner):
            yield from _parts(inner)
        case Not(inner):
            yield from _negated(inner)
        case InList(operand, (value,)):
            yield Comparison(operand, "eq", value)
        case InList():
            raise _refusal(expression, "ask once for each value")
        case Or():
            raise _refusal(expression, "ask once for each alternative")
        case Comparison(Path() as path, "ne", Constant(value)) if _is_action(path):
            # No entry of the old API is a break, so each is none.
            if value in ACTIONS:
                yield expression
        case _:
            yield expression


def _negated(expression: Expression) -> Iterator[Expression]:
    """The conditions that must all hold where this one must not."""
    match expression:
        case Not(inner):
            yield from _parts(inner)
        case Worded(inner):
            yield from _negated(inner)
        case Or(parts):
            for part in parts:
                yield from _negated(part)
        case InList(operand, values):
            for value in values:
                yield from _parts(Comparison(operand, "ne", value))
        case Comparison(left, ("eq" | "ne") as operator, right):
            yield from _parts(Comparison(left, "ne" if operator == "eq" else "eq", right))
        case And():
            raise _refusal(Not(expression), "ask once for each alternative")
        case _:
            raise _refusal(Not(expression), "an entry without a value would not be found")


def _field(expression: Expression) -> Path:
    match expression:
        case (
            Comparison(Path() as path, _, Constant())
            | Between(Path() as path)
            | Predicate(Call(_, Path() as path))
        ):
            return path
        case _:
            raise _refusal(expression, "it compares a field with a value, and nothing else")


def _is_action(path: Path) -> bool:
    return issubclass(path.owner, TimeEntry) and path.names == ("type",)


def _test(expression: Expression, label: str) -> _Test:
    match expression:
        case Comparison(Path() as path, ("eq" | "ne") as operator, Constant() as right):
            value = action(right, label) if _is_action(path) else literal(right, label)
            return ("" if operator == "eq" else "[neq]", value)
        case Comparison(_, operator, Constant() as right):
            return Bounds.of(operator, right, label)
        case Between(_, low, high):
            return Bounds.of("ge", low, label).within(Bounds.of("le", high, label))
        case Predicate(Call(function, _, (Constant(str(part)),))):
            return ("[like]", _PATTERNS[function](part))
        case _:
            raise _refusal(expression, "it compares a field with a value, and nothing else")


def _both(path: Path, one: _Test, other: _Test) -> _Test:
    if isinstance(one, Bounds) and isinstance(other, Bounds):
        return one.within(other)
    if one == other:
        return one
    raise NotSupportedError(_once(path))


def _once(path: Path) -> str:
    return (
        f"the old API takes one condition on {path}, or a lower and an upper bound: "
        "filter what comes in Python for the rest"
    )


def _raw_pairs(text: str) -> Iterator[Pair]:
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        if not (equals and name.startswith(_PREFIX)):
            raise ConfigurationError(
                f"raw_filter({text!r}): for the old API write it as documented, "
                "filter[where][action]=1&filter[where][notes][like]=^A, and & in a value as %26"
            )
        yield unquote(name), unquote(value)


def _refusal(expression: Expression, advice: str) -> NotSupportedError:
    return NotSupportedError(
        f"the old API can't say {_said(expression)}: {advice}, or filter what comes in Python"
    )


def _said(expression: Expression) -> str:
    match expression:
        case Comparison(left, operator, right):
            return f"{_operand(left)} {_SYMBOLS[operator]} {_operand(right)}"
        case Between(operand, low, high):
            return f"{operand}.between({low.value!r}, {high.value!r})"
        case InList(operand, values):
            return f"{operand}.is_in({[value.value for value in values]!r})"
        case Predicate(call):
            return str(call)
        case Not(inner):
            return f"~({_said(inner)})"
        case Worded(inner):
            return _said(inner)
        case And(parts):
            return " & ".join(f"({_said(part)})" for part in parts)
        case Or(parts):
            return " | ".join(f"({_said(part)})" for part in parts)
        case _:
            return repr(expression)


def _operand(operand: Operand) -> str:
    return repr(operand.value) if isinstance(operand, Constant) else str(operand)


def _relation(query: Query, item: Expand) -> str:
    name = relation_name(query.entity, item.name.name)
    if item != Expand(item.name, item.entity):
        raise NotSupportedError(
            f"the old API expands {query.entity.__name__}.{item.name.name} as a whole: "
            f"write expand=[{item.name.name!r}]"
        )
    return name


def _numbered(name: str, values: list[str]) -> Iterable[tuple[str, str]]:
    if len(values) == 1:
        return [(name, values[0])]
    return [(f"{name}[{number}]", value) for number, value in enumerate(values)]
