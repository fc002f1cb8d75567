"""Tables for people with a spreadsheet: written so that Excel shows them, read as Excel saves them.

Written: UTF-8 with a BOM, comma, no cell that a spreadsheet would take for a formula, ids with
`id:` before them, since `12345E6789` would become a number. Read: comma, semicolon or tab, UTF-8
with or without a BOM, UTF-16 with one, lines and columns in any order. Whatever can't be read is
said with its line, and then nothing of the file is used.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TextIO

import msgspec

from jibble_async.errors import ConfigurationError
from jibble_legacy.migration.files.atomic import replacing

__all__ = [
    "Flaws",
    "Line",
    "day_of",
    "id_cell",
    "moment_of",
    "open_table",
    "read_table",
    "write_table",
]

# What makes a formula of a cell; the wide ones do so in East Asia.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")
_MARK = "id:"
_SHOWN_FLAWS = 20
_ISO_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})$")
_DOTTED_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})$")
_SLASHED_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})$")


_YEARS = range(1900, 2200)
"""Others are mistyped, or mean for ever; and no clock shows the moments beside the last of all."""


class Flaws:
    """What is wrong in the files, until all of it is said at once."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def add(self, file: str, line: int, what: str) -> None:
        """Note that a line can't be used.

        Args:
            file: The file's name.
            line: The line's number, from 1; 0 if the file no longer has it.
            what: What is wrong, and the way out.
        """
        place = f"line {line}" if line else "as it once said"
        self._found.append(f"{file}, {place}: {what}")

    def stop(self) -> None:
        """Go on if nothing was found.

        Raises:
            ConfigurationError: Something was; all of it is named.
        """
        if not self._found:
            return
        shown = self._found[:_SHOWN_FLAWS]
        if len(self._found) > len(shown):
            shown.append(f"and {len(self._found) - len(shown)} more")
        raise ConfigurationError("nothing was read of the files:\n" + "\n".join(shown))


class Line(msgspec.Struct, frozen=True):
    """One line of a table.

    Attributes:
        number: Where it begins in the file, from 1.
        old_id: What it is about; empty if it does not say.
        cells: What stands in the columns that are asked for; empty ones are the empty text.
        more: What stands in columns that nobody here knows, without empty ones.
    """

    number: int
    old_id: str
    cells: Mapping[str, str]
    more: Mapping[str, str]

    @property
    def says_something(self) -> bool:
        """Whether anything stands in it that people wrote."""
        return any(self.cells.values()) or bool(self.more)


def id_cell(old_id: str) -> str:
    """How an id of the old account is written, so that no spreadsheet takes it for a number."""
    return f"{_MARK}{old_id}"


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a table in place of the one that is there, whole or not at all.

    Args:
        path: The file.
        columns: The headings, in their order.
        rows: A value for each heading; what is missing or None is an empty cell.

    Raises:
        ConfigurationError: The file can't be written, as while Excel has it open.
    """
    with replacing(path, "utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_harmless(row.get(column)) for column in columns])


def read_table(
    path: Path, asked: Sequence[str], told: Sequence[str], flaws: Flaws
) -> Iterator[Line]:
    """The lines of a table, one after the other; none if there is no such file.

    Args:
        path: The file.
        asked: The columns that people fill in; all must be there, since what is not said takes back
            what was.
        told: The columns that tell something, which are not read, but for `old_id`.
        flaws: Where it is noted what can't be read.

    Raises:
        ConfigurationError: The file can't be opened.
    """
    file = open_table(path)
    if file is None:
        return
    with file:
        is_utf16 = file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
        file.seek(0)
        with io.TextIOWrapper(file, "utf-16" if is_utf16 else "utf-8-sig", newline="") as text:
            try:
                yield from _lines(path.name, text, asked, told, flaws)
            except UnicodeDecodeError:
                what = "is not UTF-8: save the file as `CSV UTF-8`"
                flaws.add(path.name, _unreadable_line(path), what)


def open_table(path: Path) -> io.BufferedReader | None:
    """The bytes of a table; None if there is no such file.

    Args:
        path: The file.

    Raises:
        ConfigurationError: It can't be opened, as while Excel has it open on some systems.
    """
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be read ({error.strerror}): close it if a program has it open"
        ) from error


def day_of(text: str) -> date | None:
    """A day as people and spreadsheets write it; None if it can't be told which.

    `7/8/2026` is one day in Boston and another in London, so nobody knows which it is.
    """
    for pattern, order in ((_ISO_DAY, (0, 1, 2)), (_DOTTED_DAY, (2, 1, 0))):
        if found := pattern.fullmatch(text):
            parts = [int(found.groups()[place]) for place in order]
            return _day(*parts)
    if found := _SLASHED_DAY.fullmatch(text):
        first, second, year = (int(part) for part in found.groups())
        if first > 12 >= second or first == second:
            return _day(year, second, first)
        if second > 12 >= first:
            return _day(year, first, second)
    return None


def moment_of(text: str) -> datetime | None:
    """A moment as people and spreadsheets write it, naive without an offset; None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        return moment if moment.year in _YEARS else None
    day_text, _, clock = text.partition(" ")
    day = day_of(day_text)
    if day is None or not clock:
        return None
    hour, _, rest = clock.strip().partition(":")
    try:
        return datetime.fromisoformat(f"{day.isoformat()}T{hour:0>2}:{rest}")
    except ValueError:
        return None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year in _YEARS else None
    except ValueError:
        return None


