"""The functions of `$filter`: what they take, what they give, and what they do.

Values are in the evaluator's own terms: text for texts, GUIDs, days and instant keys, numbers,
seconds for durations. Every function of null is null, so the functions here never see it.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from jibble_async.sandbox.entity_types import Kind

TEXTS: frozenset[Kind] = frozenset({"text", "enum"})
_DAYS: frozenset[Kind] = frozenset({"date", "instant"})
_CLOCKS: frozenset[Kind] = frozenset({"time", "instant"})
_NUMBERS: frozenset[Kind] = frozenset({"number"})
_INSTANTS: frozenset[Kind] = frozenset({"instant"})


def _digits(start: int, stop: int) -> Callable[[str], int]:
    def part(value: str) -> int:
        return int(value[start:stop])

    return part


def _clock_part(index: int) -> Callable[[str], int]:
    def part(value: str) -> int:
        return int(_clock(value).split(":")[index][:2])

    return part


def _day(value: str) -> str:
    return value[:10]


def _clock(value: str) -> str:
    return value.rpartition("T")[2]


def _fraction(value: str) -> float:
    return float(f"0.{value.partition('.')[2] or 0}")


def _same(value: float) -> float:
    return value


def _round(value: float) -> float:
    return math.floor(value + 0.5) if value >= 0 else math.ceil(value - 0.5)


def _substring(value: str, start: float, length: float | None = None) -> str:
    first = int(start)
    return value[first:] if length is None else value[first : first + int(length)]


def divide(left: float, right: float) -> float | None:
    """The quotient, whole for whole numbers as in OData; null for a division by zero."""
    if right == 0:
        return None
    quotient = left / right
    return int(quotient) if isinstance(left, int) and isinstance(right, int) else quotient


def remainder(left: float, right: float) -> float | None:
    """The remainder with the sign of the dividend; null for a division by zero."""
    return None if right == 0 else math.fmod(left, right)


FUNCTIONS: dict[str, tuple[Callable[..., Any], Kind, tuple[frozenset[Kind], ...]]] = {
    "contains": (operator.contains, "bool", (TEXTS, TEXTS)),
    "startswith": (str.startswith, "bool", (TEXTS, TEXTS)),
    "endswith": (str.endswith, "bool", (TEXTS, TEXTS)),
    "length": (len, "number", (TEXTS,)),
    "indexof": (str.find, "number", (TEXTS, TEXTS)),
    "substring": (_substring, "text", (TEXTS, _NUMBERS, _NUMBERS)),
    "tolower": (str.lower, "text", (TEXTS,)),
    "toupper": (str.upper, "text", (TEXTS,)),
    "trim": (str.strip, "text", (TEXTS,)),
    "concat": (operator.add, "text", (TEXTS, TEXTS)),
    "year": (_digits(0, 4), "number", (_DAYS,)),
    "month": (_digits(5, 7), "number", (_DAYS,)),
    "day": (_digits(8, 10), "number", (_DAYS,)),
    "hour": (_clock_part(0), "number", (_CLOCKS,)),
    "minute": (_clock_part(1), "number", (_CLOCKS,)),
    "second": (_clock_part(2), "number", (_CLOCKS,)),
    "fractionalseconds": (_fraction, "number", (_CLOCKS,)),
    "date": (_day, "date", (_INSTANTS,)),
    "time": (_clock, "time", (_INSTANTS,)),
    "totalseconds": (_same, "number", (frozenset({"duration"}),)),
    "round": (_round, "number", (_NUMBERS,)),
    "floor": (math.floor, "number", (_NUMBERS,)),
    "ceiling": (math.ceil, "number", (_NUMBERS,)),
}
OPTIONAL: dict[str, int] = {"substring": 1}
"""How many of a function's arguments may be left out, where any may."""
