"""What a journal tells, whatever a crash left of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from jibble_async import ConfigurationError, ExportError
from jibble_async.export.journal.records import (
    Header,
    History,
    PageRead,
    Record,
    WindowRestarted,
    Written,
    line_of,
    read_lines,
)
from jibble_async.export.proof.plan import Partition

FOLDER = Path(".july.jsonl.export")
HEADER = Header(
    library="1",
    run="0123abcd",
    request={"what": "time_entries", "format": "jsonl"},
    account=None,
    mark="2026-07-01T00:00:00Z",
    partitions=[Partition(set="time_entries", index=index) for index in range(3)],
)


def written(partition: int, rows: int, place: str | None = None, pages: int = 1) -> Written:
    name = f"{partition}-{rows}"
    return Written(partition=partition, name=name, rows=rows, place=place, pages=pages)


def told(*records: Record) -> History:
    history = History.of([HEADER, *records], FOLDER)
    assert history is not None
    return history


RECORDS: list[Record] = [
    HEADER,
    PageRead(1),
    written(1, 20, "behind 20"),
    WindowRestarted(2),
    Written(partition=2),
]


def test_records_come_back_as_they_were() -> None:
    data = b"".join(map(line_of, RECORDS))
    assert read_lines(data, FOLDER) == (RECORDS, len(data))


@pytest.mark.parametrize("cut", range(1, len(line_of(RECORDS[2])) + 1))
def test_the_end_of_a_line_that_a_crash_cut_off_is_forgotten(cut: int) -> None:
    whole = b"".join(map(line_of, RECORDS[:2]))
    torn = whole + line_of(RECORDS[2])[:-cut]
    assert read_lines(torn, FOLDER) == (RECORDS[:2], len(whole))


def test_an_empty_journal_tells_nothing() -> None:
    assert read_lines(b"", FOLDER) == ([], 0)
    assert History.of([], FOLDER) is None


def test_a_window_goes_on_behind_its_last_part() -> None:
    window = told(written(1, 20, "behind 20"), written(1, 10, "behind 30")).windows[1]
    assert ([part.rows for part in window.parts], window.place, window.done) == (
        [20, 10],
        "behind 30",
        False,
    )


def test_a_window_without_a_place_is_done() -> None:
    history = told(written(0, 20), Written(partition=1))
    assert [window.done for window in history.windows] == [True, True, False]


def test_a_window_that_begins_again_has_nothing() -> None:
    window = told(written(1, 20, "behind 20", pages=2), WindowRestarted(1)).windows[1]
    assert (window.parts, window.place, window.done, window.lost) == ([], None, False, 2)


def test_pages_that_no_part_tells_of_are_lost() -> None:
    records = [PageRead(0), PageRead(0), written(0, 20, "behind 20", 2), PageRead(0), PageRead(2)]
    assert [window.lost for window in told(*records).windows] == [1, 0, 1]


def test_a_page_under_way_is_lost_only_if_its_window_begins_again() -> None:
    window = told().windows[0]
    window.take(PageRead(0))
    window.take(written(0, 20))
    assert window.lost == 0
    window.take(WindowRestarted(0))
    assert window.lost == 1


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([PageRead(0)], "does not begin with what is exported"),
        ([HEADER, HEADER], "don't fit together"),
        ([HEADER, PageRead(3)], "don't fit together"),
        ([HEADER, PageRead(-1)], "don't fit together"),
    ],
)
def test_lines_that_do_not_fit_together_are_refused(records: list[Any], message: str) -> None:
    with pytest.raises(ExportError, match=f"{message}; begin again without resume"):
        History.of(records, FOLDER)


@pytest.mark.parametrize("line", [b"{}", b"nonsense", b"\xff", b'{"type":"page"}', b"[" * 10_000])
def test_lines_of_somebody_else_are_refused(line: bytes) -> None:
    with pytest.raises(ExportError, match="its line 2 can't be read; begin again without resume"):
        read_lines(line_of(HEADER) + line + b"\n", FOLDER)


def test_another_version_of_the_journal_is_named() -> None:
    later = msgspec.structs.replace(HEADER, version=2)
    with pytest.raises(ExportError, match="has version 2, which this release can't go on with"):
        read_lines(line_of(later), FOLDER)
    unreadable = line_of(later).replace(b'"partitions"', b'"windows"')
    with pytest.raises(ExportError, match="has version 2"):
        read_lines(unreadable, FOLDER)


@pytest.mark.parametrize(
    ("library", "request_", "message"),
    [
        ("2", {}, "version was '1' and is '2'"),
        ("1", {"format": "csv"}, "format was 'jsonl' and is 'csv'"),
        ("1", {"columns": ["id"]}, r"columns was None and is \['id'\]"),
        ("1", {"what": "people", "format": "csv"}, "format was .*, what was 'time_entries'"),
    ],
)
def test_another_export_is_refused_with_what_differs(
    library: str, request_: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"{message}.* begin again without resume"):
        HEADER.require_same(FOLDER, library, {**HEADER.request, **request_})


def test_the_same_export_goes_on() -> None:
    HEADER.require_same(FOLDER, "1", {**HEADER.request, "columns": None})
