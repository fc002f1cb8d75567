"""`filter[where]` evaluated as the framework and its MongoDB connector do, oddities included.

Of several operators on one declared property only the first in the framework's own order counts,
and on an undeclared one, such as `meta.appVer`, the first that was sent: the others are dropped
silently. `like` is an unanchored regular expression, `neq` and `nlike` also match what is absent,
a declared property's operand is coerced to its type, an undeclared one's stays text (all measured).
Values of different types are never equal nor in order, as in MongoDB.
"""

from __future__ import annotations

import re
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from jibble_async.sandbox.legacy.errors import bad_filter, crash
from jibble_async.sandbox.legacy.filters import documented_only, quoted, sequence
from jibble_async.sandbox.legacy.regexes import Expression
from jibble_async.sandbox.legacy.scalars import parse_date, parse_number
from jibble_async.sandbox.search import Conditions, Wanted
from jibble_async.sandbox.sorted_keys import TOP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.legacy.models import LegacyKind, Model
    from jibble_async.sandbox.legacy.rules import LegacyRules

Test: TypeAlias = "Callable[[Row], bool]"

# In the order in which the framework looks for them.
_OPERATORS = (
    "eq", "gt", "gte", "lt", "lte", "between", "inq", "nin", "neq", "like", "nlike", "regexp",
)  # fmt: skip
_UNDOCUMENTED = frozenset({"inq", "nin", "nlike", "regexp", "near", "options"})
_INDEXED = frozenset({"date", "text", "ref"})
_SPELLED = {"gte": "ge", "lte": "le"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
_LITERAL = re.compile(r"/(.+)/(\w*)", re.DOTALL)


def matcher(model: Model, where: dict[str, Any], rules: LegacyRules) -> Test:
    """The test that a row must pass.

    Args:
        model: What is asked for.
        where: The conditions.
        rules: Which operators are understood.

    Raises:
        LegacyRefusal: 400 for what the framework refuses, 500 for what it stumbles over.
    """
    _refuse_dollars(where)
    tests = [test for name, clause in where.items() for test in _tests(model, name, clause, rules)]
    if len(tests) == 1:
        return tests[0]
    return lambda row: all(test(row) for test in tests)


def conditions(model: Model, where: dict[str, Any]) -> Conditions:
    """What a where clause that `matcher` takes says of single properties, for an index.

    Args:
        model: What is asked for.
        where: The conditions.
    """
    found: Conditions = {}
    for name, clause in where.items():
        kind = model.properties.get(name)
        if kind not in _INDEXED:
            continue
        operator, operand = "eq", clause
        if isinstance(clause, dict):
            given = cast("dict[str, Any]", clause)
            if "near" in given:
                continue
            operator = _operator(given, declared=True)
            operand = given[operator]
        wanted = _wanted(operator, _operand(name, kind, operator, operand, clause))
        if wanted is not None:
            found[name] = wanted
    return found


def _wanted(operator: str, operand: Any) -> Wanted | None:
    """What an operator wants of a property that is kept as text; None if no range says it."""
    items = cast("list[object]", operand) if isinstance(operand, list) else [operand]
    if not all(isinstance(item, str) for item in items):
        return None
    values = cast("list[str]", items)
    match operator:
        case "inq":
            return Wanted(frozenset(values))
        case "between":
            return Wanted(low=(values[0],), high=(values[1], TOP))
        case _ if isinstance(operand, str):
            return Wanted.compared(_SPELLED.get(operator, operator), operand)
        case _:
            return None


def _tests(model: Model, name: str, clause: Any, rules: LegacyRules) -> Iterator[Test]:
    if name in {"and", "or"}:
        documented_only(name, rules)
        clauses = sequence(clause)
        if clauses is None or not all(isinstance(each, dict) for each in clauses):
            raise bad_filter(f"The {name} operator has invalid clauses {quoted(clause)}")
        inner = [matcher(model, each, rules) for each in clauses]
        join = all if name == "and" else any
        yield lambda row: join(test(row) for test in inner)
        return
    kind = model.properties.get(name)
    operator, operand = "eq", clause
    if isinstance(clause, dict):
        given = cast("dict[str, Any]", clause)
        for each in _UNDOCUMENTED & given.keys():
            documented_only(each, rules)
        if "near" in given:
            return
        operator = _operator(given, declared=kind is not None)
        operand = given[operator]
    flags = cast("dict[str, Any]", clause).get("options", "") if isinstance(clause, dict) else ""
    yield _test(name, kind, operator, _operand(name, kind, operator, operand, clause), flags)


def _operator(clause: dict[str, Any], *, declared: bool) -> str:
    known = [operator for operator in _OPERATORS if operator in clause]
    sent = [name for name in clause if name != "options"]
    chosen = known[0] if declared and known else sent[0] if sent else ""
    if chosen not in _OPERATORS:
        raise crash(f"unknown operator ${chosen}")
    return chosen


def _operand(name: str, kind: LegacyKind | None, operator: str, operand: Any, clause: Any) -> Any:
    def refused(why: str) -> Exception:
        return bad_filter(f"The {name} property has invalid clause {quoted(clause)}: {why}")

    if operator in {"between", "inq", "nin"}:
        items = sequence(operand)
        if items is None:
            raise refused("Value is not an array or object with sequential numeric indices")
        if operator == "between" and len(items) != 2:
            raise refused(f"Expected precisely 2 values, received {len(items)}")
        return [_coerced(kind, item) for item in items]
    if operator == "regexp":
        return _expression(operand, refused)
    if operator in {"like", "nlike"} and not isinstance(operand, str):
        raise refused("Expected a string or RegExp")
    if isinstance(operand, list):
        return [_coerced(kind, item) for item in cast("list[object]", operand)]
    return _coerced(kind, operand)


def _coerced(kind: LegacyKind | None, value: Any) -> object:
    """An operand as the declared type makes it."""
    if value is None or kind is None or kind == "object":
        return value
    if kind == "date":
        moment = parse_date(value)
        if moment is None:
            raise crash(f"not a date: {value!r}")
        return moment
    if kind == "number":
        number = parse_number(value) if isinstance(value, str) else value
        return value if number is None else number
    if kind == "bool":
        return value != "false" and bool(value)
    return quoted(value) if isinstance(value, bool | int | float) else value


def _test(name: str, kind: LegacyKind | None, operator: str, operand: Any, flags: str) -> Test:
    read = _reader(name)
    match operator:
        case "eq":
            return lambda row: _same(read(row), operand)
        case "neq":
            return lambda row: not _same(read(row), operand)
        case "inq":
            return lambda row: any(_same(read(row), each) for each in operand)
        case "nin":
            return lambda row: not any(_same(read(row), each) for each in operand)
        case "between":
            low, high = operand
            above, below = _ordered(ge, low), _ordered(le, high)
            return lambda row: above(value := read(row)) and below(value)
        case "gt" | "gte" | "lt" | "lte":
            ordered = _ordered(_COMPARE[operator], operand)
            return lambda row: ordered(read(row))
        case _:
            found = operand if operator == "regexp" else _searched(kind, operand, flags)
            wanted = operator != "nlike"
            return lambda row: found(read(row)) is wanted


def _reader(name: str) -> Callable[[Row], Any]:
    if "." not in name:
        return lambda row: row.get(name)
    outer, _, rest = name.partition(".")
    inner = _reader(rest)

    def read(row: Row) -> Any:
        value = row.get(outer)
        return inner(cast("Row", value)) if isinstance(value, dict) else None

    return read


def _same(value: Any, other: Any) -> bool:
    # To Python, but not to MongoDB, true equals 1.
    return value == other and isinstance(value, bool) is isinstance(other, bool)


def _ordered(compare: Callable[[Any, Any], bool], operand: Any) -> Callable[[Any], bool]:
    if isinstance(operand, str):
        return lambda value: isinstance(value, str) and compare(value, operand)
    if isinstance(operand, bool) or not isinstance(operand, int | float):
        return lambda _: False
    return lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and compare(value, operand)
    )