def _harmless(value: object) -> str:
    text = "" if value is None else str(value)
    # A lone dash means "none" in a mapping, and no spreadsheet counts with it.
    return f"'{text}" if text.startswith(_FORMULA) and text != "-" else text


def _meant(cell: str) -> str:
    text = cell.strip()
    return text[1:].strip() if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _unreadable_line(path: Path) -> int:
    """The first line that is not UTF-8."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                raw.decode()
            except UnicodeDecodeError:
                return number
    return 1


def _lines(
    name: str, text: TextIO, asked: Sequence[str], told: Sequence[str], flaws: Flaws
) -> Iterator[Line]:
    first, skipped = _first(text)
    known = {*asked, *told}
    delimiter = max(",;\t", key=lambda mark: _headings(first, mark, known))
    reader = csv.reader(itertools.chain([first], text), delimiter=delimiter, strict=True)
    heading: list[str] | None = None
    begin = skipped
    try:
        for row in reader:
            number, begin = begin + 1, reader.line_num + skipped
            cells = [_meant(cell) for cell in row]
            if not any(cells):
                continue
            if "\0" in "".join(cells):
                flaws.add(name, number, "holds NUL characters: save the file as `CSV UTF-8`")
                return
            if heading is None:
                heading = _heading(name, number, cells, known, asked, flaws)
                if heading is None:
                    return
            elif _has_stray_cell(heading, cells):
                flaws.add(name, number, "has a cell without a heading: give it one, or empty it")
            else:
                yield _line(number, dict(zip(heading, cells, strict=False)), asked, told)
    except csv.Error as error:
        flaws.add(name, begin + 1, f"can't be split into cells ({error}): mend its quotes")


def _first(text: TextIO) -> tuple[str, int]:
    """The line of the headings, and how many lines are before it."""
    skipped = 0
    for line in text:
        # The second is what Excel understands, and some programs write.
        if line.strip(' \t\r\n,;"') and line.strip().lower() not in {"sep=,", "sep=;", "sep="}:
            return line, skipped
        skipped += 1
    return "", skipped


def _headings(line: str, delimiter: str, known: set[str]) -> int:
    return sum(cell.strip('" \r\n').lower() in known for cell in line.split(delimiter))


def _has_stray_cell(heading: Sequence[str], cells: Sequence[str]) -> bool:
    titled = zip(heading, cells, strict=False)
    return any(cells[len(heading) :]) or any(cell for title, cell in titled if not title)


def _heading(
    name: str, number: int, cells: list[str], known: set[str], asked: Sequence[str], flaws: Flaws
) -> list[str] | None:
    titles = [cell.lower() if cell.lower() in known else cell for cell in cells]
    for title in titles:
        if title and titles.count(title) > 1:
            flaws.add(name, number, f"the heading has the column {title!r} twice: rename one")
            return None
    for title in ("old_id", *asked):
        if title not in titles:
            flaws.add(name, number, f"the heading has no column {title!r}: put it back")
            return None
    return titles


def _line(number: int, row: dict[str, str], asked: Sequence[str], told: Sequence[str]) -> Line:
    known = {*asked, *told, ""}
    return Line(
        number,
        row.get("old_id", "").removeprefix(_MARK),
        {column: row.get(column, "") for column in asked},
        {title: cell for title, cell in row.items() if cell and title not in known},
    )
