from __future__ import annotations

import asyncio
import contextlib
import os
import random
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from jibble_async import ConfigurationError, ExportBusyError, ExportError, JibbleClient
from jibble_async.export.copies import base, copy_at, folder
from jibble_async.export.journal import manifest
from jibble_async.export.journal.manifest import read_manifest
from jibble_async.export.proof.verdicts import Outcome
from jibble_async.export.sync import Sync, SyncReport
from jibble_async.sandbox import Fault, Sandbox
from tests.export.copied import (
    SETS,
    TARGETS,
    Reader,
    Row,
    copied,
    meant,
    of_database,
    of_folder,
)
from tests.support import virtual_time
from tests.support.chaos import TIMES
from tests.support.memory_wire import BEGIN, KilledError, MemoryWire, clock_from


class Nights:
    """A sandbox that changes by day, and a copy of it that is put in step by night."""

    def __init__(self, patch: pytest.MonkeyPatch, into: Path, read: Reader, seed: int) -> None:
        if read is of_database:
            pytest.importorskip("duckdb", reason="the extra duckdb is not installed")
        self.box = Sandbox(
            people=6,
            since=date(2026, 7, 6),
            until=date(2026, 7, 8),
            seed=seed,
            clock=clock_from(),
        )
        self.chance = random.Random(seed)
        self.deleted = 0
        self.into = into
        self._patch = patch
        self._read = read

    def client(self, **wire: Any) -> JibbleClient:
        return MemoryWire(self.box, **wire).client(self._patch, page_size=50)

    async def sync(self, *, end_at: int | None = None, **options: Any) -> SyncReport:
        async with self.client(end_at=end_at) as client:
            report = await Sync(client, self.into, **{"sets": SETS, **options}).run()
        assert report.failed == {}
        assert self.copied() == self.meant(**options)
        assert not self.into.stat().st_mode & 0o077
        return report

    def copied(self) -> dict[str, list[Row]]:
        return copied(self.into, self._read)

    def meant(self, **options: Any) -> dict[str, list[Row]]:
        return meant(self.box, **options)

    def day(self) -> None:
        """What people do by day."""
        for _ in range(self.chance.randrange(3, 9)):
            self.change()
        self.box.dataset.update(
            "People",
            str(self.chance.choice(self.box.dataset.rows("People"))["id"]),
            {"phoneNumber": str(self.chance.random()), "updatedAt": self.now()},
        )

    def change(self, _: Any = None) -> None:
        # Past the dataset's own bookkeeping of who clocked in when, which sees no deletions.
        entries = self.box.dataset.table("TimeEntries")
        row = self.chance.choice(entries.rows)
        values: Row = {}
        match self.chance.randrange(6):
            case 0:
                values = {"note": f"note {self.chance.random()}"}
            case 1:
                values = {"belongsToDate": f"2026-07-{self.chance.randrange(6, 9):02}"}
            case 2:
                values = {"status": "Archived"}
            case 3:
                values = {"status": "Active"}
            case 4:
                entries.remove(row)
                self.deleted += 1
                return
            case _:
                key = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
                new = {**row, "id": key, "updatedAt": self.now()}
                entries.add(new)
                return
        entries.change(row, {**values, "updatedAt": self.now()})

    def now(self) -> str:
        return f"{clock_from()():%Y-%m-%dT%H:%M:%S.%f}Z"


