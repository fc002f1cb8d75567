"""Exports of the old API while rows are made, deleted and dated back."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async import ConfigurationError, Cursor, Pager, PaginationError, Unlimited
from jibble_async.api.base_client import session_of
from jibble_async.api.raw import raw_set_of
from jibble_async.core.paging import Paging
from jibble_async.export import ExportProgress
from tests.legacy.exports import entry_at, export, fewest, host_with, in_time, lines
from tests.support.chaos import examples
from tests.support.virtual_time import run


def test_entries_that_are_made_meanwhile_come_last(tmp_path: Path) -> None:
    host = host_with(350)
    rows = host.store.rows("timeentries")
    host.before = lambda number: host.store.add(
        "timeentries", entry_at(rows[0], 1000 + number, f"{number:016}")
    )
    report = export(host, tmp_path / "all.jsonl")
    assert report.reread_pages == 0
    assert lines(tmp_path / "all.jsonl") == in_time(host.store.wire("timeentries"))


def test_an_entry_that_is_deleted_meanwhile_costs_a_request(tmp_path: Path) -> None:
    host = host_with(350)
    first, *others = in_time(host.store.wire("timeentries"))

    def remove(number: int) -> None:
        if number == 3:
            host.store.remove("timeentries", first["id"])

    host.before = remove
    report = export(host, tmp_path / "all.jsonl")
    # The third page did not fit to the second, so it was asked for by its moment.
    assert len(host.ledger.requests) == fewest(350) + 1
    assert "gte" in host.ledger.requests[3].target
    assert (report.reread_pages, report.moved, report.rows) == (0, 1, 350)
    assert lines(tmp_path / "all.jsonl") == [first, *others]


def test_the_last_entry_read_is_deleted_among_others_of_its_moment(tmp_path: Path) -> None:
    host = host_with(250)
    rows = in_time(host.store.wire("timeentries"))
    moment = rows[99]["date"]
    for row in host.store.rows("timeentries"):
        if rows[95]["date"] <= row["date"] <= rows[104]["date"]:
            row["date"] = moment
    host.store.touch()
    tied = in_time(host.store.wire("timeentries"))

    def remove(number: int) -> None:
        if number == 2:
            host.store.remove("timeentries", tied[99]["id"])

    host.before = remove
    report = export(host, tmp_path / "all.jsonl")
    # Four that tie with it came twice.
    assert (report.reread_pages, report.moved, report.duplicates) == (0, 1, 4)
    assert lines(tmp_path / "all.jsonl") == tied


@pytest.mark.parametrize("later", [60, 150, 349])
def test_an_entry_that_is_moved_to_a_later_time_is_in_the_file_once_and_told(
    tmp_path: Path, later: int
) -> None:
    host = host_with(350)
    rows = host.store.rows("timeentries")
    before = in_time(host.store.wire("timeentries"))
    moved = before[20]["id"]

    def move(number: int) -> None:
        if number == 2:
            row = next(row for row in rows if row["id"] == moved)
            row["date"] = entry_at(row, later)["date"].replace("00.000Z", "30.000Z")
            host.store.touch()

    host.before = move
    report = export(host, tmp_path / "all.jsonl")
    got = [row["id"] for row in lines(tmp_path / "all.jsonl")]
    assert sorted(got) == sorted(row["id"] for row in before)
    # One that moved to a place that had been read is not met again.
    assert report.reread_pages == 0
    assert report.duplicates >= (later > 100)


def test_a_walk_whose_rows_moved_goes_on_from_its_cursor() -> None:
    host = host_with(500)
    before = in_time(host.store.wire("timeentries"))

    def change(number: int) -> None:
        if number == 2:
            host.store.remove("timeentries", in_time(host.store.wire("timeentries"))[0]["id"])

    host.before = change

    async def main() -> None:
        with pytest.MonkeyPatch.context() as patch:
            async with host.client(patch, limiter=Unlimited()) as legacy:
                raw = raw_set_of(legacy, "time_entries")
                paging = Paging(page_size=100, verify=True)
                session = session_of(legacy)
                rows: list[str] = []
                seen: list[tuple[int, str]] = []
                async for page in Pager(raw.pages, session, paging).pages():
                    rows += [key for key, _ in page.items]
                    seen.append((len(rows), str(page.cursor)))
                assert rows == [row["id"] for row in before]
                assert legacy.stats.moved == 1
                for given, cursor in seen:
                    resumed = msgspec.structs.replace(paging, resume_from=cursor)
                    if given == 100:
                        # From before rows moved: its seam does not fit.
                        with pytest.raises(PaginationError, match="moved"):
                            await Pager(raw.pages, session, resumed).collect()
                        continue
                    rest = await Pager(raw.pages, session, resumed).collect()
                    assert [key for key, _ in rest] == rows[given:]
                other = raw_set_of(legacy, "clients").pages
                with pytest.raises(ConfigurationError, match="another query"):
                    Pager(other, session, msgspec.structs.replace(paging, resume_from=cursor))
                for mark in ("", "x", "5", "-1 2018-01-01T00:00:00+00:00", "5 2018-01-01"):
                    bad = msgspec.structs.replace(Cursor.parse(cursor), mark=mark)
                    with pytest.raises(ConfigurationError, match="mark"):
                        Pager(raw.pages, session, msgspec.structs.replace(paging, resume_from=bad))

    run(main())


def test_rows_of_one_moment_are_read_again(tmp_path: Path) -> None:
    """More of them than a page holds: it can't be told by the moment where to go on."""
    host = host_with(250)
    for row in host.store.rows("timeentries"):
        row["date"] = "2018-01-01T00:00:00.000Z"
    host.store.touch()
    gone = in_time(host.store.wire("timeentries"))[0]["id"]

    def remove(number: int) -> None:
        if number == 2:
            host.store.remove("timeentries", gone)

    host.before = remove
    report = export(host, tmp_path / "all.jsonl")
    assert (report.reread_pages, report.rows) == (1, 249)
    assert lines(tmp_path / "all.jsonl") == in_time(host.store.wire("timeentries"))


