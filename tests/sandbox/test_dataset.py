from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from jibble_async.sandbox.dataset import Dataset
from jibble_async.sandbox.scalars import format_duration, instant_key, is_guid, parse_instant
from jibble_async.sandbox.schema import TYPES

MONTH = Dataset(people=40, since=date(2026, 10, 5), until=date(2026, 11, 8), seed=11)
ENTRIES = MONTH.rows("TimeEntries")


def test_equal_seeds_make_equal_rows_and_others_do_not() -> None:
    one, same, other = (
        Dataset(people=4, since=date(2026, 7, 6), until=date(2026, 7, 12), seed=seed)
        for seed in (1, 1, 2)
    )
    for name in TYPES:
        assert one.rows(name) == same.rows(name)
    assert one.rows("TimeEntries") != other.rows("TimeEntries")


@pytest.mark.parametrize("name", TYPES)
def test_every_declared_property_is_there_and_nothing_else(name: str) -> None:
    rows = MONTH.rows(name)
    # Nobody has begun an export yet, and what a balance holds is not known.
    assert rows or name in {"ExportLogs", "HourEntries", "LeaveBalances"}
    for row in rows:
        settings = {key.partition("@")[0] for key in row if "/" in key}
        assert settings <= TYPES[name].settings
        assert {key for key in row if "/" not in key} == TYPES[name].properties.keys()
        assert is_guid(row["id"])
    assert len(MONTH.index(name)) == len(rows)


def test_ids_lead_somewhere() -> None:
    for name, entity in TYPES.items():
        for link in entity.navigations.values():
            targets = MONTH.index(link.target)
            if link.through is not None:
                assert all(
                    each[link.through] in targets
                    for row in MONTH.rows(name)
                    for each in row[link.local]
                )
            elif not link.many:
                assert all(
                    row[link.local] is None or row[link.local] in targets
                    for row in MONTH.rows(name)
                )


def test_a_large_organisation_has_the_expected_size() -> None:
    per_shift = len(ENTRIES) / len({(row["personId"], row["belongsToDate"]) for row in ENTRIES})
    assert 5.5 < per_shift < 8
    per_person_day = len(ENTRIES) / 40 / 35
    assert 3.5 < per_person_day < 5.5


def test_local_time_is_the_instant_in_the_persons_zone() -> None:
    for row in ENTRIES:
        assert instant_key(row["localTime"]) == instant_key(row["time"])
        moment = parse_instant(row["time"])
        offset = moment.astimezone(MONTH.zone(row["personId"])).utcoffset()
        assert offset is not None
        assert row["offset"] == format_duration(offset)
        local = datetime.fromisoformat(f"2026-01-01T00:00:00{row['localTime'][-6:]}")
        assert local.utcoffset() == offset


def test_moments_of_the_present_day_are_moments_too() -> None:
    present = datetime(2026, 7, 8, 14, 0, 0, 123_456, tzinfo=UTC)
    days = {"since": date(2026, 7, 6), "until": date(2026, 7, 8)}
    for seed in range(5):
        dataset = Dataset(people=20, **days, seed=seed, present=present)
        for row in dataset.rows("TimeEntries"):
            assert instant_key(row["localTime"]) == instant_key(row["time"])
            datetime.fromisoformat(row["localTime"])


def test_summer_time_ends_within_the_month() -> None:
    offsets = defaultdict[str, set[str]](set)
    for row in ENTRIES:
        offsets[str(MONTH.zone(row["personId"]))].add(row["offset"])
    assert offsets["Europe/Berlin"] == {"PT1H", "PT2H"}
    assert offsets["America/New_York"] == {"-PT4H", "-PT5H"}
    zones = {str(MONTH.zone(row["id"])) for row in MONTH.rows("People")}
    assert len(zones) == 5


def test_the_chain_of_active_entries_is_in_time_order() -> None:
    by_person = defaultdict[str, list[dict[str, Any]]](list)
    for row in ENTRIES:
        if row["status"] == "Active":
            by_person[row["personId"]].append(row)
        else:
            assert row["previousTimeEntryId"] is row["nextTimeEntryId"] is None
    for rows in by_person.values():
        index = {row["id"]: row for row in rows}
        first = [row for row in rows if row["previousTimeEntryId"] is None]
        assert len(first) == 1
        walked = [first[0]]
        while walked[-1]["nextTimeEntryId"] is not None:
            after = index[walked[-1]["nextTimeEntryId"]]
            assert after["previousTimeEntryId"] == walked[-1]["id"]
            assert instant_key(walked[-1]["time"]) <= instant_key(after["time"])
            walked.append(after)
        assert len(walked) == len(rows)


