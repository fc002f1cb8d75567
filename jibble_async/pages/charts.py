"""What is drawn on pages, in percent of the width that there is: bars, and maps of days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from jibble_async.pages.words import day_words, minutes_words

__all__ = ["Cell", "HeatMap", "HeatRow", "Piece", "Tick", "heat_map", "pieces_of"]

_NOTHING = timedelta(0)
_DAY = timedelta(days=1)
# The least of each shade.
_SHADES = (_NOTHING, *(timedelta(hours=least) for least in (4, 6, 8, 10)))
_KEY = ("under 4 hours", "4 to 6", "6 to 8", "8 to 10", "10 and more")
_OFF = ("off", "time off")
# Days that have room beside each other with their numbers.
_ROOM = 45


@dataclass(frozen=True)
class Piece:
    """A piece of a bar.

    Args:
        kind: Its class, which has a colour.
        begin: Where it begins.
        length: How long it is.
    """

    kind: str
    begin: float
    length: float


@dataclass(frozen=True)
class Cell:
    """A day of a person."""

    kind: str
    x: float
    told: str


@dataclass(frozen=True)
class HeatRow:
    """The days of a person."""

    name: str
    cells: Sequence[Cell]
    total: str


@dataclass(frozen=True)
class Tick:
    """What stands above a day; a minor one is left out where it is narrow."""

    x: float
    text: str
    minor: bool


@dataclass(frozen=True)
class HeatMap:
    """Hours by person and day."""

    rows: Sequence[HeatRow]
    ticks: Sequence[Tick]
    width: float
    key: Sequence[tuple[str, str]]


def pieces_of(parts: Iterable[tuple[str, timedelta]], longest: timedelta) -> list[Piece]:
    """The pieces of a bar, one behind the other; what is nothing has none.

    Args:
        parts: The class and the length of each.
        longest: What takes the whole width.
    """
    begin, pieces = _NOTHING, list[Piece]()
    for kind, length in parts:
        if length > _NOTHING and longest:
            pieces.append(Piece(kind, begin / longest * 100, length / longest * 100))
            begin += length
    return pieces


def heat_map(
    rows: Iterable[tuple[str, Mapping[date, timedelta]]],
    since: date,
    until: date,
    off: Iterable[frozenset[date]] | None = None,
    words: Callable[[timedelta], str] = minutes_words,
) -> HeatMap:
    """A map of hours.

    Args:
        rows: Names, and the hours of days.
        since: The first day.
        until: The last day, included.
        off: The days of each row that are time off; drawn where there are no hours.
        words: How lengths of time are written.
    """
    number = (until - since).days + 1
    days = [since + place * _DAY for place in range(number)]
    width = 100 / number
    named = list(rows)
    away = [frozenset[date]()] * len(named) if off is None else list(off)
    drawn = [
        HeatRow(name, _cells(hours, free, days, width, words), words(sum(hours.values(), _NOTHING)))
        for (name, hours), free in zip(named, away, strict=True)
    ]
    step = -(-number // _ROOM)
    ticks = [
        Tick((place + 0.5) * width, str(day.day), place % (5 * step) != 0)
        for place, day in enumerate(days)
        if place % step == 0
    ]
    key = [(f"h{place}", told) for place, told in enumerate(_KEY, 1)]
    return HeatMap(drawn, ticks, width * 0.88, [*key, _OFF] if any(away) else key)


def _cells(
    hours: Mapping[date, timedelta],
    off: frozenset[date],
    days: Sequence[date],
    width: float,
    words: Callable[[timedelta], str],
) -> list[Cell]:
    cells: list[Cell] = []
    for place, day in enumerate(days):
        length = hours.get(day, _NOTHING)
        if length > _NOTHING:
            kind = f"h{sum(length >= least for least in _SHADES)}"
            told = f"{day_words(day)}: {words(length)}"
        elif day in off:
            kind, told = _OFF[0], f"{day_words(day)}: time off"
        else:
            continue
        cells.append(Cell(kind, place * width, told))
    return cells
