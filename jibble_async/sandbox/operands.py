"""The two sides of a comparison: values of a kind, and which kinds can be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from jibble_async.sandbox.errors import bad_request
from jibble_async.sandbox.functions import TEXTS
from jibble_async.sandbox.scalars import instant_key, is_guid, parse_duration, parse_instant
from jibble_async.sandbox.search import Conditions, Wanted

if TYPE_CHECKING:
    from jibble_async.sandbox.entity_types import Kind, Row
    from jibble_async.sandbox.paths import Resolved
    from jibble_async.sandbox.syntax import Constant


@dataclass(frozen=True, slots=True)
class Operand:
    """An expression ready to run.

    Args:
        read: Its value for a row.
        kind: Of what kind that is.
        constant: Whether it is the same for every row.
        path: The property that it is, if it is one.
        wanted: What it says of single properties when it is true.
    """

    read: Callable[[Row], Any]
    kind: Kind
    constant: bool = False
    path: Resolved | None = None
    wanted: Conditions = field(default_factory=dict[str, Wanted])


def literal(node: Constant) -> Operand:
    """The value of a literal.

    Raises:
        Refusal: 400, it is not valid.
    """
    text, kind = node.text, node.kind
    value: Any = text
    match kind:
        case "null":
            return Operand(lambda _: None, "any", constant=True)
        case "guid":
            value = text.lower()
        case "date":
            _checked(date.fromisoformat, text)
        case "instant":
            _checked(parse_instant, text)
            value = instant_key(text)
        case "duration":
            value = _checked(parse_duration, text).total_seconds()
        case "number":
            value = int(text) if text.isdigit() else float(text)
        case "bool":
            value = text.lower() == "true"
        case "time" | "text":
            pass
    return Operand(lambda _: value, kind, constant=True)


def _checked(read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except (ValueError, OverflowError) as error:
        raise bad_request(f"The literal {text!r} is not valid: {error}") from error


def fitted(left: Operand, right: Operand) -> tuple[Operand, Operand]:
    """Both sides as they can be compared; a 400 when their kinds can't be."""
    kinds = {left.kind, right.kind}
    if kinds & {"object", "list"} and "any" not in kinds:
        raise bad_request(f"A {left.kind} cannot be compared.")
    if len(kinds) > 1 and "enum" in kinds and kinds <= TEXTS:
        return _as_member(left, right), _as_member(right, left)
    if len(kinds) == 1 or "any" in kinds or kinds <= TEXTS:
        return left, right
    if kinds == {"guid", "text"}:
        return _as_guid(left), _as_guid(right)
    if kinds == {"date", "instant"} and (left if left.kind == "date" else right).constant:
        return _as_instant(left), _as_instant(right)
    raise bad_request(f"A {left.kind} cannot be compared with a {right.kind}.")


def _as_guid(side: Operand) -> Operand:
    if side.kind == "guid":
        return side
    value = side.read({}) if side.constant else None
    if not is_guid(value):
        raise bad_request(f"A guid cannot be compared with the text {value!r}.")
    return _constant(str(value).lower(), "guid")


def _as_instant(side: Operand) -> Operand:
    return _constant(f"{side.read({})}T00:00:00", "instant") if side.kind == "date" else side


def _as_member(side: Operand, other: Operand) -> Operand:
    if side.kind == "enum" or not side.constant or other.path is None:
        return side
    member = other.path.member(side.read({}))
    if member is None:
        raise bad_request(
            f"{side.read({})!r} is no member of the enumeration that it is compared with."
        )
    return _constant(member, "enum")


def _constant(value: Any, kind: Kind) -> Operand:
    return Operand(lambda _: value, kind, constant=True)