def test_the_week_is_believable() -> None:
    kinds = Counter(row["type"] for row in ENTRIES)
    assert kinds["In"] > kinds["StartBreak"] > kinds["Out"] > 0
    assert {len((row["time"] + ".").split(".")[1].rstrip("Z")) for row in ENTRIES} == set(range(8))
    assert 0.35 < sum(row["coordinates"] is not None for row in ENTRIES) / len(ENTRIES) < 0.65
    assert any(row["isAutomatic"] and row["type"] == "Out" for row in ENTRIES)
    assert any(row["autoClockOutTime"] for row in ENTRIES)
    notes = {row["note"] for row in ENTRIES}
    assert {"", None} < notes
    for mark in ('"', "\n", "☕"):
        assert any(mark in (note or "") for note in notes)
    assert any((note or "").startswith("=") for note in notes)
    over_midnight = [row for row in ENTRIES if row["localTime"][:10] > row["belongsToDate"]]
    assert over_midnight
    assert any(row["time"][:10] < row["belongsToDate"] for row in ENTRIES)
    weekend = [row for row in ENTRIES if date.fromisoformat(row["belongsToDate"]).weekday() > 4]
    assert 0 < len(weekend) < len(ENTRIES) / 20
    starts = Counter(
        row["belongsToDate"] for row in ENTRIES if row["type"] == "In" and row["status"] == "Active"
    )
    days = {row["belongsToDate"] for row in ENTRIES}
    assert min(days) == "2026-10-05"
    assert "2026-11-06" <= max(days) <= "2026-11-08"
    assert starts["2026-10-07"] > 20


def test_corrections_leave_an_archived_entry_and_its_replacement() -> None:
    archived = [row for row in ENTRIES if row["status"] == "Archived"]
    by_hand = [row for row in ENTRIES if row["isManual"]]
    assert len(archived) == len(by_hand) > 0
    assert all(row["status"] == "Active" and row["createdAt"] > row["time"] for row in by_hand)


def test_nobody_punches_on_an_approved_day_off_or_after_leaving() -> None:
    punched = {(row["personId"], row["belongsToDate"]) for row in ENTRIES}
    leaves = MONTH.rows("TimeOffOverview")
    off = [row for row in leaves if row["status"] == "Approved" and row["kind"] == "FullDay"]
    assert off
    for row in off:
        start, end = date.fromisoformat(row["startDate"]), date.fromisoformat(row["endDate"])
        assert row["duration"] == (end - start).days + 1
        days = [start + timedelta(days=place) for place in range(row["duration"])]
        assert not {(row["personId"], day.isoformat()) for day in days} & punched
    removed = {row["id"]: row["removedAt"] for row in MONTH.rows("People") if row["removedAt"]}
    assert removed
    for row in ENTRIES:
        assert row["personId"] not in removed or row["time"] < removed[row["personId"]]


def test_the_clock_state_follows_writes() -> None:
    dataset = Dataset(people=2, since=date(2026, 7, 6), until=date(2026, 7, 10), seed=4)
    person = dataset.rows("People")[0]
    latest = dataset.latest_entry(person["id"])
    assert latest is not None
    assert latest["time"] == person["latestTimeEntryTime"]
    assert latest["nextTimeEntryId"] is None
    shown = dataset.index("TimeTrackingPeople")[person["id"]]
    time = (parse_instant(latest["time"]) + timedelta(hours=20)).astimezone(UTC)
    entry = {**latest, "id": "5d3b37e7-64a8-411a-9a1e-056c149a13fc", "type": "In"}
    entry |= {"time": f"{time:%Y-%m-%dT%H:%M:%S}Z", "previousTimeEntryId": None}
    dataset.add("TimeEntries", entry)
    assert shown["isActive"]
    assert entry["previousTimeEntryId"] == latest["id"]
    assert latest["nextTimeEntryId"] == entry["id"]
    dataset.update("TimeEntries", entry["id"], {"status": "Archived"})
    assert latest["nextTimeEntryId"] is None
    assert shown["isActive"] is (latest["type"] == "In")
    assert dataset.latest_entry(person["id"]) is latest


@pytest.mark.parametrize(
    "present", [None, *(datetime(2026, 8, 17, hour, 7, tzinfo=UTC) for hour in (2, 9, 14, 21))]
)
def test_the_latest_entries_are_found_from_the_end(present: datetime | None) -> None:
    """Whether people are asked for first, or after their entries."""
    days: dict[str, Any] = {"since": date(2026, 7, 1), "until": date(2026, 8, 17)}
    seed, days["present"] = 3, present
    dataset = Dataset(people=30, **days, seed=seed)
    people = dataset.rows("People")
    entries = dataset.rows("TimeEntries")
    latest = {row["personId"]: row["time"] for row in entries if row["status"] == "Active"}
    assert {row["id"]: row["latestTimeEntryTime"] for row in people} == {
        row["id"]: latest.get(row["id"]) for row in people
    }
    other = Dataset(people=30, **days, seed=seed)
    assert other.rows("TimeEntries") == entries
    assert other.rows("TimeTrackingPeople") == dataset.rows("TimeTrackingPeople")
