"""The sandbox's own grammar reads filters as odata-query does, where both take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser

from jibble_async.sandbox.errors import Refusal
from jibble_async.sandbox.syntax import (
    MAX_DEPTH,
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
from tests.support.chaos import examples

GUID = "5d3b37e7-64a8-411a-9a1e-056c149a13fc"


def plain(node: Node) -> Any:
    """A tree as nested tuples, with `and` and `or` of two at a time."""
    match node:
        case Constant(kind, text):
            return kind, text.lower() if kind in {"guid", "bool", "null"} else text
        case Path(segments):
            return "path", *segments
        case Call(name, arguments):
            return "call", name, *map(plain, arguments)
        case Unary(operator, operand):
            return operator, plain(operand)
        case Binary(operator, left, right):
            return operator, plain(left), plain(right)
        case Among(left, items):
            return "in", plain(left), *map(plain, items)
        case Logic(operator, parts):
            first, *rest = map(plain, parts)
            for part in rest:
                first = (operator, first, part)
            return first
        case Quantified(path, quantifier, variable, condition):
            inner = None if condition is None else plain(condition)
            return quantifier, plain(path), variable, inner


_NAMES = {
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Mod: "mod",
    ast.And: "and",
    ast.Or: "or",
    ast.Not: "not",
    ast.USub: "-",
}
_KINDS: dict[Any, str] = {
    ast.Integer: "number",
    ast.Float: "number",
    ast.Boolean: "bool",
    ast.String: "text",
    ast.Date: "date",
    ast.DateTime: "instant",
    ast.Time: "time",
    ast.Duration: "duration",
    ast.GUID: "guid",
}


def oracle(text: str) -> Any:
    lexer: Any = ODataLexer()
    parser: Any = ODataParser()
    return of_oracle(parser.parse(lexer.tokenize(text)))


def of_oracle(node: Any) -> Any:
    match node:
        case ast.Null():
            return "null", "null"
        case ast.Identifier():
            return "path", node.name
        case ast.Attribute():
            return *of_oracle(node.owner), node.attr
        case ast.BoolOp():
            return _NAMES[type(node.op)], of_oracle(node.left), of_oracle(node.right)
        case ast.Compare() if isinstance(node.comparator, ast.In):
            return "in", of_oracle(node.left), *map(of_oracle, node.right.val)
        case ast.Compare():
            return _NAMES[type(node.comparator)], of_oracle(node.left), of_oracle(node.right)
        case ast.BinOp():
            return _NAMES[type(node.op)], of_oracle(node.left), of_oracle(node.right)
        case ast.UnaryOp():
            return _NAMES[type(node.op)], of_oracle(node.operand)
        case ast.Call():
            return "call", node.func.full_name().lower(), *map(of_oracle, node.args)
        case ast.CollectionLambda():
            quantifier = "any" if isinstance(node.operator, ast.Any) else "all"
            inner = node.lambda_
            variable = "" if inner is None else inner.identifier.name
            condition = None if inner is None else of_oracle(inner.expression)
            return quantifier, of_oracle(node.owner), variable, condition
        case _:
            kind = _KINDS[type(node)]
            return kind, str(node.val).lower() if kind in {"guid", "bool"} else node.val


literals = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8).map(
        lambda text: "'" + text.replace("'", "''") + "'"
    ),
    st.integers(0, 10**9).map(str),
    st.decimals(0, 1000, places=2).map(str),
    st.sampled_from(
        [
            *("null", "true", "false", GUID, GUID.upper(), "2026-07-13", "12:30:00"),
            *("2026-07-13T02:00:00Z", "2026-07-13T02:00:00.1234567Z", "2026-07-13T02:00:00+05:30"),
            *("duration'PT8H'", "duration'-P1DT2H3M4.5S'"),
        ]
    ),
)
paths = st.sampled_from(
    ["note", "isManual", "person/fullName", "person/group/name", "nothing", "ornate"]
)
sums: st.SearchStrategy[str] = st.recursive(
    st.one_of(literals, paths, st.just("now()")),
    lambda inner: st.one_of(
        inner.map(lambda text: f"({text})"),
        st.tuples(st.sampled_from(["length", "tolower", "year", "round"]), inner).map(
            lambda parts: f"{parts[0]}({parts[1]})"
        ),
        st.tuples(inner, inner).map(lambda parts: f"concat({parts[0]},{parts[1]})"),
        st.tuples(inner, st.sampled_from(["add", "sub", "mul", "div", "mod"]), inner).map(" ".join),
    ),
    max_leaves=3,
)
comparisons = st.one_of(
    st.tuples(sums, st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"]), sums).map(" ".join),
    st.tuples(paths, st.lists(literals, min_size=2, max_size=4)).map(
        lambda parts: f"{parts[0]} in ({', '.join(parts[1])})"
    ),
    st.just("kiosks/any(k: k/kioskId eq null)"),
    st.just("managers/all(m: m/managerId ne null or m/x)"),
    st.just("members/any()"),
)
conditions: st.SearchStrategy[str] = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"not ({text})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
        st.tuples(inner, st.just("and"), inner, st.just("or"), inner).map(" ".join),
    ),
    max_leaves=4,
)


# The oracle takes its time.
@examples(60)
@given(conditions)
def test_a_filter_means_what_the_oracle_makes_of_it(text: str) -> None:
    assert plain(parse_filter(text)) == oracle(text)


WORDS = (
    *("note", "5", "'x'", "null", GUID, "2026-07-13", "(", ")", ",", "-", "eq", "and", "or", "not"),
    *("in", "add", "mul", "length(", "any(x:", "/", "person/fullName", "2026-07-13T02:00:00Z"),
)


@examples(200)
@given(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join))
def test_what_both_take_means_the_same(text: str) -> None:
    try:
        mine = plain(parse_filter(text))
    except Refusal:
        return
    try:
        others = oracle(text)
    except (ODataException, ValueError, KeyError, AttributeError, TypeError):
        return
    # The oracle lets `not` and `-` take in what follows; the protocol binds them to what is next.
    if "not" not in text and "-" not in text.split():
        assert mine == others


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("(a eq 1)and(b eq 2)or(c eq 3)", "(a eq 1) and (b eq 2) or (c eq 3)"),
        ("(a eq 1 and b eq 2)or (c eq 3)", "(a eq 1 and b eq 2) or (c eq 3)"),
        ("not(a eq 1)", "not (a eq 1)"),
        ("a in('x','y')", "a in ('x', 'y')"),
        ("a in ('x')", "a in ('x',)"),
        ("  a\teq\n1  ", "a eq 1"),
        ("a EQ 1 AND NOT (b NE NULL)", "a eq 1 and not (b ne null)"),
        ("length( a )eq 1", "length(a) eq 1"),
    ],
)
def test_blanks_and_case_do_not_matter(text: str, same: str) -> None:
    assert plain(parse_filter(text)) == plain(parse_filter(same))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "a eq 1and b eq 2",
            "a eq 1 andb eq 2",
            "a eq 1 orb",
            "a eqb",
            "a inb (1)",
            "a eq1",
            "aeq 1",
            "a eq 'x",
            "a eq x'",
            "a eq 1 and",
            "and a",
            "()",
        ),
        *(
            "a eq 1 b",
            "a == 1",
            "a eq 1 or or b",
            "a in ()",
            "a in 'x'",
            "a in",
            "f(a,)",
            "a/",
            "/a",
        ),
        *(
            "a eq 2026-07-13T",
            "a eq 2026-7-13",
            "a eq 5d3b37e7-64a8-411a-9a1e-056c149a13f",
            "a eq 1.2.3",
        ),
        *(
            "a eq duration'PT1H",
            "a eq 0x10",
            "a eq 1,2",
            "a;b",
            "$it eq 1",
            "a any(x: x)",
            "a eq 'x''",
        ),
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="parsed"):
        parse_filter(text)


NESTED: list[Callable[[int], str]] = [
    lambda depth: "(" * depth + "a eq 1" + ")" * depth,
    lambda depth: "not " * depth + "a",
    lambda depth: "- " * depth + "1 eq 1",
    lambda depth: "length(" * depth + "a" + ")" * depth + " eq 1",
    lambda depth: "a" + "/b" * depth,
    lambda depth: "1 " + "add 1 " * depth + "eq 2",
    lambda depth: "(a or " * depth + "a" + " and b)" * depth,
    lambda depth: "x/any(y: " * depth + "a" + ")" * depth,
]


@pytest.mark.parametrize("nested", NESTED)
def test_nothing_grows_without_bounds(nested: Callable[[int], str]) -> None:
    parse_filter(nested(10))
    try:
        tree = parse_filter(nested(5_000))
    except Refusal:
        return
    assert tree.depth <= MAX_DEPTH


def test_long_lists_are_not_deep() -> None:
    alternatives = " or ".join(f"a eq {number}" for number in range(600))
    assert parse_filter(alternatives).depth < 5
    tree = parse_filter(f"a in ({','.join(map(str, range(600)))})")
    assert isinstance(tree, Among)
    assert len(tree.items) == 600


@pytest.mark.parametrize(
    "text", ["id in (" + " " * 5_000, "id in (" + " " * 5_000 + "x", "'" * 5_001]
)
def test_a_long_beginning_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        parse_filter(text)
