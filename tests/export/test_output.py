"""An output on a slow disk, which goes on when the loop says so: that must be free."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from jibble_async import JibbleClient
from jibble_async.export import Exporter, running
from jibble_async.export.files.destinations import destination_of
from jibble_async.export.files.output import Output
from tests.export.test_files import killed_part
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.real_time

# Far more than a loop that is free needs; one that stands still is told by the answer.


class SlowDisk:
    """An `fsync` that takes until `go_on` is set."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go_on = threading.Event()
        self.went_on: list[bool] = []

    def __call__(self, _: int) -> None:
        self.reached.set()
        self.went_on.append(self.go_on.wait(PATIENCE))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    slow = SlowDisk()
    monkeypatch.setattr(os, "fsync", slow)
    return slow


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_cancelled_export_waits_for_the_disk_and_leaves_nothing(
    client: JibbleClient, tmp_path: Path, disk: SlowDisk
) -> None:
    out = tmp_path / "people.jsonl"
    out.write_text("yesterday's")
    export = asyncio.create_task(Exporter(client, "people", out=out).run())
    await asyncio.to_thread(disk.reached.wait)
    export.cancel()
    await turns()
    assert not export.done()
    disk.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await export
    assert set(disk.went_on) == {True}
    assert os.listdir(tmp_path) == [out.name]
    assert out.read_text() == "yesterday's"


async def test_cancelled_while_the_file_is_put_together_it_gets_no_name(
    client: JibbleClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = threading.Event(), threading.Event()
    write_joined = running.write_joined

    def slow(*arguments: Any) -> None:
        reached.set()
        go_on.wait(PATIENCE)
        write_joined(*arguments)

    monkeypatch.setattr(running, "write_joined", slow)
    out = tmp_path / "people.jsonl"
    out.write_text("yesterday's")
    export = asyncio.create_task(Exporter(client, "people", out=out).run())
    await asyncio.to_thread(reached.wait)
    export.cancel()
    await turns()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await export
    assert out.read_text() == "yesterday's"
    assert sorted(os.listdir(tmp_path)) == [".people.jsonl.export", out.name]
    report = await Exporter(client, "people", out=out, resume=True).run()
    assert report.resumed_rows == report.rows == len(out.read_bytes().splitlines())
    assert os.listdir(tmp_path) == [out.name]


async def test_cancelled_once_more_it_waits_no_longer(
    client: JibbleClient, tmp_path: Path, disk: SlowDisk
) -> None:
    exporter = Exporter(client, "people", out=tmp_path / "people.jsonl")
    export = asyncio.create_task(exporter.run())
    await asyncio.to_thread(disk.reached.wait)
    for _ in range(2):
        export.cancel()
        await turns()
    assert export.done()
    disk.go_on.set()
    for thread in threading.enumerate():
        if thread.name.startswith("jibble-disk"):
            await asyncio.to_thread(thread.join)
    assert set(disk.went_on) == {True}
    assert os.listdir(tmp_path) == []


async def test_a_failure_while_the_disk_closes_leaves_the_loop_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing, go_on, went_on = threading.Event(), threading.Event(), list[bool]()

    async def fail() -> None:
        async with Output(destination_of(tmp_path / "rows.csv")) as output:
            close = output.part.close

            def slow() -> None:
                closing.set()
                went_on.append(go_on.wait(PATIENCE))
                close()

            monkeypatch.setattr(output.part, "close", slow)
            raise ZeroDivisionError

    failing = asyncio.create_task(fail())
    await asyncio.to_thread(closing.wait)
    go_on.set()
    with pytest.raises(ZeroDivisionError):
        await failing
    assert went_on == [True]
    assert os.listdir(tmp_path) == []


async def test_jobs_are_done_in_turn(tmp_path: Path) -> None:
    async with Output(destination_of(tmp_path / "rows.csv")) as output:
        part = output.part
        jobs = [output.run(lambda each=each: part.write(each)) for each in (b"a", b"b", b"c")]
        await asyncio.gather(*jobs)
        await output.run(part.publish)
    assert (tmp_path / "rows.csv").read_bytes() == b"abc"


async def test_an_export_names_what_killed_ones_had_left(
    client: JibbleClient, tmp_path: Path
) -> None:
    out = tmp_path / "people.jsonl"
    dead = await asyncio.to_thread(killed_part, out)
    report = await Exporter(client, "people", out=out).run()
    assert report.removed == (dead,)
    assert os.listdir(tmp_path) == [out.name]


@pytest.mark.parametrize("refusal", [AssertionError, NotImplementedError])
async def test_a_loop_that_takes_no_executors_will_do(
    client: JibbleClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: type[Exception]
) -> None:
    """As trio-asyncio's, which asserts that an executor is one of its own."""

    def refuse(*_: object) -> None:
        raise refusal

    out = tmp_path / "people.jsonl"
    monkeypatch.setattr(asyncio.get_running_loop(), "run_in_executor", refuse)
    report = await Exporter(client, "people", out=out).run()
    assert len(out.read_bytes().splitlines()) == report.rows > 0
    assert os.listdir(tmp_path) == ["people.jsonl"]
