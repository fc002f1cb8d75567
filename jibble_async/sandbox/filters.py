"""`$filter` evaluated for real: of a tree a closure over rows is made, once for each query.

Null follows OData v4: `eq` and `ne` compare it, every order comparison with it is false, `and`,
`or` and `not` know three values, and a row stays only when the whole is true. Types are checked
before any row is read, as a typed server does, so a wrong filter fails on an empty set too: a
quoted date, and a word that is no member of an enumeration, are refused (observed: literals).

A day where an instant is meant is that day's midnight in UTC, as the framework takes it (observed:
literals). A quoted GUID is accepted where a GUID is meant, for whether the service takes it is
unknown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from jibble_async.sandbox.errors import bad_request
from jibble_async.sandbox.functions import FUNCTIONS, OPTIONAL, divide, remainder
from jibble_async.sandbox.operands import Operand, fitted, literal
from jibble_async.sandbox.paths import Paths, Resolved, reader
from jibble_async.sandbox.scalars import instant_key
from jibble_async.sandbox.search import Conditions, Wanted, all_of
from jibble_async.sandbox.syntax import (
    Among,
    Binary,
    Call,
    Constant,
    Logic,
    Node,
    Path,
    Quantified,
    Unary,
    parse_filter,
)

if TYPE_CHECKING:
    from jibble_async.sandbox.entity_types import EntityType, Row

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": divide,
    "mod": remainder,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A `$filter` ready to run.

    Args:
        keep: Truthy for the rows that stay.
        wanted: What is known of single properties, for an index.
        sets: The other sets that it reads.
        timeless: Whether it means the same at any time.
    """

    keep: Callable[[Row], Any]
    wanted: Conditions
    sets: frozenset[str]
    timeless: bool

    def __call__(self, row: Row) -> Any:
        """Whether a row stays."""
        return self.keep(row)


def compile_filter(
    text: str, entity: EntityType, paths: Paths, now: Callable[[], str]
) -> Condition:
    """What a filter keeps.

    Args:
        text: The `$filter`, decoded.
        entity: The type of the rows.
        paths: Reads properties of rows and of what they lead to.
        now: The instant of `now()`, as text.

    Raises:
        Refusal: 400, naming what cannot be parsed, is unknown, or does not fit its type.
    """
    compiler = _Compiler(entity, paths, now)
    compiled = compiler.visit(parse_filter(text))
    if compiled.kind not in {"bool", "any"}:
        raise bad_request(f"The $filter {text!r} is {compiled.kind}, not true or false.")
    return Condition(
        compiled.read, compiled.wanted, frozenset(compiler.sets), timeless=compiler.timeless
    )