def in_nights(
    monkeypatch: pytest.MonkeyPatch, into: Path, read: Reader, course: Callable[[Nights], Any]
) -> None:
    async def main() -> None:
        await course(Nights(monkeypatch, into, read, seed=11))

    virtual_time.run(main())


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("name", "read", "include_archived"),
    [(*target, place > 0) for place, target in enumerate(TARGETS)],
)
def test_ten_nights(
    name: str,
    read: Reader,
    include_archived: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Which kind of copy it is decides nothing of when rows are read anew: that takes a week to see.
    number = 10 if TIMES > 1 or read is of_folder else 4

    async def course(nights: Nights) -> None:
        for night in range(number):
            # And some of it while the copy is being put in step.
            nights.box.faults.add(
                Fault("mutate", path="TimeEntries", change=nights.change, nth=3, times=1)
            )
            report = await nights.sync(include_archived=include_archived)
            assert all(each.outcome is Outcome.PROVED for each in report.sets)
            by_set = {each.set: each for each in report.sets}
            # Only what says nothing of changes is read anew.
            assert by_set["time_off"].whole
            assert by_set["time_entries"].whole == by_set["people"].whole == (night == 0)
            if night:
                assert by_set["people"].requests <= 6
                assert by_set["people"].reconciled == (night == 7)
            nights.day()
            # No night is as late as the one before.
            await asyncio.sleep(86_400 - 90)
        assert nights.deleted

    in_nights(monkeypatch, tmp_path / name, read, course)


@pytest.mark.chaos
@pytest.mark.parametrize(("name", "read"), TARGETS)
def test_nights_with_kills(
    name: str, read: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = 4 if TIMES > 1 else 2

    async def course(nights: Nights) -> None:
        await nights.sync()
        kills = 0
        for _ in range(days):
            nights.day()
            await asyncio.sleep(86_400)
            good = nights.copied()
            for _ in range(2):
                end_at = nights.chance.randrange(4, 60)
                try:
                    await nights.sync(end_at=end_at)
                except KilledError:
                    kills += 1
                    after = nights.copied()
                    now = nights.meant()
                    # Sets are put in step one after the other.
                    assert all(after[what] in (good[what], now[what]) for what in SETS)
            await nights.sync()
        assert kills >= days

    in_nights(monkeypatch, tmp_path / name, read, course)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_kill_at_every_rename(
    is_first: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = manifest.os.replace, [10**6]

    def replace(source: Any, target: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KilledError
        real(source, target)

    monkeypatch.setattr(manifest.os, "replace", replace)

    async def course(nights: Nights) -> None:
        for allowed in range(12):
            into = tmp_path / str(allowed)
            nights.into = into
            if not is_first:
                left[0] = 10**6
                await nights.sync()
                nights.day()
                good = nights.copied()
            left[0] = allowed
            try:
                await nights.sync()
            except KilledError:
                if not is_first:
                    after, now = nights.copied(), nights.meant()
                    assert all(after[what] in (good[what], now[what]) for what in SETS)
            else:
                assert allowed > 3
                break
            left[0] = 10**6
            await nights.sync()
            for what in SETS:
                found = read_manifest(into / what)
                assert found is not None
                names = {part.name for part in found.parts} | {manifest.MANIFEST}
                assert {each.name for each in (into / what).iterdir()} == names

    in_nights(monkeypatch, tmp_path / "copy", of_folder, course)


def test_rows_deleted_for_good_are_found_where_numbers_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def course(nights: Nights) -> None:
        await nights.sync()
        rows = nights.box.dataset.rows("TimeEntries")
        gone, model = str(rows[0]["id"]), dict(rows[1])
        # Another came without a word of it, so that the numbers agree.
        nights.box.dataset.remove("TimeEntries", gone)
        nights.box.dataset.add(
            "TimeEntries", {**model, "id": str(uuid.uuid4()), "updatedAt": "2026-07-01T00:00:00Z"}
        )
        await asyncio.sleep(86_400)
        async with nights.client() as client:
            report = await Sync(client, nights.into, sets=["time_entries"]).run()
        (one,) = report.sets
        assert (one.outcome, one.whole, one.dropped) == (Outcome.PROVED, False, 0)
        await asyncio.sleep(6 * 86_400)
        # Now the numbers differ, and what was never told of can only be read as a whole.
        (one, *_) = (await nights.sync()).sets
        assert (one.outcome, one.whole) == (Outcome.PROVED, True)

    in_nights(monkeypatch, tmp_path / "copy", of_folder, course)


@pytest.mark.parametrize(("name", "read"), TARGETS)
def test_a_copy_of_something_else_is_refused(
    name: str, read: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def course(nights: Nights) -> None:
        await nights.sync()
        async with nights.client() as client:
            for options, told in (
                ({"include_archived": True}, "include_archived"),
                ({"secrets": True}, "secrets"),
                ({"since": date(2026, 7, 8)}, "since"),
            ):
                report = await Sync(client, nights.into, sets=["time_entries"], **options).run()
                (error,) = report.failed.values()
                assert isinstance(error, ConfigurationError)
                assert told in str(error)
        other = Sandbox(people=3, since=date(2026, 7, 6), until=date(2026, 7, 7), seed=5)
        nights.box = other
        async with nights.client() as client:
            report = await Sync(client, nights.into, sets=["time_entries"]).run()
        assert "organization" in str(report.failed["time_entries"])

    in_nights(monkeypatch, tmp_path / name, read, course)


@pytest.mark.parametrize(("name", "read"), TARGETS)
def test_a_run_that_fails_on_the_way_leaves_the_last_copy(
    name: str, read: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def course(nights: Nights) -> None:
        await nights.sync()
        good = nights.copied()
        nights.day()
        nights.day()
        await asyncio.sleep(86_400)
        # What changed has come by then.
        fault = Fault("status", status=500, path="TimeEntries", nth=2, times=None)
        nights.box.faults.add(fault)
        async with nights.client() as client:
            report = await Sync(client, nights.into, sets=SETS).run()
        assert list(report.failed) == ["time_entries"]
        assert [each.set for each in report.sets] == SETS[1:]
        nights.box.faults.clear()
        assert nights.copied()["time_entries"] == good["time_entries"]
        await nights.sync()

    in_nights(monkeypatch, tmp_path / name, read, course)


def test_a_file_that_is_gone_or_cut_short_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def course(nights: Nights) -> None:
        for harm in (Path.unlink, lambda path: path.write_bytes(b"")):
            await nights.sync()
            found = read_manifest(nights.into / "time_entries")
            assert found is not None
            harm(nights.into / "time_entries" / found.parts[0].name)
            report = await nights.sync()
            assert report.sets[0].whole

    in_nights(monkeypatch, tmp_path / "copy", of_folder, course)


def test_columns_of_another_version_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def course(nights: Nights) -> None:
        await nights.sync()
        now: Any = base.Source.schema
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                base.Source, "schema", property(lambda source: now.fget(source).remove(1))
            )
            assert all(each.whole for each in (await nights.sync()).sets)
        assert not all(each.whole for each in (await nights.sync()).sets)

    in_nights(monkeypatch, tmp_path / "copy", of_folder, course)


def test_small_parts_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "_MOST_SMALL", 3)

    async def course(nights: Nights) -> None:
        most = 0
        for _ in range(9):
            await nights.sync(sets=["time_entries", "people", "time_off"])
            found = read_manifest(nights.into / "time_entries")
            assert found is not None
            most = max(most, len(found.parts))
            nights.day()
            await asyncio.sleep(timedelta(days=1).total_seconds())
        assert most == 3

    in_nights(monkeypatch, tmp_path / "copy", of_folder, course)


def test_what_can_not_be_asked_for_is_refused(tmp_path: Path) -> None:
    client = JibbleClient("id", "secret")
    for options in ({"reconcile": "sometimes"}, {"sets": ["nothing"]}):
        with pytest.raises(ConfigurationError):
            Sync(client, tmp_path, **options)  # type: ignore[arg-type]
    assert BEGIN is not None


def test_a_database_and_what_is_beside_it_are_for_their_owner_only(tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="the extra duckdb is not installed")
    before = os.umask(0o022)
    try:
        with contextlib.closing(copy_at(tmp_path / "copy.duckdb")):
            modes = {each.name: each.stat().st_mode & 0o077 for each in tmp_path.iterdir()}
            assert modes == {"copy.duckdb": 0, "copy.duckdb.wal": 0}
            (tmp_path / "other").touch()
            assert (tmp_path / "other").stat().st_mode & 0o077 == 0o044
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ('Could not set lock on file "copy.duckdb": Conflicting lock is held', ExportBusyError),
        ('Cannot open file "locks.duckdb": Permission denied', ExportError),
    ],
)
def test_a_database_that_another_program_has_is_told_from_one_that_can_not_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, kind: type[ExportError]
) -> None:
    duckdb = pytest.importorskip("duckdb", reason="the extra duckdb is not installed")

    def refuse(_: str) -> None:
        raise duckdb.IOException(f"IO Error: {words}")

    monkeypatch.setattr(duckdb, "connect", refuse)
    with pytest.raises(ExportError, match="can't be opened: IO Error") as caught:
        copy_at(tmp_path / "copy.duckdb")
    assert type(caught.value) is kind
