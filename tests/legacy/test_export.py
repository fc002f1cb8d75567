"""Exports of the old API: the fewest requests, every row, and its words for tables."""

from __future__ import annotations

import asyncio
import csv
import os
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jibble_async import (
    ConfigurationError,
    DecodeError,
    JibbleClient,
    JibbleError,
    NotSupportedError,
    Unlimited,
)
from jibble_async.export import Exporter, Outcome
from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.quotas import Quota
from tests.legacy.exports import entry_at, export, fewest, host_with, in_time, lines
from tests.support.legacy import legacy_at, legacy_of
from tests.support.raw_server import RawServer, json_reply, reply

ROOT = Path(__file__).parents[2]
WEEK: dict[str, Any] = {"since": date(2026, 7, 7), "until": date(2026, 7, 9)}


def test_a_long_export_makes_the_fewest_requests_and_is_never_refused(tmp_path: Path) -> None:
    host = host_with(20_000)
    report = export(host, tmp_path / "all.jsonl", limited=True)
    statuses = Counter(each.status for each in host.ledger.requests)
    assert statuses == {200: fewest(20_000)} == {200: 203}
    assert (report.rows, report.requests, report.reread_pages) == (20_000, 203, 0)
    assert (report.counted, report.outcome) == (None, Outcome.NOT_PROVED)
    assert report.reason.startswith("every page fitted the one before")
    assert lines(tmp_path / "all.jsonl") == in_time(host.store.wire("timeentries"))
    took = host.ledger.requests[-1].at - host.ledger.requests[0].at
    # An hour for 150, and no more for the rest than the bulk job's share allows.
    assert timedelta(hours=1) < took < timedelta(hours=2)


@pytest.mark.real_time
async def test_two_processes_that_share_a_window_are_never_refused(tmp_path: Path) -> None:
    """An hour of the old API is half a second here; the sandbox counts by its own clock."""
    limit, per = 25, 0.5
    quota = Quota(limit, per, headers=False, kind="sliding", empty_403=True)
    async with Sandbox(3, date(2026, 7, 6), date(2026, 7, 6), legacy_quota=quota) as box:
        rows = box.legacy.rows("timeentries")
        rows[:] = [entry_at(rows[0], number) for number in range(3000)]
        box.legacy.touch()
        outs = [tmp_path / f"{number}.jsonl" for number in range(2)]
        workers = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.legacy.exporting", str(tmp_path / "limit.db")),
                *(str(limit), str(per), str(out)),
                cwd=ROOT,
                env={**os.environ, **box.environment(), "PYTHONPATH": f"{ROOT}:{ROOT / 'legacy'}"},
            )
            for out in outs
        ]
        assert [await worker.wait() for worker in workers] == [0, 0]
        statuses = Counter(each.status for each in box.ledger.requests)
        assert statuses == {200: 2 * fewest(3000)}
        for out in outs:
            assert lines(out) == in_time(box.legacy.wire("timeentries"))


@pytest.mark.parametrize("entries", [0, 1, 98, 99, 100, 101, 198, 199, 200, 298])
def test_nothing_is_asked_beside_the_pages(tmp_path: Path, entries: int) -> None:
    host = host_with(entries)
    report = export(host, tmp_path / "all.jsonl")
    assert report.rows == len(lines(tmp_path / "all.jsonl")) == entries
    assert len(host.ledger.requests) == report.requests == report.pages == fewest(entries)


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("activities", "activities"),
        ("clients", "clients"),
        ("organizations", "teams"),
        ("people", "teammembers"),
        ("time_entries", "timeentries"),
    ],
)
async def test_every_set_that_both_know(box: Sandbox, tmp_path: Path, what: Any, name: str) -> None:
    out = tmp_path / "rows.jsonl"
    async with legacy_of(box) as legacy:
        await Exporter(legacy, what, out=out).run()
        rows = sorted(lines(out), key=lambda row: str(row["id"]))
        assert rows == box.legacy.wire(name)
        table = out.with_suffix(".csv")
        report = await Exporter(legacy, what, out=table).run()
    assert report.unknown_fields == {}
    assert {row["id"] for row in table_of(table)} == {row["id"] for row in rows}


def table_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as text:
        return list(csv.DictReader(text))


def zones_of(box: Sandbox) -> dict[str, Any]:
    """Where people are: in no zone of theirs do the clocks change in these days."""
    return {
        box.legacy_id("People", row["personId"]): datetime.fromisoformat(row["localTime"]).tzinfo
        for row in box.dataset.rows("TimeEntries")
    }


@pytest.fixture
async def nights() -> Any:
    async with Sandbox(24, date(2026, 7, 5), date(2026, 7, 11), seed=3) as running:
        yield running


async def test_working_days_are_those_of_the_list(nights: Sandbox, tmp_path: Path) -> None:
    sent, table = tmp_path / "days.jsonl", tmp_path / "days.csv"
    async with legacy_of(nights, timezone=zones_of(nights)) as legacy:
        listed = await legacy.time_entries.list(**WEEK).collect()
        before = len(nights.ledger.requests)
        report = await Exporter(legacy, "time_entries", out=sent, **WEEK).run()
        # And one for the people, who must all have a zone.
        assert len(nights.ledger.requests) - before == report.pages + 1
        await Exporter(legacy, "time_entries", out=table, **WEEK).run()
    days = {
        nights.legacy_id("TimeEntries", row["id"]): row["belongsToDate"]
        for row in nights.ledger.rows("TimeEntries", **WEEK)
    }
    assert {entry.id for entry in listed} == {row["id"] for row in lines(sent)} == days.keys()
    assert {row["id"]: row["belongsToDate"] for row in table_of(table)} == days
    wire = {row["id"]: row for row in nights.legacy.wire("timeentries")}
    assert lines(sent) == [wire[entry.id] for entry in listed]
    by_local_date = [row for row in table_of(table) if row["belongsToDate"] not in row["localTime"]]
    assert len(by_local_date) > 5