class _Compiler:
    """Turns a tree into closures; `variables` are the lambda variables in sight."""

    def __init__(self, entity: EntityType, paths: Paths, now: Callable[[], str]) -> None:
        self._entity = entity
        self._paths = paths
        self._now = now
        self._variables: dict[str, EntityType | None] = {}
        self.sets: set[str] = set()
        self.timeless = True

    def visit(self, node: Node) -> Operand:
        match node:
            case Constant():
                return literal(node)
            case Path():
                return self._path(list(node.segments))
            case Logic():
                return self._logic(node)
            case Binary():
                return (
                    self._arithmetic(node) if node.operator in _ARITHMETIC else self._compare(node)
                )
            case Among():
                return self._among(node)
            case Unary():
                return self._not(node) if node.operator == "not" else self._minus(node)
            case Call():
                return self._call(node)
            case Quantified():
                return self._quantified(node)

    def _path(self, segments: list[str]) -> Operand:
        variable = segments[0]
        if variable in self._variables:
            element = self._variables[variable]
            if element is None or len(segments) == 1:
                keys = segments[1:]
                return Operand(lambda scope: _dig(scope[f"${variable}"], keys), "any")
            inner = self._resolved(element, segments[1:])
            read = inner.read
            return Operand(lambda scope: read(scope[f"${variable}"]), inner.kind, path=inner)
        path = self._resolved(self._entity, segments)
        return Operand(path.read, path.kind, path=path)

    def _resolved(self, entity: EntityType, segments: list[str]) -> Resolved:
        resolved = reader(self._paths.resolve(entity, segments))
        self.sets.update(resolved.targets)
        return resolved if entity is self._entity else replace(resolved, name=None)

    def _logic(self, node: Logic) -> Operand:
        decisive = node.operator == "or"
        parts = [self._truth(part) for part in (_merged(node.parts) if decisive else node.parts)]
        if len(parts) == 1:
            return parts[0]
        tests = [part.read for part in parts]

        def read(row: Row) -> bool | None:
            unknown = False
            for test in tests:
                truth: bool | None = test(row)
                if truth is decisive:
                    return decisive
                unknown = unknown or truth is None
            return None if unknown else not decisive

        wanted = {} if decisive else all_of(part.wanted for part in parts)
        return Operand(read, "bool", wanted=wanted)

    def _truth(self, node: Node) -> Operand:
        compiled = self.visit(node)
        if compiled.kind not in {"bool", "any"}:
            raise bad_request(f"A {compiled.kind} stands where true or false is needed.")
        return compiled

    def _not(self, node: Unary) -> Operand:
        truth = self._truth(node.operand).read

        def negated(row: Row) -> bool | None:
            value = truth(row)
            return None if value is None else not value

        return Operand(negated, "bool")

    def _minus(self, node: Unary) -> Operand:
        operand = self.visit(node.operand)
        if operand.kind not in {"number", "duration", "any"}:
            raise bad_request(f"A {operand.kind} has no negative.")
        read = operand.read

        def minus(row: Row) -> Any:
            value = read(row)
            return None if value is None else -value

        return Operand(minus, operand.kind, operand.constant)

    def _arithmetic(self, node: Binary) -> Operand:
        left, right = self.visit(node.left), self.visit(node.right)
        for side in (left, right):
            if side.kind not in {"number", "any"}:
                raise bad_request(f"Arithmetic on a {side.kind} is not supported here.")
        apply = _ARITHMETIC[node.operator]

        def read(row: Row) -> Any:
            first, second = left.read(row), right.read(row)
            return None if first is None or second is None else apply(first, second)

        return Operand(read, "number")

    def _among(self, node: Among) -> Operand:
        left = self.visit(node.left)
        if left.kind in {"object", "list"}:
            raise bad_request(f"A {left.kind} cannot be compared with the items of a list.")
        items = [fitted(left, self.visit(item)) for item in node.items]
        if not all(right.constant for _, right in items):
            raise bad_request("The items of a list must be constants.")
        values = {right.read({}) for _, right in items}
        plain = items[0][0].read
        return Operand(lambda row: plain(row) in values, "bool", wanted=_listed(left, values))

    def _compare(self, node: Binary) -> Operand:
        left, right = fitted(self.visit(node.left), self.visit(node.right))
        first, second = left.read, right.read
        wanted: Conditions = {}
        value = second({}) if right.constant else None
        if right.constant and left.path is not None and left.path.name is not None:
            compared = Wanted.compared(node.operator, "" if value is None else str(value))
            wanted = {} if compared is None else {left.path.name: compared}
        if node.operator in {"eq", "ne"}:
            same = node.operator == "eq"
            if not right.constant:
                return Operand(lambda row: (first(row) == second(row)) is same, "bool")
            if same:
                return Operand(lambda row: first(row) == value, "bool", wanted=wanted)
            return Operand(lambda row: first(row) != value, "bool")
        order = _ORDER[node.operator]

        def ordered(row: Row) -> bool:
            one, other = first(row), second(row)
            return one is not None and other is not None and order(one, other)

        return Operand(ordered, "bool", wanted=wanted)

    def _call(self, node: Call) -> Operand:
        if node.name == "now":
            self.timeless = False
            return Operand(lambda _: instant_key(self._now()), "instant")
        if node.name not in FUNCTIONS:
            raise bad_request(f"The function {node.name!r} is not supported here.")
        function, kind, takes = FUNCTIONS[node.name]
        if not len(takes) - OPTIONAL.get(node.name, 0) <= len(node.arguments) <= len(takes):
            raise bad_request(f"{node.name}() does not take {len(node.arguments)} arguments.")
        arguments = [self.visit(argument) for argument in node.arguments]
        for argument, kinds in zip(arguments, takes, strict=False):
            if argument.kind not in kinds and argument.kind != "any":
                raise bad_request(f"{node.name}() does not take a {argument.kind}.")
        reads = [argument.read for argument in arguments]

        def read(row: Row) -> Any:
            values = [get(row) for get in reads]
            return None if None in values else function(*values)

        return Operand(read, kind)

    def _quantified(self, node: Quantified) -> Operand:
        rows, element, target = self._paths.collection(self._entity, node.path.segments)
        if target is not None:
            self.sets.add(target)
        if node.condition is None:
            if node.quantifier == "all":
                raise bad_request("all() needs a condition.")
            return Operand(lambda row: bool(rows(row)), "bool")
        variable, outer = node.variable, self._variables
        self._variables = {**outer, variable: element}
        condition = self._truth(node.condition).read
        self._variables = outer
        quantifier = any if node.quantifier == "any" else all

        def read(row: Row) -> bool:
            return quantifier(bool(condition({**row, f"${variable}": item})) for item in rows(row))

        return Operand(read, "bool")


def _merged(parts: tuple[Node, ...]) -> list[Node]:
    """Alternatives, with those that compare one property with constants as one list."""
    found: dict[tuple[str, ...], list[Node]] = {}
    for part in parts:
        match part:
            case Binary("eq", Path(segments), Constant(kind) as constant) if kind != "null":
                found.setdefault(tuple(map(str.lower, segments)), []).append(constant)
            case _:
                found.setdefault(("", str(len(found))), []).append(part)
    return [
        Among(Path(path), tuple(nodes), 0) if path[0] else nodes[0] for path, nodes in found.items()
    ]


def _listed(left: Operand, values: set[Any]) -> Conditions:
    if left.path is None or left.path.name is None:
        return {}
    keys = frozenset("" if value is None else str(value) for value in values)
    return {left.path.name: Wanted(keys)}


def _dig(value: Any, keys: list[str]) -> Any:
    for key in keys:
        value = cast("Row", value).get(key) if isinstance(value, dict) else None
    return value
