"""The page and what lies beside it: its numbers for programs and spreadsheets, and the id map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import asdict, replace

from jibble_async.errors import ConfigurationError
from jibble_legacy.migration.files.atomic import replacing
from jibble_legacy.migration.files.spreadsheets import id_cell, write_table
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.report.numbers import Numbers
from jibble_legacy.migration.report.page import page
from jibble_legacy.migration.report.side import write_side
from jibble_legacy.migration.report.verdict import judgement
from jibble_legacy.migration.states import Kind

__all__ = ["write_report"]

_ID_MAP = ("kind", "old_id", "new_id", "state")
_DIFFERENCE = ("old_id", "new_id", "verdict", "field", "was", "is", "why")
_TABLES: Mapping[str, str] = {
    "months": "report-months.csv",
    "people": "report-people.csv",
    "held_back": "report-held-back.csv",
    "gaps": "report-hours.csv",
}


def write_report(ledger: Ledger, folder: Path, numbers: Numbers) -> tuple[Numbers, list[str]]:
    """Write the page, its numbers, the id map and the side files.

    What is given is the numbers with what the side files hold, and the names of the files.

    Args:
        ledger: The migration's.
        folder: Where; it is made, for its owner alone, if it is not there.
        numbers: What the page says.

    Raises:
        ConfigurationError: A file can't be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        numbers = replace(numbers, homeless=write_side(ledger, folder))
        said = judgement(numbers)
        with replacing(folder / "report.html") as file:
            file.write(page(numbers))
        told = {"verdict": said, "numbers": numbers}
        with replacing(folder / "report.json") as file:
            file.write(msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")
    except OSError as error:
        raise ConfigurationError(f"{error.filename} can't be written: {error.strerror}") from error
    for field, name in _TABLES.items():
        _table(folder / name, getattr(numbers, field))
    write_table(folder / "report-differences.csv", _DIFFERENCE, _differences(ledger))
    write_table(folder / "id-map.csv", _ID_MAP, _ids(ledger))
    files = [
        "report.html",
        "report.json",
        *_TABLES.values(),
        "report-differences.csv",
        "id-map.csv",
    ]
    return numbers, [*files, *dict.fromkeys(each.file for each in numbers.homeless)]


def _table(path: Path, lines: Sequence[msgspec.Struct]) -> None:
    rows = [asdict(line) for line in lines]
    columns = list(rows[0]) if rows else []
    for row in rows:
        if "old_id" in row:
            row["old_id"] = id_cell(row["old_id"])
    write_table(path, columns, rows)


def _differences(ledger: Ledger) -> Iterator[Mapping[str, object]]:
    query = (
        "SELECT e.id, d.target, d.verdict, d.field, d.was, d.here, d.why FROM difference AS d "
        "LEFT JOIN entry AS e ON e.n = d.entry "
        "WHERE d.verification = (SELECT max(n) FROM verification WHERE ended IS NOT NULL)"
    )
    yield from _mapped(_DIFFERENCE, ledger.scan(query))


def _ids(ledger: Ledger) -> Iterator[Mapping[str, object]]:
    """Old and new ids of all kinds; those of entries that did not move have no new one."""
    things = (
        "SELECT s.kind, s.id, coalesce(r.target, t.target), t.decision FROM source AS s "
        "LEFT JOIN thing AS t ON t.n = s.n LEFT JOIN thing AS r ON r.n = t.root "
        "WHERE s.kind IN (?, ?, ?) ORDER BY s.n"
    )
    entries = (
        "SELECT 'timeentries', e.id, w.target, coalesce(w.state, q.reason) FROM entry AS e "
        "LEFT JOIN write AS w ON w.entry = e.n LEFT JOIN quarantine AS q ON q.entry = e.n"
    )
    yield from _mapped(_ID_MAP, ledger.scan(things, Kind.PERSON, Kind.ACTIVITY, Kind.CLIENT))
    yield from _mapped(_ID_MAP, ledger.scan(entries))


def _mapped(
    columns: Sequence[str], rows: Iterable[tuple[object, ...]]
) -> Iterator[Mapping[str, object]]:
    for row in rows:
        line = dict(zip(columns, row, strict=True))
        if line["old_id"] is not None:
            line["old_id"] = id_cell(str(line["old_id"]))
        yield line
