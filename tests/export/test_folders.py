"""Exports into a folder: the manifest alone says what of it is the output."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from jibble_async import (
    ConfigurationError,
    DecodeError,
    ExportError,
    JibbleClient,
    ServerError,
)
from jibble_async.export import (
    Exporter,
    Manifest,
    Outcome,
    export_partition,
    plan_partitions,
    read_manifest,
    running,
)
from jibble_async.export.files.hashed import HashedFile
from jibble_async.export.journal.parts import PartWriter
from jibble_async.export.sinks.json_lines import JsonLinesSink
from jibble_async.sandbox import Fault, Sandbox

DAYS: dict[str, Any] = {"since": date(2026, 7, 6), "until": date(2026, 7, 19)}


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_PAGES_OF_WINDOW", 2)


def manifest_of(folder: Path) -> Manifest:
    manifest = read_manifest(folder)
    assert manifest is not None
    return manifest


def rows_of(folder: Path) -> list[Any]:
    """The rows of a folder, whose files are as its manifest says."""
    rows: list[Any] = []
    manifest = manifest_of(folder)
    for part in manifest.parts:
        data = (folder / part.name).read_bytes()
        mine = [json.loads(line) for line in data.splitlines()]
        assert (part.bytes, part.rows) == (len(data), len(mine))
        assert part.sha256 == hashlib.sha256(data).hexdigest()
        rows += mine
    assert manifest.rows == len(rows)
    return sorted(rows, key=lambda row: str(row["id"]))


def ledger(box: Sandbox) -> list[Any]:
    return sorted(box.ledger.rows("TimeEntries", **DAYS), key=lambda row: str(row["id"]))


@pytest.mark.parametrize("out", ["copy/", "copy"])
async def test_a_folder_has_its_parts_and_a_manifest(
    box: Sandbox, client: JibbleClient, tmp_path: Path, out: str
) -> None:
    folder = tmp_path / "copy"
    if not out.endswith("/"):
        folder.mkdir()
    report = await Exporter(client, "time_entries", out=f"{tmp_path}/{out}", **DAYS).run()
    manifest = manifest_of(folder)
    assert rows_of(folder) == ledger(box)
    assert (manifest.outcome, manifest.reason) == (Outcome.PROVED, "")
    assert (report.path, report.parts, report.rows) == (folder, len(manifest.parts), manifest.rows)
    assert report.parts > 2
    assert report.bytes == sum(part.bytes for part in manifest.parts)
    written = (folder / "manifest.json").read_bytes()
    assert report.sha256 == hashlib.sha256(written).hexdigest()
    days = [(part.since, part.until) for part in manifest.parts if part.since is not None]
    assert (days[0][0], days[-1][1]) == (DAYS["since"], DAYS["until"])
    assert all(part.first and part.last and part.seams >= 0 for part in manifest.parts)
    assert {each.name for each in folder.iterdir()} == {
        "manifest.json",
        *(part.name for part in manifest.parts),
    }


async def test_the_next_export_replaces_what_the_manifest_named_and_nothing_else(
    client: JibbleClient, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    await Exporter(client, "time_entries", out=f"{folder}/", **DAYS).run()
    before = {part.name for part in manifest_of(folder).parts}
    (folder / "notes.txt").write_text("mine")
    await Exporter(client, "people", out=folder, format="csv").run()
    (part,) = manifest_of(folder).parts
    assert set(os.listdir(folder)) == {"manifest.json", "notes.txt", part.name}
    assert part.name not in before
    assert part.name.endswith(".csv")


async def test_rows_that_changed_are_in_a_part_of_their_own(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    edited = [str(row["id"]) for row in ledger(box)[::50]]

    def edit(dataset: Any) -> None:
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
        for key in edited:
            dataset.update("TimeEntries", key, {"note": "new", "updatedAt": now})

    pages = (await Exporter(client, "time_entries", out=f"{tmp_path}/x/", **DAYS).run()).pages
    box.faults.add(Fault("mutate", path="TimeEntries", nth=pages, change=edit))
    report = await Exporter(client, "time_entries", out=f"{tmp_path}/copy/", **DAYS).run()
    assert rows_of(tmp_path / "copy") == ledger(box)
    assert report.outcome is Outcome.PROVED
    *_, last = manifest_of(tmp_path / "copy").parts
    assert last.name.endswith("-swept.jsonl")
    assert report.swept >= len(edited) - 1


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.ENOSPC])
async def test_a_rename_that_fails_leaves_the_last_good_output(
    box: Sandbox, client: JibbleClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    folder = tmp_path / "copy"
    await Exporter(client, "time_entries", out=f"{folder}/", **DAYS).run()
    before = manifest_of(folder)
    replace, moves = os.replace, list[Any]()

    def fail(*names: Any) -> None:
        moves.append(names)
        if len(moves) == 3:
            raise OSError(number, os.strerror(number))
        replace(*names)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ExportError, match=r"manifest\.json could not be written: ") as caught:
        await Exporter(client, "time_entries", out=folder, **DAYS).run()
    assert "what had the name before is untouched" in str(caught.value)
    assert manifest_of(folder) == before
    assert rows_of(folder) == ledger(box)
    monkeypatch.setattr(os, "replace", replace)
    report = await Exporter(client, "time_entries", out=folder, resume=True, **DAYS).run()
    assert (report.resumed_rows, report.reread_pages) == (report.rows, 0)
    assert rows_of(folder) == ledger(box)
    assert set(os.listdir(folder)) == {
        "manifest.json",
        *(part.name for part in manifest_of(folder).parts),
    }


async def test_a_manifest_of_somebody_else_is_refused(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "an app"}')
    with pytest.raises(
        ConfigurationError, match="is no manifest of an export: export into another"
    ):
        await Exporter(client, "people", out=tmp_path).run()
    assert os.listdir(tmp_path) == ["manifest.json"]
    assert box.ledger.requests == []


async def test_a_manifest_removes_nothing_outside_of_its_folder(
    client: JibbleClient, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    await Exporter(client, "people", out=f"{folder}/").run()
    (tmp_path / "precious").touch()
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["parts"][0]["name"] = "../precious"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    await Exporter(client, "people", out=folder).run()
    assert (tmp_path / "precious").exists()


async def test_other_arguments_are_no_way_to_go_on(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    out = tmp_path / "x.jsonl"
    box.faults.add(Fault("status", path="TimeEntries", nth=16, times=None, status=503))
    exporter = Exporter(client, "time_entries", out=out, give_up_after=None, **DAYS)
    with pytest.raises(Exception, match="503"):
        await exporter.run()
    box.faults.clear()
    for other, message in (
        ({"columns": ["id"]}, "columns was None and is "),
        ({"with_names": True}, "with_names was False and is True"),
        ({"include_archived": True}, "include_archived was False and is True"),
        ({"until": date(2026, 7, 18)}, "until was '2026-07-19' and is '2026-07-18'"),
    ):
        arguments = {**DAYS, "resume": True, **other}
        with pytest.raises(ConfigurationError, match=message):
            await Exporter(client, "time_entries", out=out, **arguments).run()
    report = await Exporter(client, "time_entries", out=out, resume=True, **DAYS).run()
    assert report.resumed_rows > 0
    assert report.rows == len(ledger(box))


async def test_a_second_exporter_is_told_of_the_first(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    out = tmp_path / "x.jsonl"
    stall = box.faults.add(Fault("stall", path="TimeEntries", nth=4))
    first = asyncio.create_task(Exporter(client, "time_entries", out=out, **DAYS).run())
    await stall.reached.wait()
    with pytest.raises(ExportError) as caught:
        await Exporter(client, "time_entries", out=out, **DAYS).run()
    told = f"another export to {out} is running: let it end, or write elsewhere"
    assert str(caught.value) == told
    stall.release()
    await first


async def test_partitions_can_be_exported_one_by_one(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    rows: list[Any] = []
    for partition in await plan_partitions(client, "time_entries", rows=80, **DAYS):
        out = tmp_path / f"{partition.index}.jsonl"
        part = await export_partition(client, partition, out)
        data = out.read_bytes()
        mine = [json.loads(line) for line in data.splitlines()]
        assert part.sha256 == hashlib.sha256(data).hexdigest()
        assert (part.rows, part.bytes, part.since) == (len(mine), len(data), partition.since)
        assert (part.first, part.last) == (mine[0]["id"], mine[-1]["id"])
        rows += mine
    assert sorted(rows, key=lambda row: str(row["id"])) == ledger(box)
    assert len(os.listdir(tmp_path)) > 2


async def test_names_are_fetched_once(box: Sandbox, client: JibbleClient, tmp_path: Path) -> None:
    out = tmp_path / "x.jsonl"
    columns = ["id", "personId", "personName"]
    await Exporter(client, "time_entries", out=out, columns=columns, with_names=True, **DAYS).run()
    people = {row["id"]: row["fullName"] for row in box.ledger.rows("People")}
    rows = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert len(rows) == len(ledger(box))
    assert all(row["personName"] == people[row["personId"]] for row in rows)
    assert box.ledger.count(path="People") == 1


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("people", {"groupId": "Groups", "positionId": "Positions", "scheduleId": "Schedules",
                    "employmentTypeId": "EmploymentTypes"}),
        ("projects", {"clientId": "Clients", "locationId": "Locations"}),
        ("time_off", {"personId": "People", "policyId": "TimeOffPolicies"}),
        ("calendar_days", {"calendarId": "Calendars"}),
    ],
)  # fmt: skip
async def test_every_id_that_has_a_name_gets_it(
    box: Sandbox, client: JibbleClient, tmp_path: Path, what: Any, fields: dict[str, str]
) -> None:
    out = tmp_path / "x.jsonl"
    await Exporter(client, what, out=out, with_names=True).run()
    rows = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert rows
    for field, named in fields.items():
        names = {row["id"]: row.get("name") or row["fullName"] for row in box.ledger.rows(named)}
        assert any(row[field] for row in rows)
        for row in rows:
            name = row[f"{field.removesuffix('Id')}Name"]
            # Whoever was removed, and what was archived, has a name, too.
            assert (name is None) == (row[field] is None)
            assert name is None or names.get(row[field], name) == name


async def test_what_a_plan_does_not_have_leaves_names_out(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    box.faults.add(Fault("status", path="Clients", times=None, status=402))
    out = tmp_path / "x.jsonl"
    await Exporter(client, "projects", out=out, with_names=True).run()
    rows = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert {row["clientName"] for row in rows} == {None}
    assert any(row["locationName"] for row in rows)


async def test_rows_without_ids_of_others_have_no_names(
    client: JibbleClient, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="rows of positions hold no ids that have names"):
        Exporter(client, "positions", out=tmp_path / "x.csv", with_names=True)


async def test_another_organization_is_no_way_to_go_on(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    out = tmp_path / "x.jsonl"
    box.faults.add(Fault("status", path="TimeEntries", nth=16, times=None, status=503))
    with pytest.raises(ServerError):
        await Exporter(client, "time_entries", out=out, give_up_after=None, **DAYS).run()
    box.faults.clear()
    journal = tmp_path / ".x.jsonl.export" / "journal.jsonl"
    header, *lines = journal.read_bytes().splitlines(keepends=True)
    account = json.loads(header)["account"]
    other = header.replace(account.encode(), b"another's")
    journal.write_bytes(b"".join([other, *lines]))
    with pytest.raises(ConfigurationError, match="is of another organization: go on with its"):
        await Exporter(client, "time_entries", out=out, resume=True, **DAYS).run()
    journal.write_bytes(b"".join([header, *lines]))
    report = await Exporter(client, "time_entries", out=out, resume=True, **DAYS).run()
    assert report.resumed_rows > 0


async def test_what_a_full_disk_cut_off_counts_for_nothing(
    box: Sandbox, client: JibbleClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "x.jsonl"
    append, pages = PartWriter.append, iter(range(100))

    def full(self: PartWriter, rows: Any) -> None:
        if next(pages) == 5:
            # A part of a page is on the disk.
            monkeypatch.setattr(self, "ids", HashedFile(FullDisk(self.ids)))
        append(self, rows)

    monkeypatch.setattr(PartWriter, "append", full)
    with pytest.raises(ExportError, match=r"x\.jsonl could not be written: No space left"):
        await Exporter(client, "time_entries", out=out, concurrency=1, **DAYS).run()
    monkeypatch.setattr(PartWriter, "append", append)
    report = await Exporter(client, "time_entries", out=out, resume=True, **DAYS).run()
    rows = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert sorted(rows, key=lambda row: str(row["id"])) == ledger(box)
    assert report.resumed_rows > 0


@pytest.mark.parametrize("page", [0, 1, 5])
async def test_a_row_that_cannot_be_read_ends_no_window(
    box: Sandbox, client: JibbleClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    out = tmp_path / "x.jsonl"
    encode, pages = JsonLinesSink.encode, iter(range(100))

    def refusing(self: JsonLinesSink, rows: Any) -> bytes:
        if next(pages) == page:
            raise DecodeError("a row can't be read")
        return encode(self, rows)

    monkeypatch.setattr(JsonLinesSink, "encode", refusing)
    with pytest.raises(DecodeError):
        await Exporter(client, "time_entries", out=out, concurrency=1, **DAYS).run()
    monkeypatch.setattr(JsonLinesSink, "encode", encode)
    report = await Exporter(client, "time_entries", out=out, resume=True, **DAYS).run()
    rows = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert sorted(rows, key=lambda row: str(row["id"])) == ledger(box)
    assert report.outcome is Outcome.PROVED


class FullDisk:
    """A file that takes no more."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, _: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
