"""Sets that tell nothing of changes: read until two readings are equal."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jibble_async import JibbleClient
from jibble_async.export import Exporter, ExportReport
from jibble_async.export.journal import gathering
from jibble_async.export.proof.anchored import AnchorLostError
from jibble_async.export.proof.collecting import Reading
from jibble_async.export.proof.plan import Extent
from jibble_async.export.proof.sweep import server_mark, settle
from jibble_async.export.proof.verdicts import Outcome, Verdict
from jibble_async.sandbox import Fault, Sandbox
from tests.support.proving import Parts

SET = "TimeOffOverview"
EXTENT = Extent(set="time_off")


async def settled(client: JibbleClient, held: Parts) -> Verdict:
    return await settle(client, EXTENT, await server_mark(client, EXTENT), held)


def mutate(box: Sandbox, change: Any, **when: Any) -> None:
    box.faults.add(Fault("mutate", path=f"/v1/{SET}", change=change, **when))


async def test_what_changed_is_replaced_until_two_readings_are_equal(
    box: Sandbox, client: JibbleClient
) -> None:
    held = Parts()
    gone, edited, *_ = box.dataset.rows(SET)

    def change(_: Any) -> None:
        edited["note"] = "another"
        box.dataset.remove(SET, gone["id"])

    # The mark, and the request that finds out how long pages are, come first.
    mutate(box, change, nth=4)
    verdict = await settled(client, held)
    assert verdict.outcome is Outcome.PROVED
    assert verdict.rounds == 3
    assert (verdict.swept, verdict.dropped) == (1, 1)
    rows = dict(held.rows())
    assert rows.keys() == {row["id"] for row in box.dataset.rows(SET)}
    assert b'"another"' in bytes(rows[edited["id"]])


async def test_a_set_that_is_never_the_same_twice_is_not_proved(
    box: Sandbox, client: JibbleClient
) -> None:
    row, numbers = box.dataset.rows(SET)[0], itertools.count()

    def change(_: Any) -> None:
        row["note"] = str(next(numbers))

    mutate(box, change, times=None)
    verdict = await settled(client, Parts())
    assert verdict.outcome is Outcome.NOT_PROVED
    assert "no two, one after the other, were equal" in verdict.reason


async def test_a_count_that_says_more_is_no_proof(box: Sandbox, client: JibbleClient) -> None:
    box.faults.add(Fault("wrong_count", path=f"/v1/{SET}", times=None, by=3))
    verdict = await settled(client, Parts())
    assert verdict.outcome is Outcome.NOT_PROVED


async def test_a_count_without_room_for_its_own_row_is_none(
    box: Sandbox, client: JibbleClient
) -> None:
    extent = Extent(set="projects")
    held = Parts()
    box.faults.add(Fault("wrong_count", path="/v1/Projects", times=None, count=0))
    verdict = await settle(client, extent, await server_mark(client, extent), held)
    assert verdict.outcome is Outcome.COMPLETE
    assert verdict.counted is None


async def readings(box: Sandbox, client: JibbleClient, out: Path) -> tuple[ExportReport, int]:
    """What an export gives, and how often it read a set of one page."""
    before = len(box.ledger.requests)
    report = await Exporter(client, "time_off", out=out).run()
    asked = [each.target for each in box.ledger.requests[before:]]
    return report, sum(f"/{SET}?" in each and "top=40" in each for each in asked)


async def test_what_an_export_read_is_the_first_of_two_readings(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    out = tmp_path / "off.jsonl"
    report, twice = await readings(box, client, out)
    assert report.outcome is Outcome.PROVED
    assert (report.swept, twice - report.pages) == (0, report.pages)
    row = box.dataset.rows(SET)[0]
    # After the request that plans, and the first reading.
    mutate(box, lambda _: row.update(note="another"), nth=2 + report.pages)
    report, more = await readings(box, client, out)
    assert report.outcome is Outcome.PROVED
    assert (report.swept, more - twice) == (1, report.pages)
    assert out.read_bytes().count(b'"another"') == 1
    assert len(out.read_bytes().splitlines()) == len(box.dataset.rows(SET))


def test_of_a_row_that_came_twice_nothing_is_known() -> None:
    reading = Reading()
    reading.take([("a", msgspec.Raw(b"1")), ("b", msgspec.Raw(b"2"))])
    assert reading.digests is not None
    assert reading.digests.keys() == {"a", "b"}
    reading.take([("a", msgspec.Raw(b"3"))])
    assert reading.digests is None


async def test_a_window_that_is_begun_again_is_no_reading(
    box: Sandbox, client: JibbleClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, lost = gathering.read_partition, [True]

    async def losing(*args: Any, **options: Any) -> AsyncIterator[Any]:
        async for batch in reading(*args, **options):
            yield batch
            if lost.pop():
                lost.append(False)
                raise AnchorLostError("lost")
            lost.append(False)

    monkeypatch.setattr(gathering, "read_partition", losing)
    report, times = await readings(box, client, tmp_path / "off.jsonl")
    assert report.outcome is Outcome.PROVED
    assert times > 2 * report.pages + report.reread_pages
