"""`$filter` evaluated for real: odata-query parses it, a closure over rows comes out.

Null follows OData v4: `eq` and `ne` compare it, every order comparison with it is false, `and`,
`or` and `not` know three values, and a row stays only when the whole is true. Types are checked
before any row is read, as a typed server does, so a wrong filter fails on an empty set too.

A quoted GUID is accepted where a GUID is meant, for whether the service takes it is unknown. Values
of enums are not checked against a list either.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, cast

try:
    from odata_query import ast
    from odata_query.exceptions import ODataException
    from odata_query.grammar import ODataLexer, ODataParser
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError(
        'the sandbox needs: pip install "jibble-async[sandbox]"', name=_missing.name
    ) from _missing

from jibble_async.sandbox.errors import bad_request
from jibble_async.sandbox.functions import FUNCTIONS, TEXTS, divide, remainder
from jibble_async.sandbox.paths import Paths, reader
from jibble_async.sandbox.scalars import instant_key, is_guid, parse_duration, parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from jibble_async.sandbox.schema import EntityType, Kind, Row

_BARE = re.compile(
    r"('(?:[^']|'')*')|\bnot\(|(\bin\s*\()\s*('(?:[^']|'')*'|[^'(),]+?)\s*\)", re.IGNORECASE
)
_ORDER: dict[type, Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: divide,
    ast.Mod: remainder,
}
_LITERALS: dict[type, Kind] = {
    ast.Integer: "number",
    ast.Float: "number",
    ast.Boolean: "bool",
    ast.String: "text",
    ast.Time: "time",
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression ready to run: its reader of rows, its kind, its value when it is a literal."""

    read: Callable[[Row], Any]
    kind: Kind
    constant: bool = False


def parse_filter(text: str) -> Any:
    """The syntax tree of a `$filter`.

    Raises:
        Refusal: 400, the text is not a filter.
    """
    if not text:
        raise bad_request("The $filter is empty.")
    try:
        lexer, parser = cast("Any", ODataLexer()), cast("Any", ODataParser())
        return parser.parse(lexer.tokenize(_BARE.sub(_to_dialect, text)))
    except (ODataException, ValueError) as error:
        raise bad_request(f"The $filter {text!r} cannot be parsed: {error}") from error


def _to_dialect(match: re.Match[str]) -> str:
    # The parser wants `not (` and a comma in a list of one; the service's own takes both forms.
    if match[1] is not None:
        return match[1]
    if match[2] is not None:
        return f"{match[2]}{match[3]},)"
    return f"{match[0][:-1]} ("


def compile_filter(
    text: str, entity: EntityType, paths: Paths, now: Callable[[], str]
) -> Callable[[Row], Any]:
    """A function that is truthy for the rows that the filter keeps.

    Args:
        text: The `$filter`, decoded.
        entity: The type of the rows.
        paths: Reads properties of rows and of what they lead to.
        now: The instant of `now()`, as text.

    Raises:
        Refusal: 400, naming what cannot be parsed, is unknown, or does not fit its type.
    """
    compiled = _Compiler(entity, paths, now, {}).visit(parse_filter(text))
    if compiled.kind not in {"bool", "any"}:
        raise bad_request(f"The $filter {text!r} is {compiled.kind}, not true or false.")
    return compiled.read