@pytest.mark.parametrize("form", ["jsonl", "csv"])
async def test_people_without_a_zone_are_named_before_an_entry_is_read(
    nights: Sandbox, tmp_path: Path, form: str
) -> None:
    zones = zones_of(nights)
    first, second, *_ = sorted(zones)
    known = {key: zone for key, zone in zones.items() if key not in {first, second}}
    out = tmp_path / f"days.{form}"
    async with legacy_of(nights, timezone=known) as legacy:
        with pytest.raises(ConfigurationError, match=f"no zone for . of .* people: .*{first}"):
            await Exporter(legacy, "time_entries", out=out, **WEEK).run()
    assert nights.ledger.count(path="timeentries") == 0
    assert not out.exists()
    async with legacy_of(nights, timezone={**known, "": "UTC"}) as legacy:
        before = len(nights.ledger.requests)
        report = await Exporter(legacy, "time_entries", out=out, **WEEK).run()
    assert len(nights.ledger.requests) - before == report.pages


async def test_a_table_has_the_words_of_the_vocabulary(nights: Sandbox, tmp_path: Path) -> None:
    """What the current API's export has in a column is there in the old one's, too."""
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    async with legacy_of(nights, timezone=zones_of(nights)) as legacy:
        await Exporter(legacy, "time_entries", out=old, **WEEK).run()
    async with JibbleClient.from_env(nights.environment(), limiter=Unlimited()) as client:
        await Exporter(client, "time_entries", out=new, **WEEK).run()
    found = {row["id"]: row for row in table_of(old)}
    rows = table_of(new)
    assert [*rows[0], "clientId", "meta", "customData"] == [*next(iter(found.values()))]
    assert len(found) == len(rows)
    for row in rows:
        other = found[nights.legacy_id("TimeEntries", row["id"])]
        same = ("belongsToDate", "offset", "note")
        # The old API knows no breaks.
        assert other["type"] == row["type"].replace("StartBreak", "Out")
        assert {name: other[name] for name in same} == {name: row[name] for name in same}
        for name in ("time", "localTime"):
            # The old API keeps milliseconds.
            cut = datetime.fromisoformat(row[name]).isoformat(timespec="milliseconds")
            assert datetime.fromisoformat(other[name]) == datetime.fromisoformat(cut)
        assert other["personId"] == nights.legacy_id("People", row["personId"])


async def test_a_row_that_the_vocabulary_cannot_say(box: Sandbox, tmp_path: Path) -> None:
    entries = box.legacy.rows("timeentries")
    odd = next(row for row in entries if row["date"].startswith("2026-07-08"))
    odd["action"] = 3
    box.legacy.touch()
    zone = {"timezone": "Europe/Berlin"}
    async with legacy_of(box, **zone) as legacy:
        for days in ({}, WEEK):
            await Exporter(legacy, "time_entries", out=tmp_path / "x.jsonl", **days).run()
            assert odd["id"] in {row["id"] for row in lines(tmp_path / "x.jsonl")}
        with pytest.raises(DecodeError, match=f"{odd['id']}.*1 or 2, not 3.*JSON lines"):
            await Exporter(legacy, "time_entries", out=tmp_path / "x.csv").run()
    assert not (tmp_path / "x.csv").exists()


async def test_a_text_that_is_no_utf8(tmp_path: Path) -> None:
    answer = reply(200, b'[{"id":"a","name":"\xff"}]', {"Content-Type": "application/json"})
    async with RawServer(answer) as server, legacy_at(server.url) as legacy:
        for name in ("x.csv", "x.jsonl"):
            with pytest.raises(DecodeError, match="the row 'a' can't be read"):
                await Exporter(legacy, "clients", out=tmp_path / name).run()
    assert os.listdir(tmp_path) == []


async def test_fields_that_nobody_documented_are_told(tmp_path: Path) -> None:
    rows = [{"id": "a", "name": "A", "size": 3}, {"id": "b", "icon": None}]
    async with RawServer(json_reply(rows)) as server, legacy_at(server.url) as legacy:
        report = await Exporter(legacy, "clients", out=tmp_path / "x.csv").run()
    assert report.unknown_fields == {"size": 1}
    assert [row["name"] for row in table_of(tmp_path / "x.csv")] == ["A", ""]


@pytest.mark.parametrize(
    ("what", "arguments", "error", "message"),
    [
        ("groups", {}, NotSupportedError, "no groups to export: there are activities, clients"),
        ("people", {"include_archived": True}, NotSupportedError, "nothing that was deleted"),
        ("time_entries", WEEK, ConfigurationError, "give the client its timezone="),
        ("people", WEEK, ConfigurationError, "people have no date"),
        ("power_ups", {}, ConfigurationError, "nothing called 'power_ups' to export"),
    ],
)
async def test_what_cannot_be_exported_is_refused_before_anything_is_sent(
    box: Sandbox,
    tmp_path: Path,
    what: Any,
    arguments: dict[str, Any],
    error: type[JibbleError],
    message: str,
) -> None:
    async with legacy_of(box) as legacy:
        with pytest.raises(error, match=message):
            Exporter(legacy, what, out=tmp_path / "x.jsonl", **arguments)
    assert box.ledger.requests == []
