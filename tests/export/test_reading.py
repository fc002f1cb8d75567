"""Plans, windows and their places, of both APIs, against the sandbox."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from datetime import date
from typing import Any, get_args

import msgspec
import pytest
from jibble_legacy import LegacyClient

from jibble_async import JibbleClient
from jibble_async.api.base_client import BaseClient
from jibble_async.api.set_names import SetName
from jibble_async.errors import ConfigurationError, PaginationError
from jibble_async.export.proof.anchored import AnchorLostError
from jibble_async.export.proof.plan import Extent, Partition, plan_partitions
from jibble_async.export.proof.reading import Batch, read_partition
from jibble_async.export.proof.sweep import OVERLAP, begin, server_mark, settle
from jibble_async.export.proof.verdicts import Outcome
from jibble_async.sandbox import Fault, Sandbox
from tests.support.proving import Parts

DAYS: Any = {"since": date(2026, 7, 7), "until": date(2026, 7, 18)}
# What the sandbox keeps a set's rows as, if it keeps them.
KEPT = {
    "time_entries": "TimeEntries",
    "people": "People",
    "projects": "Projects",
    "activities": "Activities",
    "clients": "Clients",
    "groups": "Groups",
    "locations": "Locations",
    "positions": "Positions",
    "schedules": "Schedules",
    "calendars": "Calendars",
    "time_off_policies": "TimeOffPolicies",
}


def entries(box: Sandbox, since: str = "", until: str = "9999") -> set[str]:
    return {
        row["id"]
        for row in box.dataset.rows("TimeEntries")
        if row["status"] == "Active" and since <= row["belongsToDate"] <= until
    }


async def batches(
    client: BaseClient[Any], partition: Partition, place: str | None = None
) -> list[Batch]:
    return [batch async for batch in read_partition(client, partition, place=place)]


def keys(pages: list[Batch]) -> list[str]:
    return [key for batch in pages for key, _ in batch.rows]


def days_of(client: JibbleClient, name: SetName) -> Mapping[str, date]:
    return DAYS if getattr(client, name).spans else {}


@pytest.mark.parametrize("name", get_args(SetName))
async def test_every_set_is_read_and_proved(
    box: Sandbox, client: JibbleClient, name: SetName
) -> None:
    days: Any = days_of(client, name)
    extent = Extent(set=name, **days)
    mark = await server_mark(client, extent)
    held = Parts()
    for partition in await plan_partitions(client, name, **days, rows=60):
        held.windows[partition.index] = [
            row for batch in await batches(client, partition) for row in batch.rows
        ]
    before = sorted(held.rows())
    verdict = await settle(client, extent, mark, held)
    assert verdict.outcome is Outcome.PROVED, verdict.reason
    assert [key for key, _ in sorted(held.rows())] == [key for key, _ in before]
    if name in KEPT:
        kept = box.dataset.rows(KEPT[name])
        meant = {
            row["id"]
            for row in kept
            if row.get("status") not in {"Archived", "Removed"}
            and (not days or "2026-07-07" <= row["belongsToDate"] <= "2026-07-18")
        }
        assert {key for key, _ in held.rows()} == meant
    row = msgspec.json.decode(before[0][1]) if before else {}
    assert not before or before[0][0] == row.get("id", row.get("personId"))


async def test_a_plan_has_windows_of_about_as_many_rows(box: Sandbox, client: JibbleClient) -> None:
    requests = client.stats.requests
    plan = await plan_partitions(client, "time_entries", rows=40)
    asked = client.stats.requests - requests
    assert plan == await plan_partitions(client, "time_entries", rows=40)
    assert plan == pickle.loads(pickle.dumps(plan))
    assert len({partition.fingerprint for partition in plan}) == len(plan)
    assert [partition.index for partition in plan] == list(range(len(plan)))
    assert plan[0].since is None
    assert plan[-1].until is None
    counts = [len(keys(await batches(client, partition))) for partition in plan]
    assert sum(counts) == len(entries(box))
    assert max(counts) <= 60
    # The token, the count with the first day, the last day, and a count for each cut.
    assert asked <= 3 + len(plan) - 1
    assert asked < 2 * len(plan)


async def test_one_request_is_mark_and_count(box: Sandbox, client: JibbleClient) -> None:
    extent = Extent(set="time_entries", **DAYS)
    mark, (partition,) = await begin(client, extent)
    listed = [each for each in box.ledger.requests if each.path == "/v1/TimeEntries"]
    assert len(listed) == 1
    assert partition == Partition(set="time_entries", **DAYS)
    assert mark <= await server_mark(client, extent)
    assert mark > (await server_mark(client, extent, overlap=2 * OVERLAP))


async def test_rows_of_no_day_are_in_no_window_so_there_is_one(
    box: Sandbox, client: JibbleClient
) -> None:
    entry = box.dataset.rows("TimeEntries")[0]["id"]
    box.dataset.update("TimeEntries", entry, {"belongsToDate": None})
    plan = await plan_partitions(client, "time_entries", rows=40)
    assert plan == [Partition(set="time_entries")]


async def test_small_sets_and_sets_without_days_are_one_window(client: JibbleClient) -> None:
    (whole,) = await plan_partitions(client, "time_entries", **DAYS)
    assert (whole.since, whole.until, whole.index) == (DAYS["since"], DAYS["until"], 0)
    assert len(await plan_partitions(client, "people", rows=2)) == 1
    # What lasts over several windows would come with each.
    assert len(await plan_partitions(client, "time_off", rows=1)) == 1


@pytest.mark.parametrize(
    ("what", "days", "told"),
    [
        ("people", DAYS, "people have no date"),
        ("timesheets", {}, "give since= and until="),
        ("punches", {}, "nothing called 'punches'"),
        ("time_entries", {"rows": 0}, "at least 1"),
        ("time_entries", {"since": DAYS["until"], "until": DAYS["since"]}, "exchange them"),
    ],
)
async def test_bad_plans_are_refused(
    box: Sandbox, client: JibbleClient, what: Any, days: Any, told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        await plan_partitions(client, what, **days)
    assert not box.ledger.requests


async def test_a_window_goes_on_from_each_of_its_places(client: JibbleClient) -> None:
    (partition,) = await plan_partitions(client, "time_entries")
    pages = await batches(client, partition)
    assert len(pages) > 5
    assert all(batch.counted == len(keys(pages)) for batch in pages)
    for index, batch in enumerate(pages[:-1]):
        assert keys(await batches(client, partition, batch.place)) == keys(pages[index + 1 :])


async def test_a_place_of_another_window_is_refused(client: JibbleClient) -> None:
    one, other, *_ = await plan_partitions(client, "time_entries", rows=40)
    (batch, *_) = await batches(client, one)
    for place in (batch.place, "", "{}", "x"):
        with pytest.raises(ConfigurationError, match="place="):
            await batches(client, other, place)


async def test_a_place_whose_rows_are_gone_is_lost(box: Sandbox, client: JibbleClient) -> None:
    (partition,) = await plan_partitions(client, "time_entries")
    pages = await batches(client, partition)
    place = pages[3].place
    for key in keys(pages[2:4]):
        box.dataset.remove("TimeEntries", key)
    with pytest.raises(AnchorLostError):
        await batches(client, partition, place)


async def test_rows_that_come_and_go_meanwhile_cost_nothing(
    box: Sandbox, client: JibbleClient
) -> None:
    (partition,) = await plan_partitions(client, "time_entries")
    pages = await batches(client, partition)
    gone = keys(pages)[5]

    def change(rows: Any) -> None:
        rows.remove("TimeEntries", gone)

    box.faults.add(Fault("mutate", path="/v1/TimeEntries", nth=3, change=change))
    again = await batches(client, partition)
    assert keys(again) == keys(pages)
    assert again[-1].steps_back == 0


async def test_rows_that_were_not_asked_for_are_refused(
    box: Sandbox, client: JibbleClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    partition = Partition(set="time_entries", **DAYS)
    row = box.dataset.rows("TimeEntries")[0]
    stray = {**row, "belongsToDate": "2026-01-01"}
    real = box.hosts._services["time-tracking"].answer

    def answer(call: Any, received: Any, shift: int = 0) -> Any:
        reply = real(call, received, shift)
        reply.payload["value"][-1] = stray
        return reply

    monkeypatch.setattr(box.hosts._services["time-tracking"], "answer", answer)
    with pytest.raises(PaginationError, match=r"2026-01-01.* ignores a part of the filter"):
        await batches(client, partition)


async def test_the_old_api_is_read_by_its_cursors(box: Sandbox) -> None:
    async with LegacyClient.from_env(box.environment(), timezone="Europe/Berlin") as legacy:
        (partition,) = await plan_partitions(legacy, "time_entries", rows=10, page_size=30)
        pages = await batches(legacy, partition)
        assert len(set(keys(pages))) == len(keys(pages)) > 100
        rest = await batches(legacy, partition, pages[1].place)
        # It goes on at the moment of the last row, which comes again.
        assert keys(rest) == [keys(pages[:2])[-1], *keys(pages[2:])]
        verdict = await settle(legacy, partition, await server_mark(legacy, partition), Parts())
        assert verdict.outcome is Outcome.NOT_PROVED
        assert "neither counts rows nor tells" in verdict.reason