class _Compiler:
    """Turns a tree into closures; `variables` are the lambda variables in sight."""

    def __init__(
        self,
        entity: EntityType,
        paths: Paths,
        now: Callable[[], str],
        variables: dict[str, EntityType | None],
    ) -> None:
        self._entity = entity
        self._paths = paths
        self._now = now
        self._variables = variables

    def visit(self, node: Any) -> Compiled:
        match node:
            case ast.Identifier() | ast.Attribute():
                return self._path(_segments(node))
            case ast.BoolOp():
                return self._logic(node)
            case ast.Compare():
                return self._compare(node)
            case ast.UnaryOp():
                return self._unary(node)
            case ast.BinOp():
                return self._arithmetic(node)
            case ast.Call():
                return self._call(node)
            case ast.CollectionLambda():
                return self._collection(node)
            case _:
                return _literal(node)

    def _path(self, segments: list[str]) -> Compiled:
        variable = segments[0]
        if variable in self._variables:
            element = self._variables[variable]
            if element is None or len(segments) == 1:
                keys = segments[1:]
                return Compiled(lambda scope: _dig(scope[f"${variable}"], keys), "any")
            inner = reader(self._paths.resolve(element, segments[1:]))
            return Compiled(lambda scope: inner.read(scope[f"${variable}"]), inner.kind)
        path = reader(self._paths.resolve(self._entity, segments))
        return Compiled(path.read, path.kind)

    def _logic(self, node: ast.BoolOp) -> Compiled:
        left, right = self._truth(node.left), self._truth(node.right)
        decisive = isinstance(node.op, ast.Or)

        def read(row: Row) -> bool | None:
            first = left(row)
            if first is decisive:
                return decisive
            second = right(row)
            if second is decisive:
                return decisive
            return None if first is None or second is None else not decisive

        return Compiled(read, "bool")

    def _truth(self, node: Any) -> Callable[[Row], bool | None]:
        compiled = self.visit(node)
        if compiled.kind not in {"bool", "any"}:
            raise bad_request(f"A {compiled.kind} stands where true or false is needed.")
        return compiled.read

    def _unary(self, node: ast.UnaryOp) -> Compiled:
        if isinstance(node.op, ast.Not):
            truth = self._truth(node.operand)

            def negated(row: Row) -> bool | None:
                value = truth(row)
                return None if value is None else not value

            return Compiled(negated, "bool")
        operand = self.visit(node.operand)
        if operand.kind not in {"number", "duration", "any"}:
            raise bad_request(f"A {operand.kind} has no negative.")

        def minus(row: Row) -> Any:
            value = operand.read(row)
            return None if value is None else -value

        return Compiled(minus, operand.kind)

    def _arithmetic(self, node: ast.BinOp) -> Compiled:
        left, right = self.visit(node.left), self.visit(node.right)
        for side in (left, right):
            if side.kind not in {"number", "any"}:
                raise bad_request(f"Arithmetic on a {side.kind} is not supported here.")
        apply = _ARITHMETIC[type(node.op)]

        def read(row: Row) -> Any:
            first, second = left.read(row), right.read(row)
            return None if first is None or second is None else apply(first, second)

        return Compiled(read, "number")

    def _compare(self, node: ast.Compare) -> Compiled:
        left = self.visit(node.left)
        if isinstance(node.comparator, ast.In):
            items = [_fitted(left, self.visit(item)) for item in cast("Any", node.right).val]
            wanted = {right.read({}) for _, right in items}
            plain = items[0][0].read
            return Compiled(lambda row: plain(row) in wanted, "bool")
        left, right = _fitted(left, self.visit(node.right))
        first, second = left.read, right.read
        if isinstance(node.comparator, ast.Eq | ast.NotEq):
            same = isinstance(node.comparator, ast.Eq)
            if right.constant:
                value = second({})
                if same:
                    return Compiled(lambda row: first(row) == value, "bool")
                return Compiled(lambda row: first(row) != value, "bool")
            return Compiled(lambda row: (first(row) == second(row)) is same, "bool")
        order = _ORDER[type(node.comparator)]

        def ordered(row: Row) -> bool:
            one, other = first(row), second(row)
            return one is not None and other is not None and order(one, other)

        return Compiled(ordered, "bool")

    def _call(self, node: ast.Call) -> Compiled:
        name = cast("Any", node.func).full_name().lower()
        if name == "now":
            return Compiled(lambda _: instant_key(self._now()), "instant")
        if name not in FUNCTIONS:
            raise bad_request(f"The function {name!r} is not supported here.")
        function, kind, takes = FUNCTIONS[name]
        arguments = [self.visit(argument) for argument in cast("list[Any]", node.args)]
        for argument, kinds in zip(arguments, takes, strict=False):
            if argument.kind not in kinds and argument.kind != "any":
                raise bad_request(f"{name}() does not take a {argument.kind}.")
        reads = [argument.read for argument in arguments]

        def read(row: Row) -> Any:
            values = [get(row) for get in reads]
            return None if None in values else function(*values)

        return Compiled(read, kind)

    def _collection(self, node: ast.CollectionLambda) -> Compiled:
        rows, element = self._paths.collection(self._entity, _segments(node.owner))
        if node.lambda_ is None:
            return Compiled(lambda row: bool(rows(row)), "bool")
        variable = node.lambda_.identifier.name
        inner = _Compiler(
            self._entity, self._paths, self._now, {**self._variables, variable: element}
        )
        condition = inner._truth(node.lambda_.expression)
        quantifier = any if isinstance(node.operator, ast.Any) else all

        def read(row: Row) -> bool:
            return quantifier(bool(condition({**row, f"${variable}": item})) for item in rows(row))

        return Compiled(read, "bool")


def _segments(node: Any) -> list[str]:
    if isinstance(node, ast.Identifier):
        return [cast("Any", node).full_name()]
    if isinstance(node, ast.Attribute):
        return [*_segments(node.owner), node.attr]
    raise bad_request("Only a property can be followed by '/'.")


def _dig(value: Any, keys: list[str]) -> Any:
    for key in keys:
        value = cast("Row", value).get(key) if isinstance(value, dict) else None
    return value


def _literal(node: Any) -> Compiled:
    kind: Kind
    value: Any
    match node:
        case ast.Null():
            return Compiled(lambda _: None, "any", constant=True)
        case ast.GUID():
            kind, value = "guid", node.val.lower()
        case ast.Date():
            kind, value = "date", _checked(date.fromisoformat, node.val) and node.val
        case ast.DateTime():
            kind, value = "instant", _checked(parse_instant, node.val) and instant_key(node.val)
        case ast.Duration():
            kind, value = "duration", _checked(parse_duration, node.val).total_seconds()
        case _ if type(node) in _LITERALS:
            kind, value = (
                _LITERALS[type(node)],
                node.py_val if type(node) is not ast.Time else node.val,
            )
        case _:
            raise bad_request(f"{type(node).__name__} is not supported here.")
    return Compiled(lambda _: value, kind, constant=True)


def _checked(read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except ValueError as error:
        raise bad_request(f"The literal {text!r} is not valid: {error}") from error


def _fitted(left: Compiled, right: Compiled) -> tuple[Compiled, Compiled]:
    """Both sides, a quoted GUID read as one; a 400 when their kinds cannot be compared."""
    kinds = {left.kind, right.kind}
    if kinds & {"object", "list"} and "any" not in kinds:
        raise bad_request(f"A {left.kind} cannot be compared.")
    if len(kinds) == 1 or "any" in kinds or kinds <= TEXTS:
        return left, right
    if kinds == {"guid", "text"}:
        sides = tuple(_as_guid(side) for side in (left, right))
        return sides[0], sides[1]
    raise bad_request(f"A {left.kind} cannot be compared with a {right.kind}.")


def _as_guid(side: Compiled) -> Compiled:
    if side.kind == "guid":
        return side
    value = side.read({}) if side.constant else None
    if not is_guid(value):
        raise bad_request(f"A guid cannot be compared with the text {value!r}.")
    lowered = str(value).lower()
    return Compiled(lambda _: lowered, "guid", constant=True)