def test_entries_that_never_rest_are_read_even_so(tmp_path: Path) -> None:
    host = host_with(500)
    before = in_time(host.store.wire("timeentries"))
    host.before = lambda number: host.store.remove(
        "timeentries", in_time(host.store.wire("timeentries"))[0]["id"]
    )
    report = export(host, tmp_path / "all.jsonl")
    assert report.moved == len(host.ledger.requests) - report.pages
    assert lines(tmp_path / "all.jsonl") == before[1:]


def test_a_set_that_never_rests_leaves_no_file(tmp_path: Path) -> None:
    host = host_with(1)
    pattern = host.store.rows("clients")[0]
    host.store.rows("clients")[:] = [{**pattern, "id": f"{key:016}"} for key in range(500)]
    host.store.touch()
    host.before = lambda number: host.store.remove(
        "clients", str(host.store.wire("clients")[0]["id"])
    )
    with pytest.raises(PaginationError, match="read 4 times without getting it whole"):
        export(host, tmp_path / "all.jsonl", what="clients")
    assert not (tmp_path / "all.jsonl").exists()


@pytest.mark.parametrize("delete", [False, True])
def test_an_export_that_was_interrupted_goes_on_over_days(tmp_path: Path, delete: bool) -> None:
    host = host_with(500)
    before = in_time(host.store.wire("timeentries"))

    class TooLongError(Exception):
        """What ends the first run."""

    def too_long(progress: ExportProgress) -> None:
        if progress.rows > 200:
            raise TooLongError

    with pytest.raises(TooLongError):
        export(host, tmp_path / "all.jsonl", on_progress=too_long)
    asked = len(host.ledger.requests)
    if delete:
        for row in before[:2]:
            host.store.remove("timeentries", row["id"])
    report = export(host, tmp_path / "all.jsonl", resume=True)
    assert lines(tmp_path / "all.jsonl") == before
    assert (asked, report.resumed_rows, report.reread_pages) == (3, 298, 0)
    assert len(host.ledger.requests) == fewest(500)
    assert (report.rows, report.pages) == (500, fewest(500))


CHANGES = st.lists(
    st.tuples(st.integers(2, 8), st.booleans(), st.integers(0, 300)), min_size=1, max_size=3
)


@examples(25)
@given(changes=CHANGES)
def test_what_was_there_throughout_is_in_the_file(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, bool, int]]
) -> None:
    host = host_with(300)
    rows = host.store.rows("timeentries")
    before, gone = {row["id"] for row in rows}, set[str]()

    def change(number: int) -> None:
        for key, (at, come, place) in enumerate(changes):
            if at == number and come:
                host.store.add("timeentries", entry_at(rows[0], place, f"{key:016}x"))
            elif at == number:
                gone.add(rows[place % len(rows)]["id"])
                host.store.remove("timeentries", rows[place % len(rows)]["id"])

    host.before = change
    out = tmp_path_factory.getbasetemp() / "moving.jsonl"
    report = export(host, out)
    got = [row["id"] for row in lines(out)]
    assert len(got) == len(set(got))
    assert before - gone <= set(got)
    assert lines(out) == in_time(lines(out))
    assert report.reread_pages == 0
