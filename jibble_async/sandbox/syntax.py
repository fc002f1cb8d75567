"""The text of a `$filter` as a tree.

The grammar takes what the service takes: no blanks are needed round `and` and `or` behind a
parenthesis (observed: literals), and words of the language may be written in any case. It cannot be
made to work long: the parser looks at each token once, and a tree that is deeper than `MAX_DEPTH`
is refused as it grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

try:
    from lark import Lark, Token, visitors
    from lark.exceptions import LarkError, UnexpectedInput
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError(
        'the sandbox needs: pip install "jibble-async[sandbox]"', name=_missing.name
    ) from _missing

from jibble_async.sandbox.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH = 100
"""How deep conditions may be nested, as the service's framework has it by default."""

LiteralKind: TypeAlias = Literal[
    "null", "guid", "date", "instant", "time", "duration", "number", "bool", "text"
]


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal, as it was written; a text without its quotes."""

    kind: LiteralKind
    text: str
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Path:
    """A property, or one of what it leads to."""

    segments: tuple[str, ...]
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments."""

    name: str
    arguments: tuple[Node, ...]
    depth: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`not`, or `-`."""

    operator: str
    operand: Node
    depth: int


@dataclass(frozen=True, slots=True)
class Binary:
    """A comparison, or arithmetic."""

    operator: str
    left: Node
    right: Node
    depth: int


@dataclass(frozen=True, slots=True)
class Among:
    """A comparison with each of a list."""

    left: Node
    items: tuple[Node, ...]
    depth: int


@dataclass(frozen=True, slots=True)
class Logic:
    """`and` or `or` of two or more conditions."""

    operator: str
    parts: tuple[Node, ...]
    depth: int


@dataclass(frozen=True, slots=True)
class Quantified:
    """`any` or `all` of a collection; without a condition, whether there is an element."""

    path: Path
    quantifier: str
    variable: str
    condition: Node | None
    depth: int


Node: TypeAlias = Constant | Path | Call | Unary | Binary | Among | Logic | Quantified

_GRAMMAR = r"""
?start: either
?either: both (_OR both)*
?both: comparison (_AND comparison)*
?comparison: sum
    | sum COMPARES sum -> binary
    | sum _IN "(" sum ("," sum)* [","] ")" -> among
?sum: product
    | sum ADDS product -> binary
?product: sign
    | product MULTIPLIES sign -> binary
?sign: "-" sign -> negative
    | _NOT sign -> negated
    | atom
?atom: "(" either ")"
    | NULL | BOOL | GUID | INSTANT | DATE | TIME | NUMBER | DURATION | TEXT
    | NAME "(" [either ("," either)*] ")" -> call
    | path
    | path "/" QUANTIFIER "(" [NAME ":" either] ")" -> quantified
path: NAME
    | path "/" NAME -> step

_OR.9: /or(?!\w)/i
_AND.9: /and(?!\w)/i
_NOT.9: /not(?!\w)/i
_IN.9: /in(?!\w)/i
COMPARES.9: /(eq|ne|lt|le|gt|ge)(?!\w)/i
ADDS.9: /(add|sub)(?!\w)/i
MULTIPLIES.9: /(mul|div|mod)(?!\w)/i
QUANTIFIER.9: /(any|all)(?=\s*\()/i
NULL.9: /null(?![\w\/(])/i
BOOL.9: /(true|false)(?![\w\/(])/i
GUID.8: /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-])/i
INSTANT.7: /\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,12})?)?(Z|[+-]\d\d:\d\d)?(?![\w:.+-])/i
DATE.6: /\d{4}-\d\d-\d\d(?![\w:.-])/
TIME.5: /\d\d:\d\d(:\d\d(\.\d{1,12})?)?(?![\w:.])/
NUMBER.4: /\d+(\.\d+)?(e[+-]?\d+)?(?![\w:.])/i
DURATION.4: /duration'[^']*'/i
TEXT.4: /'(?:[^']|'')*'/
NAME: /[^\W\d]\w*/
%ignore /\s+/
"""


def parse_filter(text: str) -> Node:
    """The syntax tree of a `$filter`.

    Raises:
        Refusal: 400, the text is not a filter.
    """
    if not text:
        raise bad_request("The $filter is empty.")
    try:
        return cast("Node", _parser().parse(text))
    except UnexpectedInput as error:
        message = f"The $filter {text!r} cannot be parsed at character {error.pos_in_stream}."
        raise bad_request(message) from error
    except LarkError as error:
        raise bad_request(f"The $filter {text!r} cannot be parsed: {error}") from error


@cache
def _parser() -> Any:
    lark = cast("Callable[..., Any]", Lark)
    return lark(_GRAMMAR, parser="lalr", transformer=_Tree(), maybe_placeholders=False)


def _over(*nodes: Node) -> int:
    """The depth of a node above others."""
    depth = 1 + max((node.depth for node in nodes), default=0)
    if depth > MAX_DEPTH:
        raise bad_request(f"The $filter is nested more than {MAX_DEPTH} levels deep.")
    return depth


def _joined(operator: str) -> Callable[..., Node]:
    def join(_: object, *parts: Node) -> Node:
        return Logic(operator, parts, _over(*parts))

    return join


def _literal(kind: LiteralKind) -> Callable[..., Node]:
    def make(_: object, token: Token) -> Node:
        return Constant(kind, str(token))

    return make


_VISITORS: Any = visitors


@_VISITORS.v_args(inline=True)
class _Tree(_VISITORS.Transformer):  # type: ignore[misc]
    """Makes a node of each rule as soon as the parser has met it."""

    either = _joined("or")
    both = _joined("and")
    NULL = _literal("null")
    BOOL = _literal("bool")
    GUID = _literal("guid")
    INSTANT = _literal("instant")
    DATE = _literal("date")
    TIME = _literal("time")
    NUMBER = _literal("number")

    def DURATION(self, token: str) -> Node:  # noqa: N802
        return Constant("duration", token[len("duration'") : -1])

    def TEXT(self, token: str) -> Node:  # noqa: N802
        return Constant("text", token[1:-1].replace("''", "'"))

    def path(self, name: Token) -> Path:
        return Path((str(name),))

    def step(self, path: Path, name: Token) -> Path:
        return Path((*path.segments, str(name)), _over(path))

    def call(self, name: Token, *arguments: Node) -> Node:
        return Call(name.lower(), arguments, _over(*arguments))

    def negated(self, operand: Node) -> Node:
        return Unary("not", operand, _over(operand))

    def negative(self, operand: Node) -> Node:
        return Unary("-", operand, _over(operand))

    def binary(self, left: Node, operator: Token, right: Node) -> Node:
        return Binary(operator.lower(), left, right, _over(left, right))

    def among(self, left: Node, *items: Node) -> Node:
        return Among(left, items, _over(left, *items))

    def quantified(self, path: Path, quantifier: Token, *body: Any) -> Node:
        variable, condition = body or ("", None)
        depth = _over(path) if condition is None else _over(path, condition)
        return Quantified(path, quantifier.lower(), str(variable), condition, depth)
