from __future__ import annotations

import asyncio
import csv
import errno
import hashlib
import json
import operator
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from jibble_async import (
    ConfigurationError,
    ExportError,
    JibbleClient,
    ServerError,
    Unlimited,
)
from jibble_async.export import Exporter, ExportProgress, Outcome
from jibble_async.export.sinks.json_lines import JsonLinesSink
from jibble_async.sandbox import Fault, Sandbox
from tests.support.leaks import RecordingLimiter, other_tasks

Row = dict[str, Any]


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def stamped(**changes: Any) -> Row:
    """Changes of a row, as a server makes them."""
    return {**changes, "updatedAt": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"}


def by_id(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: str(row["id"]))


def ledger(box: Sandbox, name: str = "TimeEntries", **options: Any) -> list[Row]:
    return sorted(box.ledger.rows(name, **options), key=lambda row: str(row["id"]))


@pytest.mark.parametrize("concurrency", [1, 3, 8])
async def test_a_file_equals_the_ledger(
    box: Sandbox, client: JibbleClient, tmp_path: Path, concurrency: int
) -> None:
    out = tmp_path / "entries.jsonl"
    report = await Exporter(client, "time_entries", out=out, concurrency=concurrency).run()
    expected = ledger(box)
    assert lines(out) == expected
    assert (report.rows, report.outcome, report.duplicates) == (len(expected), Outcome.PROVED, 0)
    assert (report.counted, report.reread_pages, report.resumed_rows) == (len(expected), 0, 0)
    assert report.bytes == out.stat().st_size
    assert report.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
    assert report.requests == len(box.ledger.requests)
    assert os.listdir(tmp_path) == [out.name]


async def test_a_file_has_what_its_format_ends_with(
    box: Sandbox, client: JibbleClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "people.jsonl"
    monkeypatch.setattr(JsonLinesSink, "head", lambda _: b"head\n")
    monkeypatch.setattr(JsonLinesSink, "finish", lambda _: b"end")
    report = await Exporter(client, "people", out=out).run()
    first, *rows, last = out.read_bytes().splitlines()
    assert (first, last, len(rows)) == (b"head", b"end", report.rows)
    assert report.bytes == out.stat().st_size
    assert report.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()


async def test_only_the_days_that_are_asked_for(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    days: dict[str, Any] = {"since": date(2026, 7, 8), "until": date(2026, 7, 10)}
    out = tmp_path / "days.jsonl"
    await Exporter(client, "time_entries", out=out, **days).run()
    assert lines(out) == ledger(box, **days)


async def test_archived_rows_on_request(box: Sandbox, client: JibbleClient, tmp_path: Path) -> None:
    victim_id = str(ledger(box)[5]["id"])
    box.dataset.update("TimeEntries", victim_id, {"status": "Archived"})
    out = tmp_path / "all.jsonl"
    await Exporter(client, "time_entries", out=out, include_archived=True).run()
    assert lines(out) == ledger(box, include_archived=True)
    await Exporter(client, "time_entries", out=out).run()
    assert victim_id not in {row["id"] for row in lines(out)}


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("activities", "Activities"),
        ("clients", "Clients"),
        ("groups", "Groups"),
        ("locations", "Locations"),
        ("organizations", "Organizations"),
        ("people", "People"),
        ("projects", "Projects"),
    ],
)
async def test_every_set(
    box: Sandbox, client: JibbleClient, tmp_path: Path, what: Any, name: str
) -> None:
    out = tmp_path / f"{what}.jsonl"
    await Exporter(client, what, out=out, secrets=True).run()
    rows = lines(out)
    for row in rows:
        row.pop("@odata.etag", None)
    assert rows == ledger(box, name)
    await Exporter(client, what, out=out).run()
    private = {"pinCode", "nfcToken", "@odata.etag"}
    assert [row.keys() - private for row in lines(out)] == [row.keys() - private for row in rows]
    assert all(private.isdisjoint(row.keys() - {"@odata.etag"}) for row in lines(out))
    table = out.with_suffix(".csv")
    report = await Exporter(client, what, out=table).run()
    # The types of some rows are open: their settings have no columns.
    assert all("/" in name for name in report.unknown_fields)
    with table.open(newline="", encoding="utf-8-sig") as text:
        assert [row["id"] for row in csv.DictReader(text)] == [row["id"] for row in rows]


async def test_csv_holds_every_value(box: Sandbox, client: JibbleClient, tmp_path: Path) -> None:
    out = tmp_path / "entries.csv"
    report = await Exporter(client, "time_entries", out=out, spreadsheet_safe=False).run()
    assert report.unknown_fields == {}
    with out.open(newline="", encoding="utf-8") as text:
        records = list(csv.DictReader(text))
    assert len(records) == report.rows
    for record, row in zip(records, ledger(box), strict=True):
        for name, value in row.items():
            match value:
                case dict():
                    inner = {key: record[f"{name}.{key}"] for key in value}
                    assert inner == {key: _text(each) for key, each in value.items()}
                case None if name not in record:
                    parts = [part for part in record if part.startswith(f"{name}.")]
                    assert parts
                    assert {record[part] for part in parts} == {""}
                case _:
                    assert record[name] == _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


async def test_nothing_to_export_is_a_file_too(client: JibbleClient, tmp_path: Path) -> None:
    long_ago: dict[str, Any] = {"since": date(2020, 1, 1), "until": date(2020, 1, 2)}
    report = await Exporter(client, "time_entries", out=tmp_path / "none.jsonl", **long_ago).run()
    assert (report.rows, (tmp_path / "none.jsonl").read_bytes()) == (0, b"")
    await Exporter(client, "time_entries", out=tmp_path / "none.csv", **long_ago).run()
    assert (tmp_path / "none.csv").read_bytes().startswith(b"\xef\xbb\xbfid,type,status,")


@pytest.mark.parametrize(
    "kind", ["drop_before", "drop_after", "html_502", "too_many", "truncate", "invalid_json"]
)
async def test_faults_cost_no_row(
    box: Sandbox, client: JibbleClient, tmp_path: Path, kind: str
) -> None:
    box.faults.add(Fault(kind, path="TimeEntries", nth=3, times=2))
    out = tmp_path / "entries.jsonl"
    report = await Exporter(client, "time_entries", out=out).run()
    assert lines(out) == ledger(box)
    assert report.retries == 2


async def test_a_server_that_caps_pages_costs_no_row(tmp_path: Path) -> None:
    week: dict[str, Any] = {"since": date(2026, 7, 6), "until": date(2026, 7, 12)}
    async with (
        Sandbox(people=6, page_cap=17, next_links=True, **week) as box,
        JibbleClient.from_env(box.environment(), limiter=Unlimited()) as client,
    ):
        out = tmp_path / "entries.jsonl"
        await Exporter(client, "time_entries", out=out).run()
        assert lines(out) == ledger(box)


async def test_progress_is_told_after_every_page(client: JibbleClient, tmp_path: Path) -> None:
    told: list[ExportProgress] = []
    out = tmp_path / "entries.jsonl"
    report = await Exporter(client, "time_entries", out=out, on_progress=told.append).run()
    assert len(told) == report.pages + told[-1].of
    assert [each.rows for each in told] == sorted(each.rows for each in told)
    assert told[-1].windows == told[-1].of == 1
    assert (told[-1].rows, told[-1].total, told[-1].seconds_left) == (report.rows, report.rows, 0)


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_what_changes_meanwhile_is_in_the_file_as_it_is_in_the_end(
    box: Sandbox, client: JibbleClient, tmp_path: Path, concurrency: int
) -> None:
    gone, moved, archived, edited = (str(row["id"]) for row in ledger(box)[:4])

    def change(dataset: Any) -> None:
        dataset.remove("TimeEntries", gone)
        dataset.update("TimeEntries", moved, stamped(belongsToDate="2026-07-08"))
        dataset.update("TimeEntries", archived, stamped(status="Archived"))
        dataset.update("TimeEntries", edited, stamped(note="another"))

    box.faults.add(Fault("mutate", path="TimeEntries", nth=4, change=change))
    out = tmp_path / "entries.jsonl"
    report = await Exporter(client, "time_entries", out=out, concurrency=concurrency).run()
    # Neighbours of rows that go are changed without a new stamp.
    essence = operator.itemgetter("id", "belongsToDate", "note", "updatedAt")
    assert [*map(essence, by_id(lines(out)))] == [*map(essence, ledger(box))]
    assert (report.outcome, report.dropped) == (Outcome.PROVED, 1)
    assert report.swept >= 3
    assert os.listdir(tmp_path) == [out.name]


async def test_rows_that_never_rest_are_told(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    kept = str(ledger(box)[0]["id"])
    notes = iter(range(10_000))

    def edit(dataset: Any) -> None:
        dataset.update("TimeEntries", kept, stamped(note=str(next(notes))))

    box.faults.add(Fault("mutate", path="TimeEntries", times=None, change=edit))
    out = tmp_path / "x.jsonl"
    report = await Exporter(client, "time_entries", out=out, concurrency=1).run()
    assert (report.outcome, report.rows) == (Outcome.COMPLETE, len(ledger(box)))
    assert "did not rest" in report.reason


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_a_count_that_stays_wrong_is_told(
    box: Sandbox, client: JibbleClient, tmp_path: Path, concurrency: int
) -> None:
    box.faults.add(Fault("wrong_count", path="TimeEntries", times=None, by=3))
    exporter = Exporter(client, "time_entries", out=tmp_path / "x.csv", concurrency=concurrency)
    report = await exporter.run()
    assert (report.outcome, report.rows) == (Outcome.NOT_PROVED, len(ledger(box)))
    assert f"the server counts {report.rows + 3} rows" in report.reason


async def test_a_failure_leaves_what_was_there(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    out = tmp_path / "entries.jsonl"
    out.write_text("yesterday's")
    box.faults.add(Fault("status", path="TimeEntries", nth=4, times=None, status=503))
    with pytest.raises(ServerError) as caught:
        await Exporter(client, "time_entries", out=out, give_up_after=None).run()
    assert caught.value.attempts == 4
    assert caught.value.__notes__ == [f"what was read is kept for {out}: go on with resume"]
    assert sorted(os.listdir(tmp_path)) == [".entries.jsonl.export", out.name]
    with pytest.raises(ServerError):
        await Exporter(client, "time_entries", out=out, give_up_after=60.0).run()
    assert out.read_text() == "yesterday's"
    assert os.listdir(tmp_path) == [out.name]


async def test_cancelled_midway_it_keeps_what_came(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    out = tmp_path / "x.jsonl"
    stall = box.faults.add(Fault("stall", path="TimeEntries", nth=5, times=None))
    before = other_tasks()
    export = asyncio.create_task(Exporter(client, "time_entries", out=out, concurrency=1).run())
    await stall.reached.wait()
    assert os.listdir(tmp_path) == [".x.jsonl.export"]
    # Once for all to end when their page has come, once more to wait for none.
    for _ in range(2):
        export.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError) as caught:
        await export
    assert caught.value.__notes__ == [f"what was read is kept for {out}: go on with resume"]
    box.faults.clear()
    assert not {task for task in other_tasks() - before if "jibble" in task.get_name()}
    report = await Exporter(client, "time_entries", out=out, resume=True).run()
    assert by_id(lines(out)) == ledger(box)
    assert (report.resumed_rows > 0, report.reread_pages) == (True, 0)
    assert os.listdir(tmp_path) == [out.name]


async def test_a_full_disk_is_one_clear_error(
    client: JibbleClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    out = tmp_path / "entries.jsonl"
    with pytest.raises(ExportError, match=r"entries\.jsonl could not be written: No space left"):
        await Exporter(client, "time_entries", out=out).run()
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"since": date(2026, 7, 9), "until": date(2026, 7, 8)}, "exchange them"),
        ({"since": datetime(2026, 7, 9)}, "takes a date"),  # noqa: DTZ001 - what is refused
        ({"what": "reports"}, "nothing called 'reports'"),
        ({"what": "people", "since": date(2026, 7, 9)}, "people have no date"),
        ({"format": "xml"}, "no format 'xml'"),
        ({"out": "entries.txt"}, "does not say which format"),
        ({"out": "missing/copy/"}, "there is no folder"),
        ({"out": "-", "format": "csv", "resume": True}, "nothing is kept of what goes to -"),
        ({"out": "missing/entries.csv"}, "there is no folder"),
        ({"out": "a\0b.csv"}, "can't be a file"),
        ({"out": "/dev/null"}, "not a regular file"),
        ({"concurrency": 0}, "at least 1"),
        ({"concurrency": "4"}, "concurrency='4' is no whole number but str"),
        ({"concurrency": True}, "is no whole number but bool"),
        ({"out": ""}, "an empty name is no file"),
        ({"out": b"entries.csv"}, "can't be a file"),
        ({"columns": [1]}, "takes a list of names"),
        ({"columns": iter(["id"])}, "takes a list of names"),
        ({"columns": {"id"}}, "takes a list of names"),
    ],
)
async def test_bad_arguments_send_nothing(
    box: Sandbox,
    client: JibbleClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: dict[str, Any],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    given: dict[str, Any] = {"what": "time_entries", "out": "entries.csv", **arguments}
    with pytest.raises(ConfigurationError, match=message):
        Exporter(client, given.pop("what"), **given)
    assert box.ledger.requests == []
    assert os.listdir(tmp_path) == []


async def test_a_folder_that_cannot_be_written_sends_nothing(
    box: Sandbox, client: JibbleClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    exporter = Exporter(client, "time_entries", out=tmp_path / "entries.csv")
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ConfigurationError, match=r"can.t write in .*: Permission denied"):
        await exporter.run()
    assert box.ledger.requests == []


async def test_a_link_is_followed_and_stays(client: JibbleClient, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "latest.jsonl"
    link.symlink_to(tmp_path / "real" / "people.jsonl")
    report = await Exporter(client, "people", out=link).run()
    assert report.path == tmp_path / "real" / "people.jsonl"
    assert link.is_symlink()
    assert len(lines(link)) == report.rows


async def test_bulk_work_waits_for_its_turn(box: Sandbox, tmp_path: Path) -> None:
    limiter = RecordingLimiter()
    async with JibbleClient.from_env(box.environment(), limiter=limiter) as client:
        await Exporter(client, "people", out=tmp_path / "people.csv").run()
    assert set(limiter.asked) == {("bulk", None)}
