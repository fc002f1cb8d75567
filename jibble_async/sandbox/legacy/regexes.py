"""JavaScript's regular expressions, searched in bounded time.

Python's own engine tries one way after the other: `^(a+)+$` costs it twice as much with each
letter. It is asked only where that can't happen; what else there is goes through an automaton that
is in all of its states at once, so a search costs letters times states. Lookarounds and back
references it doesn't know: with more than one repetition beside them they are refused.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeAlias, cast

from jibble_async.sandbox.legacy.errors import bad_filter, crash

if TYPE_CHECKING:
    from collections.abc import Callable

# Pieces one behind the other: a letter or a group, and how often it may come.
_Alternatives: TypeAlias = list[list[tuple[object, int, int | None]]]

_DOLLAR = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
_TOKEN = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)|\[\^?(?:\\.|[^\]\\])*\]|\((?:\?(?::|=|!|<=|<!|<\w+>))?|[*+?]\??|\{\d+(?:,\d*)?\}\??|.",
    re.DOTALL,
)
_COUNT = re.compile(r"\{(\d+)(?:(,)(\d*))?\}")
_AHEAD = ("(?=", "(?!", "(?<=", "(?<!")
_AFFORDABLE = 1_000_000
_MOST_STATES = 1000


class Expression:
    """A pattern that can be searched for.

    Args:
        pattern: The expression, without slashes.
        flags: Of `i`, `g` and `m`.

    Raises:
        LegacyRefusal: 500 for no expression, 400 for one that is not evaluated here.
    """

    def __init__(self, pattern: str, flags: str) -> None:
        self._modes = re.ASCII | (re.MULTILINE if "m" in flags else 0)
        if "i" in flags:
            self._modes = self._modes & ~re.ASCII | re.IGNORECASE
        self._plain = self._compiled(pattern)
        self._ways = _ways(pattern)
        self._states: list[_State] | None = None
        if self._ways is None or self._ways > 1:
            self._states = _Parser(pattern, self._modes).states()

    def search(self, text: str) -> bool:
        """Whether the pattern is somewhere in a text."""
        ways = self._ways
        if self._states is None or (
            ways is not None and (len(text) + 1) ** (ways + 1) <= _AFFORDABLE
        ):
            return self._plain.search(text) is not None
        return _run(self._states, text, bool(self._modes & re.MULTILINE))

    def _compiled(self, pattern: str) -> re.Pattern[str]:
        if not self._modes & re.MULTILINE:
            pattern = _DOLLAR.sub(lambda part: r"\Z" if part[0] == "$" else part[0], pattern)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return re.compile(pattern, self._modes)
        except (re.error, OverflowError, RecursionError) as error:
            raise crash(f"not a regular expression: {error}") from None


def _ways(pattern: str) -> int | None:
    """How many repetitions and alternatives multiply the ways; None if groups are repeated."""
    ways, before = 0, ""
    for sign in _TOKEN.findall(pattern):
        if sign[0] in "*+?" or _COUNT.match(sign):
            if before == ")":
                return None
            ways += 1
        elif sign == "|":
            ways += 1
        before = sign
    return ways


@dataclass(slots=True)
class _State:
    """One step: a letter that fits, a place that fits, or two ways to go on; none at the end."""

    fits: Callable[[str], bool] | None = None
    place: str = ""
    after: tuple[int, ...] = ()


class _Parser:
    """Makes the states of a pattern, from its end to its beginning."""

    def __init__(self, pattern: str, modes: int) -> None:
        self._tokens: list[str] = _TOKEN.findall(pattern)
        self._modes = modes
        self._made: list[_State] = []
        self._depth = 0

    def states(self) -> list[_State]:
        """The states; the first is where a search begins, state 0 of the list is its end."""
        end = self._add(_State())
        self._made.append(_State(after=(self._alternatives(self._read(), end),)))
        return self._made

    def _add(self, state: _State) -> int:
        if len(self._made) >= _MOST_STATES:
            _refuse("too long")
        self._made.append(state)
        return len(self._made) - 1

    def _read(self) -> _Alternatives:
        """Alternatives of pieces up to the end of a group, each with how often it may come."""
        self._depth += 1
        if self._depth > 50:
            _refuse("nested too deep")
        alternatives: _Alternatives = [[]]
        while self._tokens and (sign := self._tokens.pop(0)) != ")":
            if sign == "|":
                alternatives.append([])
                continue
            piece: object = sign
            if sign.startswith("("):
                if sign in _AHEAD:
                    _refuse("a lookaround")
                piece = self._read()
            elif sign[0] == "\\" and sign[1:2].isdigit() and sign != "\\0":
                _refuse("a back reference")
            alternatives[-1].append((piece, *self._count()))
        self._depth -= 1
        return alternatives

    def _count(self) -> tuple[int, int | None]:
        sign = self._tokens[0] if self._tokens else ""
        match = _COUNT.match(sign)
        if (match is None and sign[:1] not in {"*", "+", "?"}) or not sign:
            return 1, 1
        self._tokens.pop(0)
        if match is None:
            least = int(sign[0] == "+")
            return least, 1 if sign[0] == "?" else None
        low = int(match[1])
        high = low if match[2] is None else int(match[3]) if match[3] else None
        if max(low, high or 0) > _MOST_STATES:
            _refuse("too long")
        return low, high

    def _alternatives(self, alternatives: _Alternatives, after: int) -> int:
        begins: list[int] = []
        for pieces in alternatives:
            place = after
            for piece, low, high in reversed(pieces):
                place = self._repeated(piece, low, high, place)
            begins.append(place)
        return begins[0] if len(begins) == 1 else self._add(_State(after=tuple(begins)))

    def _repeated(self, piece: object, low: int, high: int | None, after: int) -> int:
        place = after
        if high is None:
            place = self._add(_State())
            self._made[place].after = (self._piece(piece, place), after)
        for _ in range((high or low) - low):
            place = self._add(_State(after=(self._piece(piece, place), after)))
        for _ in range(low):
            place = self._piece(piece, place)
        return place

    def _piece(self, piece: object, after: int) -> int:
        if isinstance(piece, list):
            return self._alternatives(cast("_Alternatives", piece), after)
        sign = str(piece)
        if sign in {"^", "$", r"\b", r"\B"}:
            return self._add(_State(place=sign, after=(after,)))
        literal = sign if len(sign) > 1 or sign == "." else re.escape(sign)
        try:
            fits = re.compile(literal, self._modes).fullmatch
        except re.error:
            _refuse(f"the escape {sign}")
        return self._add(_State(fits=lambda letter: fits(letter) is not None, after=(after,)))


def _run(states: list[_State], text: str, multiline: bool) -> bool:
    """Whether the last of the states leads to the first somewhere in a text."""
    begin = len(states) - 1
    current = {begin}
    for at in range(len(text) + 1):
        before, letter = text[at - 1 : at] if at else "", text[at : at + 1]
        reached = _closed(states, current | {begin}, before, letter, multiline)
        if 0 in reached:
            return True
        current = {
            each.after[0]
            for each in map(states.__getitem__, reached)
            if each.fits is not None and letter and each.fits(letter)
        }
    return False


def _closed(
    states: list[_State], begun: set[int], before: str, letter: str, multiline: bool
) -> set[int]:
    """What can be reached without a letter."""
    reached, waiting = set(begun), list(begun)
    while waiting:
        state = states[waiting.pop()]
        if state.fits is None and (not state.place or _at(state.place, before, letter, multiline)):
            new = set(state.after) - reached
            reached |= new
            waiting += new
    return reached


def _at(place: str, before: str, letter: str, multiline: bool) -> bool:
    match place:
        case "^":
            return not before or (multiline and before == "\n")
        case "$":
            return not letter or (multiline and letter == "\n")
        case _:
            edge = _is_word(before) is not _is_word(letter)
            return edge is (place == r"\b")


def _is_word(letter: str) -> bool:
    return letter == "_" or (letter.isascii() and letter.isalnum())


def _refuse(why: str) -> NoReturn:
    raise bad_filter(f"This regular expression is not evaluated here: {why}")