def _searched(kind: LegacyKind | None, pattern: Any, flags: str) -> Callable[[Any], bool]:
    # A pattern that starts with a quantifier is escaped there, and then tried as it is.
    text = str(pattern)
    expression = Expression(f"\\{text}" if text[:1] in {"*", "+", "?"} else text, flags)
    if kind == "date":
        return lambda _: False
    return lambda value: isinstance(value, str) and expression.search(value)


def _expression(operand: Any, refused: Callable[[str], Exception]) -> Callable[[Any], bool]:
    literal = _LITERAL.fullmatch(operand) if isinstance(operand, str) else None
    if not isinstance(operand, str) or not operand:
        raise refused("Expected a string or RegExp")
    text, flags = (literal[1], literal[2]) if literal else (operand, "")
    if set(flags) - set("igm"):
        raise refused("Invalid regex flags")
    expression = Expression(text, flags)
    return lambda value: isinstance(value, str) and expression.search(value)


def _refuse_dollars(node: object) -> None:
    if isinstance(node, dict):
        for name, value in cast("dict[str, Any]", node).items():
            if name.startswith("$"):
                raise bad_filter(
                    f"Operators not allowed in query: {name}", "OPERATOR_NOT_ALLOWED_IN_QUERY"
                )
            _refuse_dollars(value)
    elif isinstance(node, list):
        for value in cast("list[object]", node):
            _refuse_dollars(value)
